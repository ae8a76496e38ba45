/**
 * The handle on the browser's database: opened in bounded time, given up when the browser closes it, opened again once.
 *
 * @module
 */
import { type IDBPDatabase, openDB } from "idb";
import { PawlError, StoreBusyError, StoreClosedError } from "../../core/errors.ts";
import { type Clock, sleep } from "../../core/ports/clock.ts";
import { isHandleDead, storeError } from "./errors.ts";
import type { Health } from "./health.ts";
import { inTime } from "./in_time.ts";
import type { KnownStore } from "./known_store.ts";
import { databaseVersion, type Row, rowsName, type StoreMeta } from "./schema.ts";
import { setUp } from "./set_up.ts";

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
  /** The store that was last known under this name in this browser. */
  readonly known: KnownStore;
  /** Called before anything is written; throws when the store is not to be used. */
  check(): Promise<void>;
}

/** One database of the browser. */
export class Database {
  readonly #options: DatabaseOptions;
  #opened: Promise<Handle> | undefined;
  /** What `#opened` has come to. */
  #handle: Handle | undefined;
  #meta: StoreMeta | undefined;
  #active = 0;
  #isAway = false;
  #isClosed = false;

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
   * @param work Throws {@linkcode DeadHandle} before it has done anything when the handle is dead.
   */
  async use<Result>(work: (handle: Handle) => Promise<Result>): Promise<Result> {
    this.#active++;
    try {
      return await this.#useTwice(work);
    } finally {
      this.#active--;
      this.#rest();
    }
  }

  /** The page is left: nothing stays open once what is under way has ended. What comes later opens it for itself. */
  leave(): void {
    this.#isAway = true;
    this.#rest();
  }

  /** The page is shown again; the next call opens it. */
  comeBack(): void {
    this.#isAway = false;
  }

  /** Closes it for good. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const handle = await this.#opened?.catch(() => undefined);
    handle?.close();
  }

  async #useTwice<Result>(work: (handle: Handle) => Promise<Result>): Promise<Result> {
    for (let attempt = 1;; attempt++) {
      const handle = await this.#open();
      try {
        return await work(handle);
      } catch (error) {
        const isDead = error instanceof DeadHandle;
        // What a browser stands still over, or breaks off, it may never do again by this handle.
        if (isDead || isWorn(error)) this.#drop(handle);
        if (!isDead) throw error;
        if (attempt === 2) throw storeError(error.cause, `use ${this.where}`);
      }
    }
  }

  #rest(): void {
    if (!this.#isAway || this.#active > 0 || !this.#handle) return;
    this.#handle.close();
    this.#forget(this.#handle);
  }

  #open(): Promise<Handle> {
    if (this.#isClosed) return Promise.reject(new StoreClosedError("use"));
    return this.#opened ??= this.#openNew().then((handle) => this.#handle = handle, (error) => {
      this.#opened = undefined;
      throw error;
    });
  }

  /** Gives up a handle, unless there is another one by now: the next call opens it. */
  #drop(handle: Handle): void {
    handle.close();
    if (!this.#forget(handle)) return;
    this.#options.health.set({ state: "reopening", problem: "the browser has closed the database" });
  }

  #forget(handle: Handle): boolean {
    if (this.#handle !== handle) return false;
    this.#handle = undefined;
    this.#opened = undefined;
    return true;
  }

  async #openNew(): Promise<Handle> {
    const { health } = this.#options;
    try {
      await this.#options.check();
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
    let own: Handle | undefined;
    const opening = openDB<{ rows: { key: string; value: Row } }>(name, databaseVersion, {
      upgrade: (db) => void db.createObjectStore(rowsName, { keyPath: "k" }),
      blocked: () => isBlocked = true,
      // Somebody deletes the database, or a Pawl to come changes it: who does not make way would hang them.
      blocking: () => own && this.#drop(own),
      terminated: () => own && this.#drop(own),
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
      own = handle;
      if (isOver || this.#isClosed) handle.close();
    }, () => {});
    tooLate.catch(() => {});
    try {
      return await Promise.race([opening, tooLate]);
    } finally {
      timer.abort();
    }
  }

  async #setUp(handle: Handle): Promise<void> {
    const { shards, newId, clock, health, known, openTimeoutMs } = this.#options;
    const fresh: StoreMeta = { format: 1, shards, id: newId(), createdAt: clock.now() };
    const found = setUp(handle, fresh, this.where);
    const { meta, isNew } = await inTime(found, openTimeoutMs, `open ${this.where}`, () => handle.close());
    const knownId = this.#meta?.id ?? known.get();
    this.#meta = meta;
    known.set(meta.id);
    const isLost = knownId !== undefined && knownId !== meta.id;
    health.set({
      state: isLost ? "lost" : "ok",
      storeId: meta.id,
      createdAt: new Date(meta.createdAt),
      isNew,
      ...(isLost && {
        lostStoreId: knownId,
        problem: `the browser has deleted store ${knownId} with all that was in it; this is a new one`,
      }),
    });
  }
}

/** Whether an error is a reason to distrust the handle. */
function isWorn(error: unknown): boolean {
  if (error instanceof PawlError) return error.code === "STORE_UNREACHABLE" || isWorn(error.cause);
  return isHandleDead(error);
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
