/**
 * The rows of what became of a schedule's occurrences: read for backfills and views, and swept.
 *
 * @module
 */
import { LeaseLostError } from "../errors.ts";
import type { ScheduleChange } from "../parts/schedule_landing.ts";
import { decodeOutcome, outcomeKey } from "../parts/schedule_outcome.ts";
import { type ScheduleRecord, scheduleTable } from "../parts/schedule_record.ts";
import { BatchBuilder } from "../store/batch.ts";
import { keyAfter, readStamp, splitKey } from "../store/key.ts";
import { keyspace } from "../store/keyspace.ts";
import type { Check } from "../store/store.ts";
import type { EngineContext } from "./context.ts";
import { type HeldSchedule, shardOfSchedule } from "./schedule_store.ts";

/** Rows of outcomes that one commit writes at most, and as many that it deletes. */
const rowsMax = 50;

/** Outcomes that a batch may have besides its schedule, in any store. */
export function rowsPerBatch({ store }: Pick<EngineContext, "store">): number {
  return Math.max(1, Math.min(rowsMax, Math.floor((store.limits.writesPerCommitMax - 8) / 2)));
}

/** Rows of one read. */
const pageMax = 200;

/**
 * Which occurrences of the first backfill were started before, as far as is read at a time.
 *
 * @returns Tells of an occurrence; `undefined`: it was not read, as it lies further on, or is another backfill's.
 */
export async function startedIn(
  context: EngineContext,
  { id, backfills: [first] }: ScheduleRecord,
): Promise<(at: number) => boolean | undefined> {
  if (!first) return () => undefined;
  const { end } = keyspace.occurrence.range(id);
  const limit = Math.min(pageMax, context.limits.readPageMax);
  const start = keyspace.occurrence.key(id, first.at, "at");
  const [page] = await context.reader.read(shardOfSchedule(context, id), [{ start, end, limit }]);
  const rows = page!.map(decodeOutcome);
  const started = new Set(rows.filter((row) => row.outcome.kind === "started").map(({ at }) => at));
  const until = rows.length < limit ? Infinity : rows.at(-1)!.at;
  return (at) => at >= first.at && at <= until ? started.has(at) : undefined;
}

/**
 * Adds to a change the removal of outcomes that are no more kept.
 *
 * @returns The change, and the keys to delete with it.
 */
export async function sweepOutcomeRows(
  context: EngineContext,
  change: ScheduleChange,
): Promise<{ readonly change: ScheduleChange; readonly gone: readonly string[] }> {
  const { after, outcomes } = change;
  const excess = after.outcomes - context.limits.outcomesKeptMax;
  const limit = rowsPerBatch(context);
  // Not with each commit.
  if (excess < limit) return { change, gone: [] };
  const range = keyspace.occurrence.range(after.id);
  const [page] = await context.reader.read(shardOfSchedule(context, after.id), [{ ...range, limit }]);
  const written = new Set(outcomes.map((row) => outcomeKey(after.id, row)));
  const gone = page!.map(({ key }) => key).filter((key) => !written.has(key));
  // What was there twice is counted twice: a page that is not full tells how many there are.
  const left = page!.length < limit ? outcomes.length : after.outcomes - gone.length;
  return { change: { outcomes, after: { ...after, outcomes: left } }, gone };
}

/**
 * Removes what is left of a schedule that was deleted: marks, outcomes, and at last its record.
 *
 * @param guard The owner's fence.
 * @returns False when the schedule was changed meanwhile.
 */
export async function sweepDeleted(
  context: EngineContext,
  held: HeldSchedule,
  guard: Check,
): Promise<boolean> {
  const { record, version } = held;
  const shard = shardOfSchedule(context, record.id);
  const range = keyspace.occurrence.range(record.id);
  const row = keyspace.schedule.key(record.id);
  const limit = rowsPerBatch(context);
  for (let start = range.start;;) {
    const [page] = await context.reader.read(shard, [{ start, end: range.end, limit }]);
    const isLast = page!.length < limit;
    const batch = new BatchBuilder().check(row, version);
    for (const { key } of page!) batch.delete(key);
    if (isLast) {
      await sweepMarks(context, record);
      scheduleTable.remove(batch, record);
    }
    const result = await context.committer.commit(shard, batch, guard);
    if (!result.ok && result.reason === "lease-lost") throw new LeaseLostError(`shard ${shard}`);
    if (!result.ok) return false;
    if (isLast) return true;
    start = keyAfter(page!.at(-1)!.key);
  }
}

async function sweepMarks(context: EngineContext, { id }: ScheduleRecord): Promise<void> {
  const batches = Array.from(
    { length: context.store.shards },
    (_, shard) => context.committer.commit(shard, new BatchBuilder().delete(keyspace.mark.key(id))),
  );
  await Promise.all(batches);
}

/** The time that an outcome's key tells. */
export function timeInKey(key: string): number {
  return readStamp(splitKey(key)[2]!);
}
