/**
 * Stores in SQLite files, through the module `node:sqlite` that Node and Deno bring along.
 *
 * @module
 */
import type { Store, StoreLimits } from "../../core/store/store.ts";
import type { Durability } from "../sql/connection.ts";
import { pathOf, refused } from "../sql/file_url.ts";
import { openLocal } from "../sql/open_local.ts";
import { sqliteDriver } from "./driver.ts";

export { type BackupOptions, backupStore, type RestoreOptions, restoreStore } from "./backup.ts";
export type { Durability };

/** Options of every SQLite store. */
export interface SqliteOptions {
  /** Number of shards, fixed when the store is created; default 1. */
  readonly shards?: number;
  /** When relaxed commits are synced; default `full`: at once. */
  readonly durability?: Durability;
  /** Milliseconds that one statement waits for another process's lock; default 25, as the event loop waits too. */
  readonly busyTimeoutMs?: number;
  /**
   * Keeps a table with indexes, from which the views answer questions in SQL fast: see `docs/sql.md`. `true` builds it
   * when the store is opened, `false` drops it; left out, the store stays as it is. It costs each step about a fifth.
   */
  readonly sqlIndexes?: boolean;
  /** Smaller limits, for tests. */
  readonly limits?: Partial<StoreLimits>;
}

/** A database named by its path. */
export interface SqlitePathOptions extends SqliteOptions {
  /** As the file system names it, `data/pawl.db`, or `:memory:`. */
  readonly path: string;
}

/** A database named by its URL. */
export interface SqliteUrlOptions extends SqliteOptions {
  /** `file:pawl.db`, `file:///absolute/pawl.db`, or `:memory:`: what `libsqlStore()` takes for a file. */
  readonly url: string;
}

/**
 * A store in a SQLite file, without any package. It is opened by its first read or commit. The file is what
 * `libsqlStore()` makes, and either opens what the other has written; but not both in one process, see `docs/stores.md`.
 *
 * @param options Which file, and how.
 * @returns A store. Its calls reject with `STORE_INCOMPATIBLE` when the file was created with another shard count or by
 * a newer Pawl, with `STORE_BUSY` when another process holds its lock, with `UNSUPPORTED` when another SQLite library
 * has the file in this process, and with `STORE_READ_ONLY`, `STORE_FULL`, `STORE_CORRUPT` or `STORE_FAILED`.
 * @throws {PawlError} `INVALID_ARGUMENT` for a path, URL or option it cannot use; `UNSUPPORTED` where the runtime has no
 * `node:sqlite`.
 *
 * @example
 * ```ts
 * import { sqliteStore } from "pawl/adapters/sqlite";
 * const store = sqliteStore({ path: ":memory:" });
 * await store.close();
 * ```
 */
export function sqliteStore(options: SqlitePathOptions | SqliteUrlOptions): Store {
  const place = placeOf(options);
  const driver = sqliteDriver();
  return openLocal(place, options, () => driver);
}

function placeOf(
  options: SqlitePathOptions | SqliteUrlOptions,
): { readonly url: string; readonly path: string } {
  if ("url" in options) return { url: options.url, path: pathOf(options.url) };
  const { path } = options;
  // SQLite would make a database of its own of each of these, and a file with an odd name of a URL.
  if (typeof path !== "string" || path === "" || path.startsWith("file:")) {
    throw refused(`path ${JSON.stringify(path)}`, 'the path of a file, or url: "file:<path>"');
  }
  return { url: path, path };
}
