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
  /** When it changed hands last; by a clock that was ahead, until what was written by it has been set back. */
  readonly since: number;
  /** It was passed to that engine, which has not taken it yet. */
  readonly passed?: true;
}

/** An engine's sign of life. */
export interface PresenceRow {
  /** By the engine's own wall clock. */
  readonly expiresAt: number;
  /** How long it promises to renew within. */
  readonly termMs: number;
  /** When the engine began. */
  readonly since: number;
  /** How new its code is; larger is newer. */
  readonly codeVersion: number;
  /** What it carries: each definition's name, and the fingerprint of its graph. */
  readonly carries: readonly (readonly [definition: string, graph: string])[];
  /** It works only on what no other engine with the same code is fit for. */
  readonly standby?: true;
  /** Others can see whether its process is there by the platform's signs, and need not wait until its term ends. */
  readonly signs?: true;
  /** It only ticks: it takes what is free and due for a moment, and has no share in what is owned for long. */
  readonly ticks?: true;
}

/** What a damaged row says: an engine that nobody has heard of, so the next one takes over. */
const damagedOwner: OwnerRow = { engineId: "damaged", epoch: 0, since: 0 };

/** What a damaged row says: long dead. */
const damagedPresence: PresenceRow = { expiresAt: 0, termMs: 0, since: 0, codeVersion: 0, carries: [] };

/**
 * A damaged row must not keep engines from looking at the others. It reads as that of a dead engine, and a take-over
 * writes it anew: the fence is the row's version and not its value, so a living owner loses time by that and nothing
 * else. `admin.verify()` reports the row.
 *
 * @param entry A stored `owner` row.
 * @returns It.
 */
export function readOwner(entry: Entry): OwnerRow {
  const row = parseRow(entry) as Partial<OwnerRow>;
  const isSound = (row.engineId === null || typeof row.engineId === "string") && Number.isInteger(row.epoch);
  return isSound ? row as OwnerRow : damagedOwner;
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
  if (!isSound) return damagedPresence;
  // An earlier version of Pawl said less.
  return { ...row as PresenceRow, codeVersion: row.codeVersion ?? 0, carries: row.carries ?? [] };
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

/** Gives a definition of a shard to an engine, if the row is still as it was read. */
export function writeOwner(
  batch: BatchBuilder,
  definition: string,
  before: Entry | undefined,
  engineId: string,
  since: number,
): void {
  const key = keyspace.owner.key(definition);
  const epoch = (before ? readOwner(before).epoch : 0) + 1;
  const row: OwnerRow = { engineId, epoch, since };
  batch.check(key, before?.version ?? null).put(key, JSON.stringify(row));
}

/** Passes on what is surely ours, as the guard says: to that engine, or to nobody. */
export function passOwner(batch: BatchBuilder, guard: Check, row: OwnerRow): void {
  batch.check(guard.key, guard.version).put(guard.key, JSON.stringify(row));
}
