/**
 * Starts the run of an occurrence, once: by a mark beside the run, which no earlier start of the schedule gets past.
 *
 * @module
 */
import { ConflictError, PawlError } from "../errors.ts";
import { readLatest } from "../parts/key_rows.ts";
import { isFinished, type RunRecord } from "../parts/run_record.ts";
import type { Landed } from "../parts/schedule_landing.ts";
import { decodeMark, type Mark } from "../parts/schedule_outcome.ts";
import type { ScheduleRecord, Starting } from "../parts/schedule_record.ts";
import { BatchBuilder } from "../store/batch.ts";
import { keyspace } from "../store/keyspace.ts";
import type { Entry, Version } from "../store/store.ts";
import { type EngineContext, openPayload, placeOf, shardOf } from "./context.ts";
import type { Definition } from "./behaviour.ts";
import { readData } from "./data_rules.ts";
import type { Ownership } from "./ownership.ts";
import { commitNew, newRecord, type RunIds, triggerBatch, type Wish } from "./trigger.ts";
import { readRun } from "./write_change.ts";

/** What starts the runs of a schedule. */
export interface Starter {
  readonly context: EngineContext;
  readonly ownership: Pick<Ownership, "ownerOf">;
  readonly runIds: RunIds;
}

/** Where a start is. */
interface Place {
  readonly starter: Starter;
  readonly schedule: ScheduleRecord;
  readonly starting: Starting;
  readonly definition: Definition;
  readonly shard: number;
}

/**
 * Starts it, or finds what became of it before. Nothing of this needs the schedule to be owned: whoever comes late finds the
 * mark.
 *
 * @param schedule A schedule with a start under way.
 * @param definition Its target, as deployed.
 * @returns What it came to, for good.
 * @throws {PawlError} What the store says: then nothing is decided.
 */
export async function startOccurrence(
  starter: Starter,
  schedule: ScheduleRecord,
  definition: Definition,
): Promise<Landed> {
  const { context } = starter;
  const starting = schedule.starting!;
  const shard = shardOf(context, definition.name, starting.key);
  const place = { starter, schedule, starting, definition, shard };
  for (let rebase = 0; rebase <= context.limits.rebasesMax; rebase++) {
    const [[mark], [keyEntry]] = await context.reader.read(shard, [
      { get: keyspace.mark.key(schedule.id) },
      { get: keyspace.key.key(definition.name, starting.key) },
    ]) as [Entry[], Entry[]];
    const before = mark && landedBefore(place, decodeMark(mark));
    if (before) return before;
    const landed = await tryStart(place, mark?.version ?? null, keyEntry);
    if (landed) return landed;
  }
  throw new ConflictError(
    `Cannot start "${definition.name}" for key "${starting.key}" of schedule "${schedule.id}": ` +
      `other writers were first ${context.limits.rebasesMax} times`,
  );
}

/** What a mark tells of this start. */
function landedBefore({ schedule, starting }: Place, mark: Mark): Landed | undefined {
  if (mark.start < starting.start) return undefined;
  if (mark.start > starting.start || mark.life !== schedule.life) {
    return { kind: "behind", start: mark.start };
  }
  return mark.runId === undefined ? mark.refused! : { kind: "started", runId: mark.runId };
}

async function tryStart(
  place: Place,
  mark: Version | null,
  keyEntry: Entry | undefined,
): Promise<Landed | undefined> {
  const { starter: { context, ownership, runIds }, starting, schedule, definition } = place;
  const latest = keyEntry && { version: keyEntry.version, runId: readLatest(keyEntry) };
  const run = latest && await readRun(context, latest.runId);
  if (run && !isFinished(run.record.state)) {
    return await refuse(place, mark, {
      kind: "busy",
      reason: `run ${run.record.id} of its key is unfinished`,
    });
  }
  const opened = definition.behaviour.timers ? await openPayload(context, schedule) : "";
  let wish: Wish;
  let record: RunRecord;
  try {
    wish = wishOf(place, opened === "" ? "" : dataText(place, opened));
    checkStatus(definition, wish.status);
    record = newRecord(context, runIds, wish, placeOf(definition.name, starting.key), latest?.runId);
  } catch (error) {
    const reason = String((error as Error)?.message ?? error).slice(0, context.limits.messageLengthMax);
    return await refuse(place, mark, { kind: "failed", reason });
  }
  const batch = triggerBatch(wish, record, latest);
  writeMark(batch, place, mark, { runId: record.id });
  const result = await commitNew(context, ownership, record, batch);
  return result.ok ? { kind: "started", runId: record.id } : undefined;
}

function wishOf({ schedule, starting, definition }: Place, text: string): Wish {
  const { id, life, rules, payload, sealed, dataVersion } = schedule;
  return {
    definition,
    key: starting.key,
    status: rules.startAt ?? definition.behaviour.start,
    payload: { text: payload, sealed, version: dataVersion },
    text,
    traceOrigin: undefined,
    origin: { schedule: id, life, start: starting.start, at: starting.at },
    idempotency: undefined,
  };
}

/** The data as the deployed code knows it, for the functions that set timers. */
function dataText(
  { schedule: { id, definition: name, dataVersion }, definition }: Place,
  opened: string,
): string {
  const { data } = definition.behaviour;
  if (dataVersion === data.version) return opened;
  return JSON.stringify(readData(data, { id, definition: name, dataVersion }, opened));
}

function checkStatus({ name, behaviour }: Definition, status: string): void {
  if (behaviour.statuses.has(status) && !behaviour.isTerminal(status)) return;
  throw new PawlError("UNKNOWN_STATUS", `"${name}" cannot start at ${JSON.stringify(status)}`);
}

/** Says for good that this start makes no run: what an engine that slept through this has on its way is refused. */
async function refuse(
  place: Place,
  mark: Version | null,
  refused: NonNullable<Mark["refused"]>,
): Promise<Landed | undefined> {
  const batch = new BatchBuilder();
  writeMark(batch, place, mark, { refused });
  const result = await place.starter.context.committer.commit(place.shard, batch);
  return result.ok ? refused : undefined;
}

function writeMark(
  batch: BatchBuilder,
  { schedule, starting }: Place,
  version: Version | null,
  decision: Pick<Mark, "runId" | "refused">,
): void {
  const key = keyspace.mark.key(schedule.id);
  const mark: Mark = { life: schedule.life, start: starting.start, ...decision };
  batch.check(key, version).put(key, JSON.stringify(mark));
}
