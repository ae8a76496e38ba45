/**
 * Pages of schedules and of their outcomes.
 *
 * @module
 */
import { PawlError } from "../errors.ts";
import { decodeOutcome } from "../parts/schedule_outcome.ts";
import { decodeSchedule } from "../parts/schedule_record.ts";
import { keyAfter, splitKey, unescapeText } from "../store/key.ts";
import { keyspace } from "../store/keyspace.ts";
import { checkName } from "./check_input.ts";
import type { EngineContext } from "./context.ts";
import { shardOfSchedule } from "./schedule_store.ts";
import type { OccurrenceView, SchedulePage, ScheduleQuery, ScheduleView } from "./schedule_types.ts";
import { outcomeView, scheduleView } from "./schedule_view.ts";

const limitDefault = 100;

function limitOf({ limits }: EngineContext, { limit }: ScheduleQuery): number {
  const asked = limit ?? Math.min(limitDefault, limits.pageMax);
  if (Number.isInteger(asked) && asked >= 1 && asked <= limits.pageMax) return asked;
  throw new PawlError(
    "INVALID_ARGUMENT",
    `Cannot list schedules: got limit ${limit}, want 1 to ${limits.pageMax}`,
  );
}

/** Where a page begins: shard and first key. */
function startOf(cursor: string | undefined, shards: number, first: string): readonly [number, string] {
  if (cursor === undefined) return [0, first];
  const [, shard, start] = /^(\d+) ([\x20-\x7e]+)$/.exec(cursor) ?? [];
  if (shard !== undefined && Number(shard) < shards && start! >= first) return [Number(shard), start!];
  throw new PawlError("INVALID_ARGUMENT", "Cannot list schedules: the cursor is not one that a page gave");
}

/**
 * @returns Schedules, shard by shard. A page with a filter may be short, or empty, and still have a cursor.
 * @throws {PawlError} `INVALID_ARGUMENT`.
 */
export async function listSchedules(
  context: EngineContext,
  query: ScheduleQuery,
): Promise<SchedulePage<ScheduleView>> {
  const { store, reader } = context;
  const { definition } = query;
  if (definition !== undefined) checkName(definition, "definition", context.limits.nameLengthMax);
  const limit = limitOf(context, query);
  const range = keyspace.schedule.range();
  let [shard, start] = startOf(query.cursor, store.shards, range.start);
  const items: ScheduleView[] = [];
  for (let left = limit; shard < store.shards; shard++, start = range.start) {
    if (left === 0) return { items, cursor: `${shard} ${start}` };
    const [page] = await reader.read(shard, [{ start, end: range.end, limit: left }]);
    left -= page!.length;
    const found = page!.map(({ key, value }) => decodeSchedule(unescapeText(splitKey(key)[1]!), value));
    const wanted = found.filter((each) =>
      each.deletedAt === undefined && (definition === undefined || each.definition === definition)
    );
    items.push(...wanted.map(scheduleView));
    if (left === 0) return { items, cursor: `${shard} ${keyAfter(page!.at(-1)!.key)}` };
  }
  return { items };
}

/**
 * @returns What became of a schedule's occurrences, oldest first.
 * @throws {PawlError} `INVALID_ARGUMENT`.
 */
export async function listOutcomes(
  context: EngineContext,
  id: string,
  query: ScheduleQuery,
): Promise<SchedulePage<OccurrenceView>> {
  const limit = limitOf(context, query);
  const range = keyspace.occurrence.range(id);
  const shard = shardOfSchedule(context, id);
  const [, start] = startOf(query.cursor, context.store.shards, range.start);
  const [page] = await context.reader.read(shard, [{ start, end: range.end, limit }]);
  const items = page!.map(decodeOutcome).map(outcomeView);
  if (page!.length < limit) return { items };
  return { items, cursor: `${shard} ${keyAfter(page!.at(-1)!.key)}` };
}
