/**
 * What is particular to stores on `node:sqlite`: the runtime's module as it is and was, files that libsql has made, and one
 * SQLite per process and file.
 *
 * @module
 */
import assert from "node:assert/strict";
import { symlink } from "node:fs/promises";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { libsqlStore } from "pawl/adapters/libsql";
import { type SqliteOptions, sqliteStore } from "pawl/adapters/sqlite";
import { storeError } from "../../adapters/sql/errors.ts";
import { openLocal } from "../../adapters/sql/open_local.ts";
import { type Host, sqliteDriver } from "../../adapters/sqlite/driver.ts";
import type { Store } from "../../core/store/store.ts";
import { storeConformance } from "../../core/testing/store_conformance.ts";
import { put, StoreProbe } from "../../core/testing/store_probe.ts";
import { ownConnection, ownSqlite } from "../own_sqlite.ts";

/** A test that is left out where the runtime has no SQLite. */
function test(name: string, fn: () => Promise<void> | void): void {
  Deno.test({ name, ignore: !ownSqlite, fn });
}

/** One with a folder of its own. */
function inFolder(name: string, run: (path: string, folder: string) => Promise<void>): void {
  test(`sqliteStore() ${name}`, async () => {
    const folder = await Deno.makeTempDir({ prefix: "pawl-" });
    try {
      await run(`${folder}/pawl.db`, folder);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

async function withStore<T>(store: Store, use: (probe: StoreProbe) => Promise<T>): Promise<T> {
  try {
    return await use(new StoreProbe(store));
  } finally {
    await store.close();
  }
}

const use = (probe: StoreProbe) => probe.put("a", 1);

/** Names of what lies beside a file. */
const filesIn = async (folder: string) =>
  (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();

inFolder("opens by path and by URL, and lets go of the file when it is closed", async (path, folder) => {
  await withStore(sqliteStore({ path }), use);
  assert.deepEqual(await filesIn(folder), ["pawl.db"], "neither log nor index is left");
  await withStore(sqliteStore({ url: `file:${path}`, durability: "normal" }), async (probe) => {
    assert.equal(await probe.value("a"), 1);
    assert.deepEqual(await filesIn(folder), ["pawl.db", "pawl.db-shm", "pawl.db-wal"]);
  });
});

test("sqliteStore() refuses options that it cannot use", () => {
  const refused = (options: object) =>
    assert.throws(() => sqliteStore(options as { path: string }), { code: "INVALID_ARGUMENT" });
  for (const path of ["", "file:pawl.db", undefined, 7]) refused({ path });
  for (const url of ["pawl.db", "file:", "libsql://host", "http://host"]) refused({ url });
  for (const shards of [0, 1.5, 65_537]) refused({ path: ":memory:", shards });
  for (const busyTimeoutMs of [-1, 60_001]) refused({ path: ":memory:", busyTimeoutMs });
  refused({ path: ":memory:", durability: "off" });
  refused({ path: ":memory:", sqlIndexes: 1 });
});

Deno.test("sqliteStore() says what is missing where there is no node:sqlite", () => {
  const hosts = [{}, { getBuiltinModule: () => undefined }, { getBuiltinModule: () => ({}) }];
  for (const host of hosts) {
    assert.throws(() => sqliteDriver(host), { code: "UNSUPPORTED", message: /no node:sqlite.*22\.13/ });
  }
});

test("sqliteStore() keeps memory stores apart, and prepares nothing for them", async () => {
  await withStore(
    sqliteStore({ path: ":memory:" }),
    (first) =>
      withStore(sqliteStore({ url: ":memory:" }), async (second) => {
        await first.put("a", 1);
        assert.deepEqual(await second.keys(), []);
        const nothing = { checks: [], puts: [], deletes: [] };
        assert.throws(() => second.store.prepare!(0, nothing), { code: "UNSUPPORTED" });
      }),
  );
});

inFolder("says that a locked file is busy, and works when it no longer is", async (path) => {
  await withStore(sqliteStore({ path, busyTimeoutMs: 1 }), async (probe) => {
    await probe.put("a", 1);
    const other = ownConnection(path);
    other.exec("begin immediate");
    for (let attempt = 0; attempt < 3; attempt++) {
      await assert.rejects(probe.put("a", 2), { name: "StoreBusyError", code: "STORE_BUSY" });
      assert.equal(await probe.value("a"), 1);
    }
    other.exec("commit");
    other.close();
    await probe.put("a", 3);
    assert.equal(await probe.value("a"), 3);
  });
});

inFolder("waits for a locked file when it opens it", async (path) => {
  const other = ownConnection(path);
  other.exec("pragma journal_mode = wal; begin immediate");
  await withStore(sqliteStore({ path, busyTimeoutMs: 1 }), async (probe) => {
    const opening = probe.put("a", 1);
    setTimeout(() => {
      other.exec("commit");
      other.close();
    }, 0);
    await opening;
    assert.equal(await probe.value("a"), 1);
  });
});

inFolder("refuses what is no database, no folder, and another shard count", async (path, folder) => {
  await Deno.writeTextFile(path, "this is a text and not a database ".repeat(100));
  await withStore(sqliteStore({ path }), async (probe) => {
    await assert.rejects(use(probe), { code: "STORE_CORRUPT", message: /no SQLite database/ });
    await Deno.remove(path);
    await use(probe);
  });
  await withStore(sqliteStore({ path: `${folder}/none/pawl.db` }), async (probe) => {
    await assert.rejects(use(probe), { code: "STORE_FAILED", message: /does its folder exist/ });
  });
  await withStore(sqliteStore({ path, shards: 4 }), async (probe) => {
    await assert.rejects(use(probe), { code: "STORE_INCOMPATIBLE", message: /open it with shards: 1/ });
  });
});

Deno.test("storeError() reads the codes of node:sqlite, and SQLite's words where Deno has no code", () => {
  const coded = {
    5: "STORE_BUSY",
    517: "STORE_BUSY",
    13: "STORE_FULL",
    267: "STORE_CORRUPT",
    1: "STORE_FAILED",
  };
  for (const [errcode, wanted] of Object.entries(coded)) {
    const cause = Object.assign(new Error("seen"), { code: "ERR_SQLITE_ERROR", errcode: Number(errcode) });
    assert.equal(storeError(cause, "commit").code, wanted, errcode);
  }
  const worded = {
    "database is locked": "STORE_BUSY",
    "file is not a database": "STORE_CORRUPT",
    "database or disk is full": "STORE_FULL",
    "attempt to write a readonly database": "STORE_READ_ONLY",
    "no such table: database is locked": "STORE_FAILED",
  };
  for (const [message, wanted] of Object.entries(worded)) {
    const cause = Object.assign(new Error(message), { code: "ERR_SQLITE_ERROR" });
    assert.equal(storeError(cause, "commit").code, wanted, message);
  }
});

test("sqliteDriver() waits for locks as long as it is told", () => {
  const db = sqliteDriver().open(":memory:", 7);
  assert.deepEqual(db.prepare("pragma busy_timeout").all([]), [[7]]);
  db.close();
});

let lastOpened: DatabaseSync | undefined;

/** The module as Node 22.13 has it: no rows as arrays, and nothing that tells whether a transaction is open. */
const oldest: Host = {
  getBuiltinModule: () => ({
    DatabaseSync: class {
      readonly #db: DatabaseSync;
      constructor(path: string) {
        this.#db = lastOpened = ownConnection(path);
      }
      prepare(sql: string) {
        const statement: StatementSync = this.#db.prepare(sql);
        return {
          all: (...args: never[]) => statement.all(...args),
          run: (...args: never[]) => statement.run(...args),
        };
      }
      close() {
        this.#db.close();
      }
    },
  }),
};

const inOldest = (options: SqliteOptions = {}) =>
  openLocal({ url: ":memory:", path: ":memory:" }, options, () => sqliteDriver(oldest));

for (const { name, run } of storeConformance(() => inOldest({ shards: 2 }))) {
  test(`node:sqlite of Node 22.13: ${name}`, run);
}

inFolder("takes a failed commit back also where nobody tells of transactions", async (path) => {
  const store = openLocal({ url: path, path }, { busyTimeoutMs: 0 }, () => sqliteDriver(oldest));
  await withStore(store, async (probe) => {
    await use(probe);
    const other = ownConnection(path);
    other.exec(
      "create trigger no before insert on pawl_kv when new.key = 'b' begin select raise(fail, 'no'); end",
    );
    await assert.rejects(probe.commit([put("c", 1), put("b", 1)]), { code: "STORE_FAILED", message: /no$/ });
    assert.deepEqual(await probe.keys(), ["a"]);
    other.exec("begin immediate");
    await assert.rejects(use(probe), { code: "STORE_BUSY" });
    other.exec("rollback; drop trigger no");
    other.close();
    await probe.put("c", 1);
    assert.deepEqual(await probe.keys(), ["a", "c"]);
    // SQLite has taken that one back by itself, and says that there is nothing to take back.
    lastOpened!.exec("pragma max_page_count = 1");
    await assert.rejects(probe.put("d", "x".repeat(200_000)), { code: "STORE_FULL" });
    lastOpened!.exec("pragma max_page_count = 100000");
    await probe.put("d", 1);
  });
});

inFolder("writes what libsqlStore() reads, once it is closed", async (path) => {
  const version = await withStore(sqliteStore({ path, shards: 2, sqlIndexes: true }), use);
  await withStore(libsqlStore({ url: `file:${path}`, shards: 2 }), async (probe) => {
    assert.deepEqual(await probe.get("a"), { key: "a", value: "1", version });
    assert.ok(await probe.put("b", 2) > version);
  });
});

inFolder(
  "is refused a file that libsql has open in this process, and the other way round",
  async (path, folder) => {
    const names = [path, `${folder}/link.db`, `${folder}/./pawl.db`];
    await symlink(path, names[1]!);
    await withStore(sqliteStore({ path }), async (probe) => {
      await use(probe);
      for (const name of names) {
        await withStore(libsqlStore({ url: `file:${name}` }), async (other) => {
          const message =
            /node:sqlite has opened the file in this process, and libsql beside it would lose commits/;
          await assert.rejects(other.get("a"), { code: "UNSUPPORTED", message });
        });
      }
      await withStore(
        sqliteStore({ path: names[1]! }),
        async (other) => assert.equal(await other.value("a"), 1),
      );
      await probe.put("a", 2);
    });
    // libsql keeps the file open for as long as a statement of it is not collected, also when it is closed.
    await withStore(
      libsqlStore({ url: `file:${path}` }),
      async (probe) => assert.equal(await probe.value("a"), 2),
    );
    await withStore(sqliteStore({ path }), async (probe) => {
      await assert.rejects(probe.get("a"), { code: "UNSUPPORTED", message: /libsql has opened the file/ });
    });
  },
);
