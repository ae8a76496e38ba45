/**
 * Backup and restore of a store in a local file.
 *
 * @module
 */
import { PawlError } from "../../core/errors.ts";
import { systemRandom } from "../../core/ports/random.ts";
import { keyspace } from "../../core/store/keyspace.ts";
import { type Database, loadDriver } from "./driver.ts";
import { storeError } from "./errors.ts";
import { inMemory, pathOf } from "./file_url.ts";
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

/** What {@linkcode backupStore} takes. */
export interface BackupOptions {
  /** The store: `file:pawl.db`. */
  readonly url: string;
  /** Path of the backup; nothing may be there. */
  readonly to: string;
}

/** What {@linkcode restoreStore} takes. */
export interface RestoreOptions {
  /** Path of a backup, or of a plain copy of a store. */
  readonly from: string;
  /** The store to make, `file:pawl.db`; nothing may be there. */
  readonly url: string;
}

/**
 * Copies a local store while engines work on it: all shards as of one moment, in one file. It blocks the event loop of
 * its process for as long as the copy takes, so a large store is better backed up by a process of its own. A backup is
 * not for working on: {@linkcode restoreStore} makes a store of it.
 *
 * @param options The store, and where its copy goes.
 * @returns The size of the backup, in bytes.
 * @throws {PawlError} `INVALID_ARGUMENT` when something is at `to`, or the store is no local file (use `admin.export()`);
 * `STORE_INCOMPATIBLE` when it is no Pawl store, or of a newer format; `STORE_FULL`, `STORE_BUSY`, `STORE_CORRUPT` or
 * `STORE_FAILED`. Then nothing is at `to`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createEngine, machine } from "pawl";
 * import { backupStore, libsqlStore, restoreStore } from "pawl/adapters/libsql";
 * const folder = await Deno.makeTempDir();
 * const url = `file:${folder}/pawl.db`;
 * const job = machine("job").step("new", ["done"], () => "done").build();
 * const store = libsqlStore({ url });
 * const engine = createEngine({ store, definitions: [job] });
 * await engine.trigger(job, "k");
 * await backupStore({ url, to: `${folder}/monday.db` });
 *
 * const again = `file:${folder}/again.db`;
 * await restoreStore({ from: `${folder}/monday.db`, url: again });
 * const restored = libsqlStore({ url: again });
 * const heir = createEngine({ store: restored, definitions: [job] });
 * assert.equal((await heir.get(job, "k"))?.runState, "initiated");
 * for (const each of [store, restored]) await each.close();
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export async function backupStore({ url, to }: BackupOptions): Promise<{ readonly bytes: number }> {
  const doing = `back up store "${url}" to "${to}"`;
  checkPath(to, doing);
  return { bytes: await copyStore(localPath(url, doing), to, doing) };
}

/**
 * Makes a store of a backup. What came after the backup is forgotten: runs go on from where they were then, and steps
 * since then run again, with the same `stepId` as long as a run takes the same way. The new store has another identity, no
 * owners and no engines; and it skips so many versions that nothing which an engine of the lost time still holds, its
 * fence, its view of a record, fits again. Stop those engines all the same: on the old store they would work on.
 *
 * @param options The backup, and the store to make.
 * @returns The store's shard count, to open it with.
 * @throws {PawlError} `INVALID_ARGUMENT` when something is at `url`; `LIMIT_EXCEEDED` after some 1,000 restores of
 * restores; else as {@linkcode backupStore}. Then nothing is at `url`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { restoreStore } from "pawl/adapters/libsql";
 * const restoring = restoreStore({ from: "no-such-backup.db", url: "file:pawl.db" });
 * await assert.rejects(restoring, { code: "STORE_FAILED" });
 * ```
 */
export async function restoreStore({ from, url }: RestoreOptions): Promise<{ readonly shards: number }> {
  const doing = `restore "${from}" to store "${url}"`;
  checkPath(from, doing);
  let shards = 0;
  await copyStore(from, localPath(url, doing), doing, (db) => shards = beginAnew(db, doing));
  return { shards };
}

async function copyStore(
  from: string,
  to: string,
  doing: string,
  change?: (db: Database) => void,
): Promise<number> {
  const driver = await loadDriver();
  // The driver would make an empty database of a file that is not there.
  if (!await isThere(from)) {
    throw new PawlError("STORE_FAILED", `Cannot ${doing}: there is no file "${from}"`);
  }
  const using = (path: string, use: (db: Database) => void) => {
    const db = new driver(path, { timeout: busyTimeoutMs });
    try {
      use(db);
    } finally {
      db.close();
    }
  };
  try {
    return await makeWhole(to, doing, (part) => {
      using(from, (db) => {
        metaOf(db, doing);
        db.prepare("vacuum into ?").run([part]);
      });
      if (change) using(part, change);
    });
  } catch (error) {
    throw storeError(error, doing);
  }
}

/** Refuses what is no Pawl store, or one that this code does not know. */
function metaOf(db: Database, doing: string): number {
  const known = "select 1 from sqlite_schema where type = 'table' and name = 'pawl_meta'";
  if (rowsOf(db, known, []).length === 0) {
    throw new PawlError("STORE_INCOMPATIBLE", `Cannot ${doing}: the database holds no Pawl store`);
  }
  const rows = rowsOf(db, "select name, value from pawl_meta", []) as [string, string][];
  const shards = Number(new Map(rows).get("shards"));
  return readMeta(rows, shards, `the store, to ${doing}`).shards;
}

/** Nothing of the time after the backup fits this store any more. */
function beginAnew(db: Database, doing: string): number {
  const shards = metaOf(db, doing);
  db.exec("begin immediate");
  const [[version]] = rowsOf(db, "select max(version) from pawl_shard", []) as [[number]];
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

function rowsOf(db: Database, sql: string, args: readonly unknown[]): unknown[] {
  const statement = db.prepare(sql);
  if (statement.reader) statement.raw(true);
  return statement.all(args);
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
