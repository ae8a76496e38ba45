/**
 * What becomes of a commit, in one place: every local adapter settles its calls with this, so rules 1 to 4 of the
 * contract are written once.
 *
 * @module
 */
import { PawlError } from "../errors.ts";
import { keyspace } from "./keyspace.ts";
import { stamp } from "./key.ts";
import type {
  Batch,
  BatchResult,
  CallResult,
  Check,
  CommitCall,
  Committer,
  ReadRequest,
  StoreLimits,
  Version,
} from "./store.ts";

/** The part of a shard that a call can see and change. */
export interface ShardView {
  /** The version of a key that some batch of this commit checks; `undefined`: absent. */
  versionOf(key: string): Version | undefined;
  /** The value of the committer's outcome row. */
  valueOf(key: string): string | undefined;
  /** A version never given out before in this shard. */
  nextVersion(): Version;
  /** Writes a value. */
  put(key: string, value: string, version: Version): void;
  /** Removes a key, present or not. */
  delete(key: string): void;
}

/**
 * Applies one call to a shard.
 *
 * @param call The call.
 * @param view The shard as earlier calls of the commit left it.
 * @param keepsOutcomes Whether replies of this store can be lost, so that it keeps the rows of rule 4.
 * @returns What the caller is told.
 */
export function settleCall(call: CommitCall, view: ShardView, keepsOutcomes: boolean): CallResult {
  const outcomeKey = keepsOutcomes ? keyspace.outcome.key(call.committer.id) : undefined;
  if (outcomeKey !== undefined) {
    const kept = view.valueOf(outcomeKey);
    if (supersedes(kept, call.committer)) return readOutcome(kept);
  }
  const held = call.guard === undefined || holds(call.guard, view);
  const results = held ? call.batches.map((batch) => settleBatch(batch, view)) : undefined;
  if (outcomeKey !== undefined) {
    const row = JSON.stringify({ callId: call.committer.callId, results: results?.map(packResult) });
    view.put(outcomeKey, row, view.nextVersion());
  }
  return results ? { outcome: "done", results } : { outcome: "guard-failed" };
}

function settleBatch(batch: Batch, view: ShardView): BatchResult {
  for (let index = 0; index < batch.checks.length; index++) {
    if (!holds(batch.checks[index]!, view)) return { ok: false, failed: index };
  }
  const version = view.nextVersion();
  for (const key of batch.deletes) view.delete(key);
  for (const put of batch.puts) {
    view.put(put.stamped ? put.key + stamp(version) : put.key, put.value, version);
  }
  return { ok: true, version };
}

function holds(check: Check, view: ShardView): boolean {
  return (view.versionOf(check.key) ?? null) === check.version;
}

function supersedes(kept: string | undefined, committer: Committer): boolean {
  const last = kept === undefined ? undefined : (JSON.parse(kept) as { callId: string }).callId;
  return last !== committer.previous;
}

/**
 * The answer to a superseded call.
 *
 * @param kept The value of the committer's outcome row, if there is one.
 * @returns The call it speaks of and that call's results.
 */
export function readOutcome(kept: string | undefined): CallResult {
  if (kept === undefined) return { outcome: "superseded" };
  const row = JSON.parse(kept) as { callId: string; results?: number[] };
  return {
    outcome: "superseded",
    last: { callId: row.callId, ...(row.results && { results: row.results.map(unpackResult) }) },
  };
}

/** A version is positive; a failed check's index is stored as -1 - index. */
const packResult = (result: BatchResult) => result.ok ? result.version : -1 - result.failed;

const unpackResult = (packed: number): BatchResult =>
  packed >= 0 ? { ok: true, version: packed } : { ok: false, failed: -1 - packed };

/** Number of puts and deletes of a batch, and the characters they write. */
export function batchSize(batch: Batch): { readonly writes: number; readonly bytes: number } {
  let bytes = 0;
  for (const put of batch.puts) bytes += put.key.length + put.value.length;
  for (const key of batch.deletes) bytes += key.length;
  return { writes: batch.puts.length + batch.deletes.length, bytes };
}

/**
 * Refuses a commit that a store could not take whole.
 *
 * @param calls The commit.
 * @param limits The store's limits.
 * @param shards The store's shard count.
 * @throws {PawlError} `LIMIT_EXCEEDED` with the limit and the size seen; nothing was written.
 */
export function checkCommit(calls: readonly CommitCall[], limits: StoreLimits, shards: number): void {
  let writes = 0;
  let bytes = 0;
  for (const call of calls) {
    checkShard(call.shard, shards);
    for (const batch of call.batches) {
      const size = batchSize(batch);
      writes += size.writes;
      bytes += size.bytes;
      for (const put of batch.puts) {
        checkSize("commit", "key", put.key.length + (put.stamped ? 12 : 0), limits.keyBytesMax, put.key);
        checkSize("commit", "value", put.value.length, limits.valueBytesMax, put.key);
      }
    }
  }
  checkSize("commit", "number of writes", writes, limits.writesPerCommitMax);
  checkSize("commit", "size of all writes", bytes, limits.bytesPerCommitMax);
}

/**
 * Refuses a read that a store could not answer whole.
 *
 * @param requests The read.
 * @param limits The store's limits.
 * @param shards The store's shard count.
 * @throws {PawlError} `LIMIT_EXCEEDED` with the limit and the size seen; `INVALID_ARGUMENT` for an unknown shard.
 */
export function checkRead(requests: readonly ReadRequest[], limits: StoreLimits, shards: number): void {
  let ops = 0;
  for (const request of requests) {
    checkShard(request.shard, shards);
    ops += request.ops.length;
    for (const op of request.ops) {
      if ("get" in op) continue;
      // SQLite takes a negative limit for none at all.
      if (!Number.isInteger(op.limit) || op.limit < 0) {
        throw new PawlError("INVALID_ARGUMENT", `Cannot read: got limit ${op.limit}, want a whole number`);
      }
      checkSize("read", "a range's limit", op.limit, limits.entriesPerRangeMax);
    }
  }
  checkSize("read", "number of ops", ops, limits.opsPerReadMax);
}

/** Refuses a shard number that the store does not have. */
export function checkShard(shard: number, shards: number): void {
  if (!Number.isInteger(shard) || shard < 0 || shard >= shards) {
    throw new PawlError(
      "INVALID_ARGUMENT",
      `Cannot use shard ${shard}: the store has shards 0 to ${shards - 1}`,
    );
  }
}

function checkSize(verb: "commit" | "read", what: string, seen: number, limit: number, key?: string): void {
  if (seen <= limit) return;
  const where = key === undefined ? "" : ` at key "${key.slice(0, 80)}"`;
  throw new PawlError(
    "LIMIT_EXCEEDED",
    `Cannot ${verb}: ${what}${where} is ${seen}, the store accepts at most ${limit}`,
  );
}
