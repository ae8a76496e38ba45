/**
 * What of a namespace's locks has been read. Whoever needs a row that has not been read says so, and is asked again when
 * it is there: so all that decides about locks is plain functions of rows.
 *
 * @module
 */
import { PawlError } from "../errors.ts";
import { parseStored } from "../json.ts";
import { keyAfter, readStamp, splitKey, unescapeText } from "../store/key.ts";
import { keyspace } from "../store/keyspace.ts";
import type { Entry, ReadOp } from "../store/store.ts";

/** What a request wants of one lock. */
export interface LockWant {
  readonly name: string;
  /** Permits; 0: all. */
  readonly weight: number;
}

/** A request in the queue of a lock. */
export interface LockWaiter {
  /** Its place: lower ones go first, in all queues of the namespace alike. */
  readonly place: number;
  readonly holder: string;
  readonly request: string;
  /** All that it wants, by name; it is granted at once or not yet. */
  readonly wants: readonly LockWant[];
  readonly since: number;
  readonly run?: string;
  readonly holdMs?: number;
  /** When it is given up by whoever asked; absent: never, or a run's, which says so itself. */
  readonly deadline?: number;
}

/** Where a request waits. */
export interface LockAsk {
  readonly holder: string;
  readonly request: string;
  readonly place: number;
  readonly names: readonly string[];
}

/** Rows are needed that have not been read. */
export class RowsNeeded extends Error {
  /** What to read. */
  readonly ops: readonly ReadOp[];

  /** @param ops What to read. */
  constructor(ops: readonly ReadOp[]) {
    super("rows are needed");
    this.ops = ops;
  }
}

/** Rows of a range, from its start. */
export interface RangeRead {
  readonly entries: readonly Entry[];
  /** There are no more. */
  readonly isWhole: boolean;
}

/** Rows as they were read. */
export class LockRows {
  readonly #entries = new Map<string, Entry | undefined>();
  /** By the end of each, as its rows may be read page by page. */
  readonly #ranges = new Map<string, RangeRead>();
  readonly #pageMax: number;

  /** @param pageMax Rows of one read of a range. */
  constructor(pageMax: number) {
    this.#pageMax = pageMax;
  }

  /** The row of a key. @throws {RowsNeeded} When it has not been read. */
  get(key: string): Entry | undefined {
    if (!this.#entries.has(key)) throw new RowsNeeded([{ get: key }]);
    return this.#entries.get(key);
  }

  /** The rows of a range, at least so many if there are. @throws {RowsNeeded} When they have not been read. */
  range({ start, end }: { readonly start: string; readonly end: string }, limit: number): RangeRead {
    const { entries, isWhole } = this.#ranges.get(end) ?? { entries: [], isWhole: false };
    const missing = limit - entries.length;
    if (isWhole || missing <= 0) return { entries, isWhole };
    const last = entries.at(-1);
    const from = last ? keyAfter(last.key) : start;
    throw new RowsNeeded([{ start: from, end, limit: Math.min(missing, this.#pageMax) }]);
  }

  /** Keeps what was read. */
  add(ops: readonly ReadOp[], results: readonly (readonly Entry[])[]): void {
    ops.forEach((op, index) => {
      const entries = results[index]!;
      if ("get" in op) return void this.#entries.set(op.get, entries[0]);
      const before = this.#ranges.get(op.end)?.entries ?? [];
      this.#ranges.set(op.end, { entries: [...before, ...entries], isWhole: entries.length < op.limit });
    });
  }

  /** Everything that has to be as it was read, where it was read by its key. */
  versionOf(key: string): number | null {
    return this.#entries.get(key)?.version ?? null;
  }
}

/** @returns The stored text of a waiter; its place is in its key. */
export function encodeWaiter({ place: _, ...rest }: LockWaiter): string {
  return JSON.stringify(rest);
}

/** @throws {PawlError} `STORE_CORRUPT` naming the key. */
export function decodeWaiter(entry: Entry): LockWaiter {
  const what = `waiting request "${entry.key}"`;
  const row = Object(parseStored(entry.value, what)) as LockWaiter;
  const isSound = typeof row.holder === "string" && typeof row.request === "string" &&
    Array.isArray(row.wants) && row.wants.length > 0;
  if (isSound) return { ...row, place: readStamp(splitKey(entry.key)[3]!) };
  throw new PawlError("STORE_CORRUPT", `Cannot read ${what}: it lacks a holder, request or wants`);
}

/** @throws {PawlError} `STORE_CORRUPT` naming the key. */
export function decodeAsk(entry: Entry): LockAsk {
  const what = `place of a request "${entry.key}"`;
  const row = Object(parseStored(entry.value, what)) as LockAsk;
  if (Number.isInteger(row.place) && Array.isArray(row.names)) {
    const [, , holder, request] = splitKey(entry.key).map(unescapeText);
    return { holder: holder!, request: request!, place: row.place, names: row.names };
  }
  throw new PawlError("STORE_CORRUPT", `Cannot read ${what}: it lacks a place or names`);
}

/** @throws {PawlError} `STORE_CORRUPT` naming the key. */
export function decodePlaces(entry: Entry | undefined): number {
  if (!entry) return 0;
  const { last } = Object(parseStored(entry.value, `places "${entry.key}"`)) as { last?: unknown };
  if (Number.isInteger(last)) return last as number;
  throw new PawlError("STORE_CORRUPT", `Cannot read places "${entry.key}": it lacks the last one`);
}

/** The rows that a request, a release or a renewal surely needs, so that one read does for most. */
export function likelyRows(
  namespace: string,
  names: readonly string[],
  ask: { readonly holder: string; readonly request: string } | undefined,
): readonly ReadOp[] {
  const ops: ReadOp[] = [{ get: keyspace.places.key(namespace) }];
  if (ask) ops.push({ get: keyspace.ask.key(namespace, ask.holder, ask.request) });
  for (const name of names) {
    ops.push({ get: keyspace.lock.key(namespace, name) });
    ops.push({ ...keyspace.wait.range(namespace, name), limit: firstWaiters });
  }
  return ops;
}

/** Waiters read at first: no store reads less at once. */
export const firstWaiters = 4;
