import type { DataRules } from "../engine/data_rules.ts";
import { PawlError } from "../errors.ts";
import type { StandardSchema } from "../standard_schema.ts";

/** What a machine may say of its data. */
interface DataOptions {
  readonly schema?: StandardSchema<unknown, unknown>;
  readonly version?: number;
  migrate?(data: unknown, from: number): unknown;
}

/**
 * Checks what a machine says of its data.
 *
 * @param machine Its name.
 * @param options Its options.
 * @returns The rules for its data.
 * @throws {PawlError} `INVALID_ARGUMENT` naming the option that is wrong.
 */
export function machineData(machine: string, options: DataOptions): DataRules {
  const { schema, version = 1, migrate } = options;
  const refuse = (option: string, why: string) =>
    new PawlError("INVALID_ARGUMENT", `Cannot use ${option} of machine "${machine}": ${why}`);
  if (!Number.isSafeInteger(version) || version < 1) {
    throw refuse("version", `got ${String(version)}, want a whole number from 1`);
  }
  if (migrate !== undefined && typeof migrate !== "function") {
    throw refuse("migrate", `got ${typeof migrate}, want a function from (data, from) to the new data`);
  }
  if (migrate && version === 1) {
    throw refuse("migrate", "its version is 1, and no data is older than that; give it a version from 2");
  }
  const standard = schema?.["~standard"];
  if (schema !== undefined && (typeof standard?.validate !== "function" || standard.version !== 1)) {
    throw refuse("schema", "it is no Standard Schema of version 1, as those of zod and valibot are");
  }
  return { version, migrate: migrate && ((data, from) => migrate.call(options, data, from)), schema };
}
