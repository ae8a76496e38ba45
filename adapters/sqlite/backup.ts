/**
 * Backup and restore of a store in a local file.
 *
 * @module
 */
import { type BackupOptions, copyIn, copyOut, type RestoreOptions } from "../sql/backup.ts";
import { sqliteDriver } from "./driver.ts";

export type { BackupOptions, RestoreOptions };

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
 * import { backupStore, sqliteStore, restoreStore } from "pawl/adapters/sqlite";
 * const folder = await Deno.makeTempDir();
 * const url = `file:${folder}/pawl.db`;
 * const job = machine("job").step("new", ["done"], () => "done").build();
 * const store = sqliteStore({ url });
 * const engine = createEngine({ store, definitions: [job] });
 * await engine.trigger(job, "k");
 * await backupStore({ url, to: `${folder}/monday.db` });
 *
 * const again = `file:${folder}/again.db`;
 * await restoreStore({ from: `${folder}/monday.db`, url: again });
 * const restored = sqliteStore({ url: again });
 * const heir = createEngine({ store: restored, definitions: [job] });
 * assert.equal((await heir.get(job, "k"))?.runState, "initiated");
 * for (const each of [store, restored]) await each.close();
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export async function backupStore(options: BackupOptions): Promise<{ readonly bytes: number }> {
  return await copyOut(options, sqliteDriver());
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
 * import { restoreStore } from "pawl/adapters/sqlite";
 * const restoring = restoreStore({ from: "no-such-backup.db", url: "file:pawl.db" });
 * await assert.rejects(restoring, { code: "STORE_FAILED" });
 * ```
 */
export async function restoreStore(options: RestoreOptions): Promise<{ readonly shards: number }> {
  return await copyIn(options, sqliteDriver());
}
