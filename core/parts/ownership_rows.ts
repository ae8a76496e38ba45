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
  /** It only ticks: it takes what is free and due for a moment, and has no share in what is owned for long. */
  readonly ticks?: true;
}

/** What a damaged row says: an engine that nobody has heard of, so the next one takes over. */
const unreadableOwner: OwnerRow = { engineId: "unreadable", epoch: 0, since: 0 };

/** What a damaged row says: dead. */
const unreadablePresence: PresenceRow = { expiresAt: 0, termMs: 1, since: 0, codeVersion: 0, carries: [] };

/**
 * @param entry A stored `owner` row.
 * @returns It. A damaged row must not keep all engines from looking at the others, so this never throws.
 */
export function readOwner(entry: Entry): OwnerRow {
  return tolerantly<OwnerRow>(entry, "epoch") ?? unreadableOwner;
}

/**
 * @param entry A stored `presence` row.
 * @returns It; as tolerant as {@linkcode readOwner}.
 */
export function readPresence(entry: Entry): PresenceRow {
  const row = tolerantly<PresenceRow>(entry, "termMs") ?? unreadablePresence;
  // An earlier version of Pawl said less.
  return { ...row, codeVersion: row.codeVersion ?? 0, carries: row.carries ?? [] };
}

function tolerantly<Row>(entry: Entry, number: keyof Row): Row | undefined {
  try {
    const row = Object(parseStored(entry.value, entry.key)) as Row;
    return typeof row[number] === "number" ? row : undefined;
  } catch {
    return undefined;
  }
}

/** Gives a definition of a shard to an engine, if the row is still as it was read. */
export function writeOwner(
  batch: BatchBuilder,
  definition: string,
  before: Entry | undefined,
  engineId: string,
  now: number,
): void {
  const key = keyspace.owner.key(definition);
  const epoch = (before ? readOwner(before).epoch : 0) + 1;
  const row: OwnerRow = { engineId, epoch, since: now };
  batch.check(key, before?.version ?? null).put(key, JSON.stringify(row));
}

/** Passes on what is surely ours, as the guard says: to that engine, or to nobody. */
export function passOwner(batch: BatchBuilder, guard: Check, row: OwnerRow): void {
  batch.check(guard.key, guard.version).put(guard.key, JSON.stringify(row));
}
