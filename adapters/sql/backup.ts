/**
 * Backup and restore of a store in a local file.
 *
 * @module
 */
import { PawlError } from "../../core/errors.ts";
import { systemRandom } from "../../core/ports/random.ts";
import { keyspace } from "../../core/store/keyspace.ts";
import type { Database, Driver, Row } from "./driver.ts";
import { storeError } from "./errors.ts";
import { inMemory, pathOf } from "./file_url.ts";
import { claimFile } from "./one_library.ts";
import { readMeta } from "./schema.ts";
import { isThere, makeWhole } from "./whole_file.ts";

/** Milliseconds that a statement waits for another process's lock. */
const busyTimeoutMs = 5_000;

/**
 * Versions that a restore skips: more than any shard can give out between a backup and its restore (2^38 is 10,000
 * commits a second for 318 days).
 */
export const restoreSkip = 2 ** 38;

/** Versions stay below 2^48. The last 2^40 are left to live on, so a store and its heirs bear about 1,000 restores. */
const versionMax = 2 ** 48 - 2 ** 40;

/** What `backupStore()` takes. */
export interface BackupOptions {
  /** The store: `file:pawl.db`. */
  readonly url: string;
  /** Path of the backup; nothing may be there. */
  readonly to: string;
}

/** What `restoreStore()` takes. */
export interface RestoreOptions {
  /** Path of a backup, or of a plain copy of a store. */
  readonly from: string;
  /** The store to make, `file:pawl.db`; nothing may be there. */
  readonly url: string;
}

/**
 * Copies a local store while engines work on it.
 *
 * @param options The store, and where its copy goes.
 * @param driver The library.
 * @returns The size of the backup, in bytes.
 * @throws {PawlError} Then nothing is at `to`.
 */
export async function copyOut(
  { url, to }: BackupOptions,
  driver: Driver,
): Promise<{ readonly bytes: number }> {
  const doing = `back up store "${url}" to "${to}"`;
  checkPath(to, doing);
  return { bytes: await copyStore({ from: localPath(url, doing), to, doing, driver }) };
}

/**
 * Makes a store of a backup.
 *
 * @param options The backup, and the store to make.
 * @param driver The library.
 * @returns The store's shard count.
 * @throws {PawlError} Then nothing is at `url`.
 */
export async function copyIn(
  { from, url }: RestoreOptions,
  driver: Driver,
): Promise<{ readonly shards: number }> {
  const doing = `restore "${from}" to store "${url}"`;
  checkPath(from, doing);
  let shards = 0;
  const to = localPath(url, doing);
  await copyStore({ from, to, doing, driver, change: (db) => shards = beginAnew(db, doing) });
  return { shards };
}

/** A copy to make, and what to change in it. */
interface Copy {
  readonly from: string;
  readonly to: string;
  readonly doing: string;
  readonly driver: Driver;
  readonly change?: (db: Database) => void;
}

async function copyStore({ from, to, doing, driver, change }: Copy): Promise<number> {
  // The driver would make an empty database of a file that is not there.
  if (!await isThere(from)) {
    throw new PawlError("STORE_FAILED", `Cannot ${doing}: there is no file "${from}"`);
  }
  const using = (path: string, use: (db: Database) => void) => {
    const db = driver.open(path, busyTimeoutMs);
    try {
      use(db);
    } finally {
      db.close();
    }
  };
  const claims: (() => void)[] = [];
  try {
    claims.push(claimFile(from, driver, doing));
    if (change) claims.push(claimFile(to, driver, doing));
    return await makeWhole(to, doing, (part) => {
      using(from, (db) => {
        metaOf(db, doing);
        db.prepare("vacuum into ?").run([part]);
      });
      if (change) using(part, change);
    });
  } catch (error) {
    throw storeError(error, doing);
  } finally {
    for (const letGo of claims) letGo();
  }
}

/** Refuses what is no Pawl store, or one that this code does not know. */
function metaOf(db: Database, doing: string): number {
  const known = "select 1 from sqlite_schema where type = 'table' and name = 'pawl_meta'";
  if (rowsOf(db, known, []).length === 0) {
    throw new PawlError("STORE_INCOMPATIBLE", `Cannot ${doing}: the database holds no Pawl store`);
  }
  const rows = rowsOf(db, "select name, value from pawl_meta", []) as unknown as [string, string][];
  const shards = Number(new Map(rows).get("shards"));
  return readMeta(rows, shards, `the store, to ${doing}`).shards;
}

/** Nothing of the time after the backup fits this store any more. */
function beginAnew(db: Database, doing: string): number {
  const shards = metaOf(db, doing);
  db.exec("begin immediate");
  const [[version]] = rowsOf(db, "select max(version) from pawl_shard", []) as unknown as [[number]];
  if (version + restoreSkip > versionMax) {
    throw new PawlError(
      "LIMIT_EXCEEDED",
      `Cannot ${doing}: its versions are at ${version}, and a restore skips ${restoreSkip} of 2^48; ` +
        `take it to a new store by admin.export() and admin.import()`,
    );
  }
  rowsOf(db, "update pawl_shard set version = version + ?", [restoreSkip]);
  rowsOf(db, "update pawl_meta set value = ? where name = 'id'", [systemRandom().hex(24)]);
  for (const space of [keyspace.owner, keyspace.presence, keyspace.outcome]) {
    const { start, end } = space.range();
    const where = "shard in (select shard from pawl_shard) and key >= ? and key < ?";
    rowsOf(db, `delete from pawl_kv where ${where}`, [start, end]);
  }
  db.exec("commit");
  return shards;
}

function rowsOf(db: Database, sql: string, args: readonly unknown[]): Row[] {
  return db.prepare(sql).all(args);
}

function localPath(url: string, doing: string): string {
  const path = typeof url === "string" && url.startsWith("file:") ? pathOf(url) : inMemory;
  if (path !== inMemory) return path;
  throw new PawlError(
    "INVALID_ARGUMENT",
    `Cannot ${doing}: want a store in a local file, "file:<path>"; of any other use admin.export()`,
  );
}

function checkPath(path: unknown, doing: string): void {
  if (typeof path === "string" && path !== "" && !path.startsWith("file:")) return;
  throw new PawlError("INVALID_ARGUMENT", `Cannot ${doing}: want the path of a file, no URL`);
}
