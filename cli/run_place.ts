/**
 * Which run a command is about.
 *
 * @module
 */
import { CommandError, UsageError } from "./command.ts";
import { isRunId } from "./target/run_of_id.ts";
import type { RunName, Target } from "./target/target.ts";

/** How a run is named on the command line. */
export const runUsage = `
which run:
  RUN                  the id of a run
  DEFINITION KEY       the latest run of a key; with --run ID that run of it`;

/** The option that goes with it. */
export const runOptions = { run: { type: "string" } } as const;

/** What was given: names not looked up yet. */
export type GivenRun = RunName | { readonly runId: string };

/**
 * Reads which run is meant.
 *
 * @param positionals `RUN`, or `DEFINITION KEY`.
 * @param run Of `--run`.
 * @returns What was given.
 * @throws {UsageError}
 */
export function readRun(positionals: readonly string[], run: string | undefined): GivenRun {
  const [first, key, more] = positionals;
  if (first === undefined) throw new UsageError("It is not said which run: give RUN, or DEFINITION KEY");
  if (more !== undefined) throw new UsageError(`"${more}" is one argument too many`);
  if (key === undefined) {
    if (!isRunId(first)) throw new UsageError(`"${first}" is no run id: give that, or DEFINITION KEY`);
    if (run !== undefined) throw new UsageError("--run is given beside a run id");
    return { runId: first };
  }
  if (run !== undefined && !isRunId(run)) throw new UsageError(`--run is "${run}", and must be a run id`);
  return { definition: first, key, ...(run !== undefined && { runId: run }) };
}

/**
 * Finds out the name of a run.
 *
 * @param target Where it is.
 * @param given What was given.
 * @returns Its name.
 * @throws {CommandError} `RUN_NOT_FOUND`.
 */
export async function nameOf(target: Target, given: GivenRun): Promise<RunName> {
  if ("key" in given) return given;
  const found = await target.find(given.runId);
  if (found) return found;
  throw new CommandError("RUN_NOT_FOUND", `There is no run ${given.runId} in ${target.name}`);
}

/**
 * Finds a run with its data.
 *
 * @param target Where it is.
 * @param given What was given.
 * @returns The run.
 * @throws {CommandError} `RUN_NOT_FOUND`.
 */
export async function requireRun(target: Target, given: GivenRun) {
  const name = await nameOf(target, given);
  const run = await target.get(name);
  if (run) return run;
  const which = name.runId === undefined ? "" : ` with id ${name.runId}`;
  throw new CommandError(
    "RUN_NOT_FOUND",
    `"${name.definition}" has no run for key "${name.key}"${which} in ${target.name}`,
  );
}
