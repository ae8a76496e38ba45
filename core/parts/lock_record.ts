/**
 * A lock's record: who holds it with which token, how much of it there is, and how many wait. Locks of a namespace are in
 * one shard, so that a request for several of them is one batch.
 *
 * @module
 */
import { PawlError } from "../errors.ts";
import { hash32 } from "../hash.ts";
import { parseStored } from "../json.ts";
import { encodeKey } from "../store/key.ts";
import { keyspace } from "../store/keyspace.ts";
import type { Entry } from "../store/store.ts";
import { table } from "../store/table.ts";
import { shardOfHash } from "./run_id.ts";

/** What a lock is used as; one name is never used as two kinds. */
export type LockKind = "mutex" | "semaphore" | "readWrite";

/** One who holds a lock. */
export interface LockHolder {
  /** Whose: the same name for all that one holds, so that a cycle is seen. A run's is its id. */
  readonly holder: string;
  /** The request it was granted for. */
  readonly request: string;
  /** Grows by one with each grant of the lock, and is never used again. */
  readonly token: number;
  /** Permits it takes; 0: all there are. */
  readonly weight: number;
  /** When it was granted. */
  readonly since: number;
  /** The definition of the run that holds it; absent: nobody's run. */
  readonly run?: string;
  /** How long it is held unless renewed; absent: until it is released. */
  readonly holdMs?: number;
  /** When that is over. */
  readonly until?: number;
  /** It is known to have heard of its grant. */
  readonly told?: true;
  /** How often it has entered, where that is more than once. */
  readonly entries?: number;
  /** All locks of its request, where there are several. */
  readonly names?: readonly string[];
}

/** All that is true of a lock now; who waits has rows of their own. */
export interface LockRecord {
  readonly namespace: string;
  readonly name: string;
  readonly kind: LockKind;
  /** Permits there are. */
  readonly capacity: number;
  /** The last token. It outlives all else: a token is never given twice. */
  readonly tokens: number;
  readonly holders: readonly LockHolder[];
  /** Requests that wait. */
  readonly waiters: number;
}

/** Permits of a read-write lock, and most of any: all holders are in one record. */
export const permitsMax = 1_000;

/** How long after a grant somebody looks whether its run has heard of it, unless that was seen to. */
export const untoldMs = 10_000;

/** Permits that a holder or waiter takes; one that wants more than there are any more takes all. */
export function shareOf({ capacity }: Pick<LockRecord, "capacity">, weight: number): number {
  return weight === 0 ? capacity : Math.min(weight, capacity);
}

/** Whether so much is free. */
export function fits(lock: LockRecord, weight: number): boolean {
  let free = lock.capacity;
  for (const holder of lock.holders) free -= shareOf(lock, holder.weight);
  return shareOf(lock, weight) <= free;
}

/** When somebody should look at a lock, whether or not its holders do; `undefined`: no need. */
export function lockDue({ holders }: LockRecord): number | undefined {
  let due: number | undefined;
  const at = (time: number) => due = due === undefined ? time : Math.min(due, time);
  for (const { run, told, since, until } of holders) {
    if (run !== undefined && !told) at(since + untoldMs);
    if (until !== undefined) at(until);
  }
  return due;
}

/** The shard of a namespace: part of the stored format. */
export function shardOfNamespace(shards: number, namespace: string): number {
  return shardOfHash(hash32(encodeKey("lock", namespace)), shards);
}

function encodeLock({ namespace: _, name: __, ...rest }: LockRecord): string {
  return JSON.stringify(rest);
}

/**
 * @param namespace The lock's.
 * @param name The lock's.
 * @param entry Its stored record.
 * @returns It.
 * @throws {PawlError} `STORE_CORRUPT` naming the key.
 */
export function decodeLock(namespace: string, name: string, entry: Entry): LockRecord {
  const what = `lock record "${entry.key}"`;
  const row = Object(parseStored(entry.value, what)) as LockRecord;
  const isSound = Array.isArray(row.holders) && Number.isInteger(row.tokens) &&
    Number.isInteger(row.capacity) && Number.isInteger(row.waiters) && row.holders.every(isHolder);
  if (isSound) return { ...row, namespace, name };
  throw new PawlError("STORE_CORRUPT", `Cannot read ${what}: it lacks holders, tokens, capacity or waiters`);
}

function isHolder(value: unknown): boolean {
  const { holder, request, token } = Object(value) as Partial<LockHolder>;
  return typeof holder === "string" && typeof request === "string" && Number.isInteger(token);
}

/** Writes lock records, with their row of the index of locks that somebody should look at. */
export const lockTable = /* @__PURE__ */ table<LockRecord, number>({
  key: (lock) => keyspace.lock.key(lock.namespace, lock.name),
  encode: encodeLock,
  indexes: [{
    place: lockDue,
    key: ({ namespace, name }, due) => keyspace.lockDue.key(due, namespace, name),
  }],
});
