/**
 * A change of a run as a batch, and the loop that applies one by compare-and-set.
 *
 * @module
 */
import { ConflictError, LeaseLostError, PawlError } from "../errors.ts";
import { encodeHistory } from "../parts/history.ts";
import {
  type Chore,
  choreId,
  choreTable,
  errorKindsOf,
  hookKindOf,
  lockChore,
  scheduleHook,
} from "../parts/chore.ts";
import type { Change, ChangeOf } from "../parts/run_change.ts";
import { logText } from "../parts/run_log.ts";
import { isFinished, type RunRecord } from "../parts/run_record.ts";
import { decodeRecord, encodeRecord, runTable } from "../parts/run_row.ts";
import { BatchBuilder } from "../store/batch.ts";
import { keyspace } from "../store/keyspace.ts";
import type { Check, Version } from "../store/store.ts";
import { hooksOf } from "./behaviour.ts";
import { type EngineContext, shardOfRun } from "./context.ts";
import { noticed } from "./notice.ts";

/** A record as it was read or last written, with the store's version of it. */
export interface Held {
  record: RunRecord;
  version: Version;
}

/**
 * Reads a run.
 *
 * @returns Its record, or `undefined` when there is none.
 */
export async function readRun(context: EngineContext, runId: string): Promise<Held | undefined> {
  const entry = await context.reader.get(shardOfRun(context, runId), keyspace.run.key(runId));
  return entry && { record: decodeRecord(entry.value, entry.key), version: entry.version };
}

/** Adds rows to the batch of a change. */
export type Also = (batch: BatchBuilder, after: RunRecord) => void;

/** A change that was applied, with what is to be done because of it. */
export interface Applied extends Change {
  readonly chores?: readonly Chore[];
  /** It has landed unheard: chores that it may have brought are in the store alone. */
  readonly unheard?: boolean;
}

/**
 * Applies a change to a held record, again and again while other writers are first, and keeps `held` true.
 *
 * @param context The engine.
 * @param held The record as last seen; updated in place.
 * @param changeOf Decides from the record as it is; called again after each conflict.
 * @param guard The owner's fence; without it the caller is a guest and rings the owner's bell.
 * @param also Adds rows to the batch.
 * @returns The change that was applied, and the record before it.
 * @throws {PawlError} What `changeOf` throws, `LEASE_LOST`, `CONFLICT`, `RUN_NOT_FOUND`, or what the store says.
 */
export async function applyChange(
  context: EngineContext,
  held: Held,
  changeOf: ChangeOf,
  guard?: Check,
  also?: Also,
): Promise<Applied> {
  for (let rebase = 0; rebase <= context.limits.rebasesMax; rebase++) {
    const draft = draftOf(context, held, changeOf, guard, also);
    if (!draft.batch) return draft.change;
    const result = await context.committer.commit(draft.shard, draft.batch, guard);
    if (result.ok) return landed(context, held, draft, result.version);
    await lookAgain(context, held, result.reason);
  }
  throw new ConflictError(
    `Cannot change run ${held.record.id}: other writers were first ${context.limits.rebasesMax} times`,
  );
}

/** A change as it is to be committed; without a batch there is nothing to commit. */
export interface Draft {
  readonly change: Change;
  readonly now: number;
  readonly shard: number;
  readonly batch: BatchBuilder | undefined;
  readonly logged: string | undefined;
  readonly chores: readonly Chore[] | undefined;
}

/** What a change comes to on the record as it is held. */
export function draftOf(
  context: EngineContext,
  held: Held,
  changeOf: ChangeOf,
  guard: Check | undefined,
  also: Also | undefined,
): Draft {
  const { record } = held;
  const now = context.clock.now();
  const shard = shardOfRun(context, record.id);
  const change = changeOf(record, now);
  if (!change.after && !change.event) {
    return { change, now, shard, batch: undefined, logged: undefined, chores: undefined };
  }
  const isStreamed = context.definitions.get(record.definition)?.behaviour.stream;
  const logged = isStreamed ? logText(record, change, now) : undefined;
  const chores = choresOf(context, record, change, now);
  const batch = changeBatch(held, change, now, logged, chores !== undefined);
  if (chores) { for (const chore of chores) choreTable.write(batch, undefined, chore); }
  also?.(batch, change.after ?? record);
  if (!guard) batch.put(keyspace.bell.key(record.definition), "1");
  return { change, now, shard, batch, logged, chores };
}

/** Tells of a change that has been stored, and keeps `held` true. */
export function landed(context: EngineContext, held: Held, draft: Draft, version: Version): Applied {
  const { change, now, shard, logged, chores } = draft;
  noticed(context, held.record, change, now);
  if (change.after || isFinished(held.record.state)) held.version = version;
  if (change.after) held.record = change.after;
  context.watch.changed(held.record);
  if (logged !== undefined) context.hub.changed(shard);
  return chores ? { ...change, chores } : change;
}

/** The record as another writer has left it. */
export async function lookAgain(
  context: EngineContext,
  held: Held,
  why: "check" | "lease-lost",
): Promise<void> {
  const { id, definition } = held.record;
  if (why === "lease-lost") {
    throw new LeaseLostError(`"${definition}" in shard ${shardOfRun(context, id)}`);
  }
  const fresh = await readRun(context, id);
  if (!fresh) throw new PawlError("RUN_NOT_FOUND", `Cannot change run ${id}: it was removed`);
  held.record = fresh.record;
  held.version = fresh.version;
}

/** The hooks that hear of a change, its schedule that a run has ended, and the release of a lock that it gave up. */
function choresOf(
  context: EngineContext,
  before: RunRecord,
  change: Change,
  now: number,
): readonly Chore[] | undefined {
  const { after: run } = change;
  if (!run) return undefined;
  const kind = hookKindOf(before.state, run.state);
  const definition = context.definitions.get(run.definition);
  const hooks = kind && definition?.behaviour.hooks?.(kind);
  const errors = definition?.errorHooks && errorKindsOf(before, change);
  const lock = before.lock && lockChore(before, run, now);
  const isTold = run.origin && isFinished(run.state) && !isFinished(before.state);
  if (!isTold && !errors && (!hooks || hooks.length === 0)) return lock && [lock];
  const told: Pick<Chore, "kind" | "hook" | "timer">[] = (hooks ?? []).map(({ name }) => ({
    kind: kind!,
    hook: name,
  }));
  if (isTold) told.push({ kind: kind ?? "cancel", hook: scheduleHook });
  for (const error of errors ?? []) {
    for (const { name } of hooksOf(definition!, error)) {
      told.push({ kind: error, hook: name, timer: timerOf(change) });
    }
  }
  const chores = told.map((each, index): Chore => ({
    ...each,
    id: choreId(run, index),
    attempt: 0,
    due: now,
    lastError: undefined,
    run,
  }));
  if (lock) chores.push(lock);
  return chores.length > 0 ? chores : undefined;
}

/** The timer whose attempt it was that failed. */
function timerOf({ event }: Change): string | undefined {
  return event?.by === "timer" ? event.name : undefined;
}

/** What nobody outside will be told may be relaxed: an unfinished run's step progress, unless a log or a hook tells of it. */
function changeBatch(
  held: Held,
  change: Change,
  now: number,
  logged: string | undefined,
  hasHooks: boolean,
): BatchBuilder {
  const { record } = held;
  const { after, event } = change;
  const isProgress = event?.by === "step" || event?.by === "timer";
  const isTold = logged !== undefined || hasHooks;
  const isRelaxed = isProgress && !isFinished((after ?? record).state) && !isTold;
  const batch = new BatchBuilder({ relaxed: isRelaxed });
  batch.check(record.rowKey, held.version);
  if (after) runTable.write(batch, record, after);
  // A row that comes late moves the version of its record, so that a removal under way cannot leave it behind.
  else if (isFinished(record.state)) batch.put(record.rowKey, encodeRecord(record));
  if (event) batch.putStamped(keyspace.history.front(record.id), encodeHistory(event, after ?? record, now));
  if (logged !== undefined) batch.putStamped(keyspace.log.front(record.definition), logged);
  return batch;
}
