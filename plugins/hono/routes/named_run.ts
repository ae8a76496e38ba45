import { type Definition, type Engine, PawlError, type RunView } from "pawl";
import type { Call } from "../route.ts";

/** The names in the path of a run. */
export type RunParam = "definition" | "key";

/**
 * @param engine Carries definitions.
 * @param name One of them.
 * @returns The definition.
 * @throws {PawlError} `UNKNOWN_DEFINITION`.
 */
export function definitionNamed(engine: Pick<Engine, "definitions">, name: string): Definition {
  const found = engine.definitions.get(name);
  if (found) return found;
  throw new PawlError(
    "UNKNOWN_DEFINITION",
    `Cannot use definition ${JSON.stringify(name)}: this engine does not carry it`,
  );
}

/**
 * @param verb What is to happen to it, for the message.
 * @param call Names a run in its path, and perhaps in its query.
 * @returns The run.
 * @throws {PawlError} `RUN_NOT_FOUND`, `UNKNOWN_DEFINITION`.
 */
export async function namedRun(
  verb: string,
  { api, params, query }: Pick<
    Call<RunParam, { readonly runId?: string | undefined }>,
    "api" | "params" | "query"
  >,
): Promise<RunView> {
  const { definition, key } = params;
  const run = await api.engine.get(
    definitionNamed(api.engine, definition),
    key,
    given({ runId: query.runId }),
  );
  if (run) return run;
  const which = query.runId === undefined ? "" : ` with id ${query.runId}`;
  throw new PawlError(
    "RUN_NOT_FOUND",
    `Cannot ${verb} run: "${definition}" has no run for key "${key}"${which}`,
  );
}

/** What of an object is there: options of the engine may be left out, but not be `undefined`. */
export function given<Fields extends object>(
  fields: Fields,
): { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}
