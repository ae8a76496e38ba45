/**
 * The two rows of a lease: `owner` is written only when ownership changes hands, and its version fences every commit;
 * `presence` is the one row that a living engine renews.
 *
 * @module
 */
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
 * A row that is damaged reads as released: it may be claimed, which writes it anew. The fence is the row's version and
 * not its value, so a living owner loses time by that and nothing else; `admin.verify()` reports the row.
 *
 * @param entry A stored `owner` row.
 * @returns It.
 */
export function readOwner(entry: Entry): OwnerRow {
  const row = parseRow(entry) as Partial<OwnerRow>;
  const isSound = (row.engineId === null || typeof row.engineId === "string") && Number.isInteger(row.epoch);
  return isSound ? row as OwnerRow : { engineId: null, epoch: 0, since: 0 };
}

/**
 * A row that is damaged reads as that of an engine long dead: a living one soon writes it anew, and any other is
 * removed.
 *
 * @param entry A stored `presence` row.
 * @returns It.
 */
export function readPresence(entry: Entry): PresenceRow {
  const row = parseRow(entry) as Partial<PresenceRow>;
  const isSound = Number.isFinite(row.expiresAt) && Number.isFinite(row.termMs) && Number.isFinite(row.since);
  return isSound ? row as PresenceRow : { expiresAt: 0, termMs: 0, since: 0 };
}

/**
 * @param entry A stored `owner` or `presence` row.
 * @returns What is wrong with it, if anything is.
 */
export function ownershipDamage(entry: Entry): string | undefined {
  const row = parseRow(entry) as Partial<OwnerRow & PresenceRow>;
  return Number.isFinite(row.since) && (Number.isInteger(row.epoch) || Number.isFinite(row.expiresAt))
    ? undefined
    : "the row cannot be read; who owns or lives is decided without it, and it is written anew";
}

function parseRow(entry: Entry): object {
  try {
    return Object(JSON.parse(entry.value));
  } catch {
    return {};
  }
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
