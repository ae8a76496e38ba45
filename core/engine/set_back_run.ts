import type { ChangeOf } from "../parts/run_change.ts";
import type { RunRecord } from "../parts/run_record.ts";
import { setBack } from "../parts/set_back.ts";
import type { Definition } from "./behaviour.ts";
import { type EngineContext, openPayload } from "./context.ts";
import { readData } from "./data_rules.ts";
import { timersOf } from "./step_runner.ts";

/**
 * What becomes of a run that was changed by a clock that was ahead.
 *
 * @returns The change.
 */
export async function setBackRun(
  context: EngineContext,
  definition: Definition,
  run: RunRecord,
): Promise<ChangeOf> {
  return setBack(await timersAnew(context, definition, run));
}

/** When the timers of a run would be due if it entered its status now; not known where their functions throw. */
async function timersAnew(
  context: EngineContext,
  { name, behaviour }: Definition,
  run: RunRecord,
): Promise<(name: string) => number | undefined> {
  if (run.timers.length === 0) return () => undefined;
  try {
    const text = await openPayload(context, run);
    const anew = timersOf(context, behaviour, run.status, {
      ...{ runId: run.id, definition: name, key: run.key, createdAt: new Date(run.createdAt) },
      readData: () => readData(behaviour.data, run, text),
    });
    return (wanted) => anew?.find((timer) => timer.name === wanted)?.at;
  } catch {
    return () => undefined;
  }
}
