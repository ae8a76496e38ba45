/**
 * The two rows of a lease: `owner` is written only when ownership changes hands, and its version fences every commit;
 * `presence` is the one row that a living engine renews.
 *
 * @module
 */
import { parseStored } from "../json.ts";
import type { BatchBuilder } from "../store/batch.ts";
import { keyspace } from "../store/keyspace.ts";
import type { Check, Entry } from "../store/store.ts";

/** Who owns a definition in a shard. */
export interface OwnerRow {
  /** `null`: released. */
  readonly engineId: string | null;
  /** Grows by one at every change of hands. */
  readonly epoch: number;
  /** When it changed hands last. */
  readonly since: number;
}

/** An engine's sign of life. */
export interface PresenceRow {
  /** By the engine's own wall clock. */
  readonly expiresAt: number;
  /** How long it promises to renew within. */
  readonly termMs: number;
  /** When the engine began. */
  readonly since: number;
}

/**
 * @param entry A stored `owner` row.
 * @returns It.
 */
export function readOwner(entry: Entry): OwnerRow {
  return parseStored(entry.value, `owner row ${entry.key}`) as OwnerRow;
}

/**
 * @param entry A stored `presence` row.
 * @returns It.
 */
export function readPresence(entry: Entry): PresenceRow {
  return parseStored(entry.value, `presence row ${entry.key}`) as PresenceRow;
}

/** Hands a definition of a shard to an engine, or to nobody, if the row is still as it was read. */
export function writeOwner(
  batch: BatchBuilder,
  definition: string,
  before: Entry | undefined,
  engineId: string | null,
  now: number,
): void {
  const key = keyspace.owner.key(definition);
  const epoch = (before ? readOwner(before).epoch : 0) + 1;
  const row: OwnerRow = { engineId, epoch, since: now };
  batch.check(key, before?.version ?? null).put(key, JSON.stringify(row));
}

/** Gives up a definition of a shard that is surely ours, as the guard says. */
export function releaseOwner(batch: BatchBuilder, guard: Check, epoch: number, now: number): void {
  const row: OwnerRow = { engineId: null, epoch, since: now };
  batch.check(guard.key, guard.version).put(guard.key, JSON.stringify(row));
}
