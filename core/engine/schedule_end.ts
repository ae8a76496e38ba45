/**
 * Tells a schedule of the end of its runs: by a chore in the commit that ends the run, and by looking at the runs.
 *
 * @module
 */
import { isFinished, type RunRecord } from "../parts/run_record.ts";
import { runEnded } from "../parts/schedule_landing.ts";
import type { ScheduleRecord, ScheduleResult, Started } from "../parts/schedule_record.ts";
import type { EngineContext } from "./context.ts";
import type { Ownership } from "./ownership.ts";
import { changeSchedule } from "./schedule_store.ts";
import { readRun } from "./write_change.ts";

/**
 * Performs the chore.
 *
 * @param run The run as it ended.
 */
export async function tellEnd(
  context: EngineContext,
  ownership: Pick<Ownership, "ownerOf">,
  run: RunRecord,
): Promise<void> {
  const { origin } = run;
  if (!origin) return;
  const result = resultOf(origin, run);
  await changeSchedule(
    context,
    ownership,
    origin.schedule,
    (held) => held && runEnded(held.record, origin, result, context.clock.now()),
  );
}

function resultOf({ at }: Pick<Started, "at">, { id, state, updatedAt }: RunRecord): ScheduleResult {
  return { at, runId: id, state, endedAt: updatedAt };
}

/**
 * The runs of a schedule that have ended, or are gone, though nobody has told of it yet.
 *
 * @param schedule The schedule.
 * @returns What they came to.
 */
export async function endedRuns(
  context: EngineContext,
  schedule: ScheduleRecord,
): Promise<readonly (ScheduleResult & { readonly start: number })[]> {
  const found = await Promise.all(schedule.running.map(async (each) => {
    const held = await readRun(context, each.runId);
    if (held && !isFinished(held.record.state)) return [];
    const { at, runId, start } = each;
    const removed = { at, runId, state: "removed", endedAt: context.clock.now() } as const;
    return [{ start, ...held ? resultOf(each, held.record) : removed }];
  }));
  return found.flat();
}
