/**
 * Reading and writing schedules.
 *
 * @module
 */
import { ConflictError, OutcomeUnknownError, PawlError } from "../errors.ts";
import { decodeSchedule, scheduleDue, type ScheduleRecord, scheduleTable } from "../parts/schedule_record.ts";
import type { ScheduleChange } from "../parts/schedule_landing.ts";
import { outcomeKey } from "../parts/schedule_outcome.ts";
import type { SlotsAfter } from "../parts/schedule_slots.ts";
import { shardOfHash } from "../parts/run_id.ts";
import { BatchBuilder } from "../store/batch.ts";
import { parseStored } from "../json.ts";
import { keyspace } from "../store/keyspace.ts";
import type { Version } from "../store/store.ts";
import { hash32 } from "../hash.ts";
import { encodeKey } from "../store/key.ts";
import type { EngineContext } from "./context.ts";
import type { Ownership } from "./ownership.ts";

/** A schedule as it was read. */
export interface HeldSchedule {
  readonly record: ScheduleRecord;
  readonly version: Version;
}

/** The shard of a schedule: part of the stored format. */
export function shardOfSchedule({ store }: Pick<EngineContext, "store">, id: string): number {
  return shardOfHash(hash32(encodeKey("schedule", id)), store.shards);
}

/**
 * @returns The schedule of that id, also one that was deleted not long ago; `undefined` when there is none.
 */
export async function readSchedule(context: EngineContext, id: string): Promise<HeldSchedule | undefined> {
  const entry = await context.reader.get(shardOfSchedule(context, id), keyspace.schedule.key(id));
  return entry && { record: decodeSchedule(id, entry.value), version: entry.version };
}

/**
 * The times of stored rules, each strictly after what was asked.
 *
 * @throws {PawlError} `UNKNOWN_RECURRENCE` when this engine does not carry the type; `INVALID_RECURRENCE`, also from a
 * rule that does not go forward.
 */
export function slotsOf(
  { readRecurrence }: EngineContext,
  { type, spec }: Pick<ScheduleRecord["rules"], "type" | "spec">,
): SlotsAfter {
  const { next } = readRecurrence({ type, spec: parseStored(spec, `recurrence ${type}`) });
  return (after) => {
    const at = next(after);
    if (at === undefined || (at > after && Number.isInteger(at))) return at;
    throw new PawlError(
      "INVALID_RECURRENCE",
      `Cannot go on with recurrence "${type}" ${spec}: its next(${after}) is ${at}, want whole milliseconds after it`,
    );
  };
}

/** The batch of a change of a schedule, checked against the row that it was made from. */
export function scheduleBatch(held: HeldSchedule | undefined, change: ScheduleChange): BatchBuilder {
  const { after, outcomes } = change;
  const batch = new BatchBuilder().check(keyspace.schedule.key(after.id), held?.version ?? null);
  scheduleTable.write(batch, held?.record, after);
  const rows = new Map(outcomes.map((row) => [outcomeKey(after.id, row), JSON.stringify(row.outcome)]));
  for (const [key, text] of rows) batch.put(key, text);
  return batch;
}

/**
 * Changes a schedule by compare-and-set: by its owner when that is this engine, else as a guest.
 *
 * @param changeOf Decides from the schedule as it is, `undefined` when there is none; called again after each conflict. No
 * change: nothing is written.
 * @returns The schedule after it.
 * @throws {PawlError} What `changeOf` throws, or `CONFLICT`.
 */
export async function changeSchedule(
  context: EngineContext,
  ownership: Pick<Ownership, "ownerOf">,
  id: string,
  changeOf: (held: HeldSchedule | undefined) => ScheduleChange | undefined,
): Promise<HeldSchedule | undefined> {
  const shard = shardOfSchedule(context, id);
  for (let rebase = 0; rebase <= context.limits.rebasesMax; rebase++) {
    const held = await readSchedule(context, id);
    const change = changeOf(held);
    if (!change) return held;
    const { definition } = change.after;
    const owner = ownership.ownerOf(definition, shard);
    const batch = scheduleBatch(held, change);
    if (!owner) batch.put(keyspace.bell.key(definition), "1");
    const result = await context.committer.commit(shard, batch, owner?.guard).catch((error) => {
      if (error instanceof OutcomeUnknownError) owner?.unsure();
      throw error;
    });
    if (result.ok) {
      owner?.scheduled(id, scheduleDue(change.after), result.version);
      return { record: change.after, version: result.version };
    }
    if (result.reason === "lease-lost") owner?.lost();
  }
  throw new ConflictError(
    `Cannot change schedule "${id}": other writers were first ${context.limits.rebasesMax} times`,
  );
}
