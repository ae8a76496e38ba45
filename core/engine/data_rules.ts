/**
 * What a definition says of its data, and the only ways in which data is read from a record and made ready to be
 * stored: old data is migrated in memory when it is read, and nothing is stored that the schema refuses.
 *
 * @module
 */
import { type DataIssue, InvalidDataError, PawlError } from "../errors.ts";
import { jsonText } from "../json.ts";
import type { Payload, RunRecord } from "../parts/run_record.ts";
import type { StandardSchema, StandardSchemaIssue, StandardSchemaResult } from "../standard_schema.ts";
import { type EngineContext, sealPayload } from "./context.ts";

/** What a definition says of its data. */
export interface DataRules {
  /** Of the data that its code writes; 1 for a definition that says nothing. */
  readonly version: number;
  /** Makes data of an older version into data of this one. Without it, older data is taken as it is. */
  readonly migrate?: ((data: unknown, from: number) => unknown) | undefined;
  /** What all data must satisfy before it is stored. */
  readonly schema?: StandardSchema<unknown, unknown> | undefined;
}

/** Issues that an error carries. */
const issuesMax = 20;

/**
 * Data as the deployed code knows it.
 *
 * @param rules Of the definition.
 * @param record Whose data it is; nothing of it changes.
 * @param text The opened payload.
 * @returns A fresh copy.
 * @throws {PawlError} `MIGRATION_FAILED`, or `DATA_TOO_NEW`.
 */
export function readData(
  rules: DataRules,
  record: Pick<RunRecord, "id" | "definition" | "dataVersion">,
  text: string,
): unknown {
  const data = JSON.parse(text) as unknown;
  const { dataVersion: from } = record;
  if (from === rules.version) return data;
  const what = `data of run ${record.id} of "${record.definition}"`;
  if (from > rules.version) {
    throw new PawlError(
      "DATA_TOO_NEW",
      `Cannot read ${what}: it is of version ${from}, the deployed code knows ${rules.version}; deploy newer code`,
    );
  }
  if (!rules.migrate) return data;
  let migrated: unknown;
  try {
    migrated = rules.migrate(data, from);
  } catch (error) {
    throw new PawlError(
      "MIGRATION_FAILED",
      `Cannot migrate ${what} from version ${from} to ${rules.version}: ${messageOf(error)}`,
      { cause: error },
    );
  }
  if (typeof (migrated as { then?: unknown } | null | undefined)?.then !== "function") return migrated;
  Promise.resolve(migrated).catch(() => {});
  throw new PawlError(
    "MIGRATION_FAILED",
    `Cannot migrate ${what} from version ${from} to ${rules.version}: migrate() gave a promise, want the data`,
  );
}

/**
 * Data as it is stored: checked, as text, sealed, with its version.
 *
 * @param context The engine.
 * @param rules Of the definition.
 * @param data The data.
 * @param what What is refused when it is wrong, such as `trigger "orders" for key "k"`.
 * @param text Its JSON text, if that is known already.
 * @returns The payload; a plain value where nothing had to be waited for.
 * @throws {InvalidDataError} When the schema refuses the data.
 * @throws {PawlError} `SCHEMA_FAILED`, `NOT_JSON` or `PAYLOAD_TOO_LARGE`.
 */
export function writeData(
  context: EngineContext,
  rules: DataRules,
  data: unknown,
  what: string,
  text?: string,
): Payload | Promise<Payload> {
  const write = (checked: unknown) =>
    sealPayload(context, jsonText(checked, "data", context.limits.payloadBytesMax), rules.version);
  if (!rules.schema) return text === undefined ? write(data) : sealPayload(context, text, rules.version);
  const checked = checkData(rules.schema, data, what);
  return checked instanceof Promise ? checked.then((each) => write(each.value)) : write(checked.value);
}

interface Checked {
  readonly value: unknown;
}

function checkData(
  schema: StandardSchema<unknown, unknown>,
  data: unknown,
  what: string,
): Checked | Promise<Checked> {
  let result: StandardSchemaResult<unknown> | Promise<StandardSchemaResult<unknown>>;
  try {
    result = schema["~standard"].validate(data);
  } catch (error) {
    throw schemaFailed(what, messageOf(error), error);
  }
  if (typeof (result as { then?: unknown } | null)?.then !== "function") {
    return judge(result as StandardSchemaResult<unknown>, what);
  }
  return Promise.resolve(result).then((each) => judge(each, what), (error) => {
    throw schemaFailed(what, messageOf(error), error);
  });
}

function judge(result: StandardSchemaResult<unknown>, what: string): Checked {
  if (typeof result !== "object" || result === null) {
    throw schemaFailed(what, `it answered ${String(result)}, want { value } or { issues }`);
  }
  if (!result.issues) return result as Checked;
  throw new InvalidDataError(what, Array.from(result.issues).slice(0, issuesMax).map(issueOf));
}

function issueOf({ message, path }: StandardSchemaIssue): DataIssue {
  const parts = (path ?? []).map((part) => {
    const key = typeof part === "object" ? part.key : part;
    return typeof key === "symbol" ? String(key) : key;
  });
  return { message: String(message), path: parts };
}

function schemaFailed(what: string, why: string, cause?: unknown): PawlError {
  return new PawlError("SCHEMA_FAILED", `Cannot ${what}: its schema failed: ${why}`, { cause });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
