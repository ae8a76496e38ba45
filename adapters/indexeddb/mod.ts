/**
 * A store in the browser's IndexedDB, for tabs, workers and service workers.
 *
 * @module
 */
import { PawlError } from "../../core/errors.ts";
import type { Store, StoreLimits } from "../../core/store/store.ts";
import type { HealthState, StoreHealth } from "./health.ts";
import type { Medium } from "./medium.ts";
import { persist, type Persistence } from "./persist.ts";
import { TabStore, type TabStoreOptions } from "./tab_store.ts";

export { persist };
export type { HealthState, Medium, Persistence, StoreHealth };

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
  /**
   * Bytes that are kept for when the site's quota is used up, at most a tenth of it: new runs are refused with `STORE_FULL`
   * then, and those that are there live on what was kept. Default 2 MiB; 0: none.
   */
  readonly reserveBytes?: number;
  /** Whether a store that surely goes with its private window is used; default `allow`. See {@linkcode StoreHealth.medium}. */
  readonly privateWindows?: "allow" | "refuse";
  /** Smaller limits, for tests. */
  readonly limits?: Partial<StoreLimits>;
}

/** A store in IndexedDB, which can tell how it is. */
export interface IndexedDbStore extends Store {
  /** How it is now. Nothing is read for it. */
  health(): StoreHealth;
  /**
   * Listens to changes of `health`.
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

const defaults = {
  name: "pawl",
  shards: 1,
  durability: "normal",
  requestTimeoutMs: 10_000,
  reserveBytes: 2 * 1024 * 1024,
  privateWindows: "allow",
} as const;

const shardsMax = 65_536;
const reserveBytesMax = 64 * 1024 * 1024;

/**
 * A store in IndexedDB. It is opened by its first read or commit.
 *
 * @param options Which database, and how safe.
 * @returns A store. Its calls reject with `STORE_BUSY` when another tab blocks the database or the browser has closed it,
 * `STORE_UNREACHABLE` when the browser does not answer, `STORE_FULL` at the site's quota, `STORE_INCOMPATIBLE`,
 * `STORE_CORRUPT`, `STORE_FAILED`, or `UNSUPPORTED` in a private window that it refuses.
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
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const settings: TabStoreOptions = {
    ...defaults,
    ...Object.fromEntries(given),
    limits: { ...defaultLimits, ...options.limits },
  };
  check(settings);
  if (typeof indexedDB === "undefined") {
    throw new PawlError("UNSUPPORTED", "Cannot open store: there is no IndexedDB here; it is for browsers");
  }
  return new TabStore(settings);
}

function check(
  { name, shards, durability, requestTimeoutMs, reserveBytes, privateWindows }: TabStoreOptions,
): void {
  if (typeof name !== "string" || name === "") throw refused(`name ${JSON.stringify(name)}`, "text");
  if (!Number.isInteger(shards) || shards < 1 || shards > shardsMax) {
    throw refused(`shards ${shards}`, `1 to ${shardsMax}`);
  }
  if (durability !== "normal" && durability !== "full") {
    throw refused(`durability "${durability}"`, '"normal" or "full"');
  }
  if (!(requestTimeoutMs >= 1)) throw refused(`requestTimeoutMs ${requestTimeoutMs}`, "1 or more");
  if (!(reserveBytes >= 0 && reserveBytes <= reserveBytesMax)) {
    throw refused(`reserveBytes ${reserveBytes}`, `0 to ${reserveBytesMax}`);
  }
  if (privateWindows !== "allow" && privateWindows !== "refuse") {
    throw refused(`privateWindows "${privateWindows}"`, '"allow" or "refuse"');
  }
}

function refused(got: string, want: string): PawlError {
  return new PawlError("INVALID_ARGUMENT", `Cannot open store: got ${got}, want ${want}`);
}
