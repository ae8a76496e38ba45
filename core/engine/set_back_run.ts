import type { ChangeOf } from "../parts/run_change.ts";
import type { RunRecord } from "../parts/run_record.ts";
import { isAhead, setBack } from "../parts/set_back.ts";
import type { Definition } from "./behaviour.ts";
import { type EngineContext, openPayload } from "./context.ts";
import { readData } from "./data_rules.ts";
import type { DueIndex } from "./due_index.ts";
import { timersOf } from "./step_runner.ts";

/** Of whose index the sleepers are. */
interface Sleeping {
  /** Whether their ownership has ended. */
  readonly over: boolean;
  /** Told of one that could not be set back. */
  failed(error: unknown): void;
}

/**
 * Sets back whatever sleeps for long, one by one; one that fails keeps nobody else.
 *
 * @param setBack What is to be done with each.
 * @returns Whether all of it was done.
 */
export async function setBackAll(
  index: DueIndex,
  of: Sleeping,
  setBack: (id: string) => Promise<void>,
): Promise<boolean> {
  let isDone = true;
  const heed = (error: unknown) => {
    isDone = false;
    of.failed(error);
  };
  try {
    for await (const page of index.sleepers()) {
      for (const id of page) if (!of.over) await setBack(id).catch(heed);
    }
  } catch (error) {
    heed(error);
  }
  return isDone && !of.over;
}

/**
 * What becomes of a run that may have been changed by a clock that was ahead.
 *
 * @returns The change; `undefined`: it was not.
 */
export async function setBackRun(
  context: EngineContext,
  definition: Definition,
  run: RunRecord,
): Promise<ChangeOf | undefined> {
  if (!isAhead(run.updatedAt, context.clock.now())) return undefined;
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
