/**
 * The handle on the browser's database: opened in bounded time, given up when the browser closes it, opened again once.
 *
 * @module
 */
import { type IDBPDatabase, openDB } from "idb";
import { PawlError, StoreBusyError } from "../../core/errors.ts";
import { type Clock, sleep } from "../../core/ports/clock.ts";
import { isHandleDead, storeError } from "./errors.ts";
import type { Health } from "./health.ts";
import {
  counterKey,
  databaseVersion,
  metaKey,
  readMeta,
  type Row,
  rowsName,
  type StoreMeta,
  versionSkip,
} from "./schema.ts";

/** The database as `idb` gives it. */
export type Handle = IDBPDatabase<{ readonly rows: { readonly key: string; readonly value: Row } }>;

/** What a database must know. */
export interface DatabaseOptions {
  readonly name: string;
  /** `undefined`: as it was created, or 1. */
  readonly shards: number;
  /** Longest wait for the browser to open it. */
  readonly openTimeoutMs: number;
  readonly clock: Clock;
  readonly health: Health;
  /** Identity of the store if it is new. */
  newId(): string;
  /** The store that was last known under this name in this browser, and how to remember another. */
  readonly known: { get(): string | undefined; set(id: string): void };
}

/** One database of the browser. */
export class Database {
  readonly #options: DatabaseOptions;
  #opened: Promise<Handle> | undefined;
  #meta: StoreMeta | undefined;
  #closed = false;

  /**
   * @param options Which. Nothing is opened yet.
   */
  constructor(options: DatabaseOptions) {
    this.#options = options;
  }

  get where(): string {
    return `store "${this.#options.name}"`;
  }

  /**
   * Does something with the handle. When it turns out to be dead before anything was done, it is opened anew, once.
   *
   * @param work Throws before it has done anything when the handle is dead.
   */
  async use<Result>(work: (handle: Handle) => Promise<Result>): Promise<Result> {
    try {
      return await this.#useOnce(work);
    } catch (error) {
      if (!(error instanceof DeadHandle)) throw error;
    }
    try {
      return await this.#useOnce(work);
    } catch (error) {
      // Why it is dead, the caller can name.
      throw error instanceof DeadHandle ? error.cause : error;
    }
  }

  async #useOnce<Result>(work: (handle: Handle) => Promise<Result>): Promise<Result> {
    const handle = await this.open();
    try {
      return await work(handle);
    } catch (error) {
      if (error instanceof DeadHandle) this.drop(handle);
      throw error;
    }
  }

  /** The open handle. */
  open(): Promise<Handle> {
    return this.#opened ??= this.#open().catch((error) => {
      this.#opened = undefined;
      throw error;
    });
  }

  /** Gives up a handle: the next call opens another one. */
  drop(handle: Handle): void {
    handle.close();
    this.#options.health.set({ state: "reopening", problem: "the browser has closed the database" });
    this.#opened = undefined;
  }

  /** Closes it for good. */
  async close(): Promise<void> {
    this.#closed = true;
    const handle = await this.#opened?.catch(() => undefined);
    handle?.close();
  }

  async #open(): Promise<Handle> {
    const { health } = this.#options;
    try {
      const handle = await this.#openInTime();
      try {
        await this.#setUp(handle);
      } catch (error) {
        handle.close();
        throw error;
      }
      return handle;
    } catch (error) {
      const named = storeError(error, `open ${this.where}`);
      health.set({ state: named instanceof StoreBusyError ? "blocked" : "failing", problem: named.message });
      throw named;
    }
  }

  async #openInTime(): Promise<Handle> {
    const { name, openTimeoutMs, clock } = this.#options;
    let isBlocked = false;
    let isOver = false;
    const opening = openDB<{ rows: { key: string; value: Row } }>(name, databaseVersion, {
      upgrade: (db) => void db.createObjectStore(rowsName, { keyPath: "k" }),
      blocked: () => isBlocked = true,
      // Somebody deletes the database, or a Pawl to come changes it: who does not make way would hang them.
      blocking: (_current, _wanted, event) => this.drop((event.target as unknown) as Handle),
      terminated: () => this.#terminated(),
    }) as Promise<Handle>;
    const timer = new AbortController();
    const tooLate = sleep(clock, openTimeoutMs, timer.signal).then(() => {
      isOver = true;
      const why = isBlocked
        ? "another tab holds an older form of it open; close that tab, or reload it"
        : `the browser has not opened it within ${openTimeoutMs} ms`;
      throw new StoreBusyError(`Cannot open ${this.where}: ${why}`);
    });
    // A handle that comes after all is not left open, where it would block others.
    opening.then((handle) => {
      if (isOver || this.#closed) handle.close();
    }, () => {});
    tooLate.catch(() => {});
    try {
      return await Promise.race([opening, tooLate]);
    } finally {
      timer.abort();
    }
  }

  #terminated(): void {
    this.#opened = undefined;
    this.#options.health.set({ state: "reopening", problem: "the browser has closed the database" });
  }

  /** Creates the store if it is new, and passes over versions that may have been given out before a power cut. */
  async #setUp(handle: Handle): Promise<void> {
    const { shards, newId, clock, health } = this.#options;
    const tx = handle.transaction(rowsName, "readwrite", { durability: "strict" });
    const counters = Array.from({ length: shards }, (_, shard) => counterKey(shard));
    const [found, ...counts] = await Promise.all([metaKey, ...counters].map((key) => tx.store.get(key)));
    const known = this.#meta?.id ?? this.#options.known.get();
    const fresh: StoreMeta = { format: 1, shards, id: newId(), createdAt: clock.now() };
    const meta = found ? readMeta(found.v, shards, this.where) : fresh;
    if (!found) tx.store.put({ k: metaKey, v: JSON.stringify(meta), n: 0 });
    counters.forEach((key, index) => {
      tx.store.put({ k: key, v: "", n: (counts[index]?.n ?? 0) + (found ? versionSkip : 0) });
    });
    tx.commit();
    await tx.done;
    this.#meta = meta;
    this.#options.known.set(meta.id);
    const isLost = known !== undefined && known !== meta.id;
    health.set({
      state: isLost ? "lost" : "ok",
      storeId: meta.id,
      createdAt: new Date(meta.createdAt),
      ...(isLost && {
        lostStoreId: known,
        problem: `the browser has deleted store ${known} with all that was in it; this is a new one`,
      }),
    });
  }
}

/** The handle was found dead before anything was done. */
export class DeadHandle extends Error {
  constructor(cause: unknown) {
    super("the handle is dead", { cause });
  }
}

/**
 * Begins a transaction.
 *
 * @throws {DeadHandle} When the handle is of no use any more.
 * @throws {PawlError} What else ails the database.
 */
export function begin<Mode extends "readonly" | "readwrite">(
  handle: Handle,
  mode: Mode,
  durability: "strict" | "relaxed",
  doing: string,
) {
  try {
    return handle.transaction(rowsName, mode, { durability });
  } catch (error) {
    if (isHandleDead(error)) throw new DeadHandle(error);
    throw error instanceof PawlError ? error : storeError(error, doing);
  }
}
