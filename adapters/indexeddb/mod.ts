/**
 * A store in the browser's IndexedDB, for tabs, workers and service workers.
 *
 * @module
 */
import { OutcomeUnknownError, PawlError, StoreClosedError } from "../../core/errors.ts";
import { systemClock } from "../../core/ports/clock.ts";
import { systemRandom } from "../../core/ports/random.ts";
import { checkCommit, checkRead } from "../../core/store/settle.ts";
import type {
  CallResult,
  CommitCall,
  OnHint,
  ReadRequest,
  ReadResult,
  Store,
  StoreLimits,
} from "../../core/store/store.ts";
import { commitIn } from "./commit.ts";
import { Database } from "./database.ts";
import { isQuota, storeError } from "./errors.ts";
import { Health, type HealthState, type StoreHealth } from "./health.ts";
import { knownStore } from "./known_store.ts";
import { readIn } from "./read.ts";
import { TabHints } from "./tab_hints.ts";

export type { HealthState, StoreHealth };

/**
 * When commits are safe from a power cut: `normal`: all but those of relaxed batches only, which are progress of steps that
 * would run again; `full`: all of them. A tab that crashes or is closed loses neither.
 */
export type Durability = "normal" | "full";

/** Options of {@linkcode indexedDbStore}. */
export interface IndexedDbOptions {
  /** Name of the database; default `pawl`. All tabs of one origin share it. */
  readonly name?: string;
  /** Number of shards, fixed when the store is created; default 1. */
  readonly shards?: number;
  /** Default `normal`. */
  readonly durability?: Durability;
  /** Milliseconds that the browser may take to open the database, or to answer; default 10,000. */
  readonly requestTimeoutMs?: number;
  /** Smaller limits, for tests. */
  readonly limits?: Partial<StoreLimits>;
}

/** A store in IndexedDB, which can tell how it is. */
export interface IndexedDbStore extends Store {
  /** How it is now. Nothing is read for it. */
  health(): StoreHealth;
  /**
   * Listens to changes of {@linkcode health}.
   *
   * @returns Ends it.
   */
  onHealth(listener: (health: StoreHealth) => void): () => void;
}

const defaultLimits: StoreLimits = {
  keyBytesMax: 8_192,
  valueBytesMax: 2 * 1024 * 1024,
  writesPerCommitMax: 5_000,
  bytesPerCommitMax: 16 * 1024 * 1024,
  opsPerReadMax: 10_000,
  entriesPerRangeMax: 10_000,
};

const shardsMax = 65_536;

/**
 * A store in IndexedDB. It is opened by its first read or commit.
 *
 * @param options Which database, and how safe.
 * @returns A store. Its calls reject with `STORE_BUSY` when another tab blocks the database or the browser has closed it,
 * `STORE_FULL` at the site's quota, `STORE_INCOMPATIBLE`, `STORE_CORRUPT`, or `STORE_FAILED`.
 * @throws {PawlError} `INVALID_ARGUMENT` for an option it cannot use; `UNSUPPORTED` where there is no IndexedDB.
 *
 * @example
 * ```ts
 * import "fake-indexeddb/auto"; // not in a browser, which has its own
 * import { indexedDbStore } from "pawl/adapters/indexeddb";
 * const store = indexedDbStore({ name: "forms" });
 * store.onHealth(({ state, problem }) => console.log(state, problem));
 * await store.close();
 * ```
 */
export function indexedDbStore(options: IndexedDbOptions = {}): IndexedDbStore {
  const { name = "pawl", shards = 1, durability = "normal", requestTimeoutMs = 10_000 } = options;
  if (typeof name !== "string" || name === "") throw refused(`name ${JSON.stringify(name)}`, "text");
  if (!Number.isInteger(shards) || shards < 1 || shards > shardsMax) {
    throw refused(`shards ${shards}`, `1 to ${shardsMax}`);
  }
  if (durability !== "normal" && durability !== "full") {
    throw refused(`durability "${durability}"`, '"normal" or "full"');
  }
  if (!(requestTimeoutMs >= 1)) throw refused(`requestTimeoutMs ${requestTimeoutMs}`, "1 or more");
  if (typeof indexedDB === "undefined") {
    throw new PawlError("UNSUPPORTED", "Cannot open store: there is no IndexedDB here; it is for browsers");
  }
  return new TabStore({
    name,
    shards,
    durability,
    requestTimeoutMs,
    limits: { ...defaultLimits, ...options.limits },
  });
}

function refused(got: string, want: string): PawlError {
  return new PawlError("INVALID_ARGUMENT", `Cannot open store: got ${got}, want ${want}`);
}

class TabStore implements IndexedDbStore {
  readonly limits: StoreLimits;
  readonly shards: number;
  readonly #options: Required<IndexedDbOptions>;
  readonly #health = new Health();
  readonly #database: Database;
  readonly #hints: TabHints;
  #closed = false;

  constructor(options: Required<IndexedDbOptions> & { readonly limits: StoreLimits }) {
    const { name, shards, requestTimeoutMs } = options;
    this.#options = options;
    this.limits = options.limits;
    this.shards = shards;
    this.#hints = new TabHints(name);
    this.#database = new Database({
      name,
      shards,
      openTimeoutMs: requestTimeoutMs,
      clock: systemClock(),
      health: this.#health,
      newId: () => systemRandom().hex(24),
      known: knownStore(name),
    });
  }

  async read(requests: readonly ReadRequest[]): Promise<readonly ReadResult[]> {
    if (this.#closed) throw new StoreClosedError("read");
    checkRead(requests, this.limits, this.shards);
    const doing = `read from ${this.#database.where}`;
    try {
      return await this.#database.use((handle) =>
        readIn(handle, requests, doing, this.#options.requestTimeoutMs)
      );
    } catch (error) {
      throw this.#failed(error, doing);
    }
  }

  async commit(calls: readonly CommitCall[]): Promise<readonly CallResult[]> {
    if (this.#closed) throw new StoreClosedError("commit");
    checkCommit(calls, this.limits, this.shards);
    const { durability, requestTimeoutMs } = this.#options;
    const doing = `commit to ${this.#database.where}`;
    try {
      const results = await this.#database.use((handle) =>
        commitIn(handle, calls, { relaxes: durability === "normal", doing, timeoutMs: requestTimeoutMs })
      );
      this.#health.set({ state: "ok" });
      this.#hints.announce(calls, results);
      return results;
    } catch (error) {
      throw this.#failed(error, doing);
    }
  }

  watch(onHint: OnHint): () => void {
    return this.#hints.watch(onHint);
  }

  health(): StoreHealth {
    return this.#health.now;
  }

  onHealth(listener: (health: StoreHealth) => void): () => void {
    return this.#health.listen(listener);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#hints.close();
    await this.#database.close();
    this.#health.set({ state: "closed" });
  }

  #failed(error: unknown, doing: string): PawlError {
    const named = storeError(error, doing);
    if (named instanceof OutcomeUnknownError) return named;
    this.#health.set({ state: isQuota(named.cause) ? "full" : "failing", problem: named.message });
    return named;
  }
}
