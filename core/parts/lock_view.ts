/**
 * The locks of a namespace while something is decided about them: rows as read, with what has been changed on top, and at
 * the end the batch that writes it.
 *
 * @module
 */
import { BatchBuilder } from "../store/batch.ts";
import { keyspace } from "../store/keyspace.ts";
import { decodeLock, type LockHolder, type LockKind, type LockRecord, lockTable } from "./lock_record.ts";
import {
  decodeAsk,
  decodePlaces,
  decodeWaiter,
  encodeWaiter,
  firstWaiters,
  type LockAsk,
  type LockRows,
  type LockWaiter,
} from "./lock_rows.ts";

/** A grant that was made. */
export interface LockGrant {
  readonly holder: string;
  readonly request: string;
  readonly run?: string;
  /** The token for each lock of the request. */
  readonly tokens: Readonly<Record<string, number>>;
}

/** The queue of one lock. */
interface Queue {
  readonly read: readonly LockWaiter[];
  readonly isWhole: boolean;
  readonly readCount: number;
}

/** What is decided on. */
export class LockView {
  /** The namespace. */
  readonly namespace: string;
  /** The time. */
  readonly now: number;
  /** Grants made so far. */
  readonly grants: LockGrant[] = [];
  readonly #rows: LockRows;
  readonly #locks = new Map<string, LockRecord>();
  readonly #looked = new Set<string>();
  readonly #added = new Map<number, LockWaiter>();
  readonly #removed = new Map<number, LockAsk>();
  #place: number | undefined;

  /**
   * @param namespace The namespace.
   * @param rows What has been read.
   * @param now The time.
   */
  constructor(namespace: string, rows: LockRows, now: number) {
    this.namespace = namespace;
    this.#rows = rows;
    this.now = now;
  }

  /** A lock, if it was ever used. */
  lock(name: string): LockRecord | undefined {
    const changed = this.#locks.get(name);
    if (changed) return changed;
    this.#looked.add(name);
    return this.#stored(name);
  }

  /** A lock that is not there yet. */
  create(name: string, kind: LockKind, capacity: number): LockRecord {
    const { namespace } = this;
    return { namespace, name, kind, capacity, tokens: 0, holders: [], waiters: 0 };
  }

  /** Changes a lock. */
  set(lock: LockRecord): void {
    this.#looked.add(lock.name);
    this.#locks.set(lock.name, lock);
  }

  /** Where a request waits, if it does. */
  ask(holder: string, request: string): LockAsk | undefined {
    for (const { place, wants, ...waiter } of this.#added.values()) {
      if (waiter.holder === holder && waiter.request === request) {
        return { holder, request, place, names: wants.map(({ name }) => name) };
      }
    }
    const entry = this.#rows.get(keyspace.ask.key(this.namespace, holder, request));
    const ask = entry && decodeAsk(entry);
    return ask && !this.#removed.has(ask.place) ? ask : undefined;
  }

  /** All requests of a holder that wait; at most so many. */
  asksOf(holder: string, limit: number): readonly LockAsk[] {
    const { entries } = this.#rows.range(keyspace.ask.range(this.namespace, holder), limit);
    const asks = entries.map(decodeAsk).filter(({ place }) => !this.#removed.has(place));
    for (const { place, request, wants, ...waiter } of this.#added.values()) {
      if (waiter.holder !== holder) continue;
      asks.push({ holder, request, place, names: wants.map(({ name }) => name) });
    }
    return asks;
  }

  /** The first waiters of a lock, in order; at most so many. */
  waiters(name: string, limit = 1): readonly LockWaiter[] {
    const lock = this.lock(name);
    if (!lock || lock.waiters === 0) return [];
    const added = [...this.#added.values()].filter(({ wants }) => wants.some((want) => want.name === name));
    // Those that were added have the last places: as many as wait besides them are in the store.
    const stored = Math.min(limit, lock.waiters - added.length);
    for (let count = firstWaiters; stored > 0;) {
      const queue = this.#queue(name, count);
      const left = queue.read.filter(({ place }) => !this.#removed.has(place));
      if (left.length >= stored || queue.isWhole) return [...left, ...added].slice(0, limit);
      count = Math.max(count, queue.readCount) * 4;
    }
    return added.slice(0, limit);
  }

  #queue(name: string, count: number): Queue {
    const { entries, isWhole } = this.#rows.range(keyspace.wait.range(this.namespace, name), count);
    return { read: entries.map(decodeWaiter), isWhole, readCount: entries.length };
  }

  /** Puts a request at the end of the queues of all its locks. */
  enqueue(waiter: Omit<LockWaiter, "place">): LockWaiter {
    const place = this.#lastPlace() + 1;
    this.#place = place;
    const added = { ...waiter, place };
    this.#added.set(place, added);
    this.#count(waiter.wants.map(({ name }) => name), 1);
    return added;
  }

  /** Takes a request out of the queues. */
  dequeue(ask: LockAsk): void {
    if (!this.#added.delete(ask.place)) this.#removed.set(ask.place, ask);
    this.#count(ask.names, -1);
  }

  #count(names: readonly string[], by: number): void {
    for (const name of names) {
      const lock = this.lock(name)!;
      this.set({ ...lock, waiters: lock.waiters + by });
    }
  }

  #lastPlace(): number {
    return this.#place ??= decodePlaces(this.#rows.get(keyspace.places.key(this.namespace)));
  }

  /** Adds a holder. */
  hold(name: string, holder: Omit<LockHolder, "token">): number {
    const lock = this.lock(name)!;
    const token = lock.tokens + 1;
    this.set({ ...lock, tokens: token, holders: [...lock.holders, { ...holder, token }] });
    return token;
  }

  #stored(name: string): LockRecord | undefined {
    const entry = this.#rows.get(keyspace.lock.key(this.namespace, name));
    return entry && decodeLock(this.namespace, name, entry);
  }

  /** What writes the changes; `undefined`: there are none. All that was looked at must be as it was read. */
  batch(): BatchBuilder | undefined {
    const { namespace } = this;
    if (this.#locks.size === 0) return undefined;
    const batch = new BatchBuilder();
    for (const name of this.#looked) {
      const key = keyspace.lock.key(namespace, name);
      batch.check(key, this.#rows.versionOf(key));
    }
    for (const [name, lock] of this.#locks) lockTable.write(batch, this.#stored(name), lock);
    for (const waiter of this.#added.values()) this.#putWaiter(batch, waiter);
    for (const { holder, request, place, names } of this.#removed.values()) {
      batch.delete(keyspace.ask.key(namespace, holder, request));
      for (const name of names) batch.delete(keyspace.wait.key(namespace, name, place));
    }
    if (this.#place !== undefined) {
      const key = keyspace.places.key(namespace);
      batch.check(key, this.#rows.versionOf(key)).put(key, JSON.stringify({ last: this.#place }));
    }
    return batch;
  }

  #putWaiter(batch: BatchBuilder, waiter: LockWaiter): void {
    const { namespace } = this;
    const { holder, request, place, wants } = waiter;
    const names = wants.map(({ name }) => name);
    batch.put(keyspace.ask.key(namespace, holder, request), JSON.stringify({ place, names }));
    for (const name of names) batch.put(keyspace.wait.key(namespace, name, place), encodeWaiter(waiter));
  }
}
