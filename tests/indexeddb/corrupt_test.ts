/**
 * Databases that no Pawl left behind, or of which the browser has lost a part: reported, and never used.
 *
 * @module
 */
import assert from "node:assert/strict";
import { indexedDbStore } from "pawl/adapters/indexeddb";
import { change, newName, open, put, testTabs, valueOf } from "./databases.ts";

/** A closed store with a row, which somebody then changes. */
async function damaged(work: (rows: IDBObjectStore) => void): Promise<string> {
  const { store, name } = open();
  await store.commit([put("a")]);
  await store.close();
  await change(name, work);
  return name;
}

/** A database that another program made. */
function foreign(name: string, make: (db: IDBDatabase) => void): Promise<void> {
  return new Promise((resolve) => {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => make(request.result);
    request.onsuccess = () => {
      request.result.close();
      resolve();
    };
  });
}

async function assertCorrupt(name: string, message: RegExp): Promise<void> {
  const store = indexedDbStore({ name });
  const health: string[] = [];
  store.onHealth(({ state }) => health.push(state));
  // A second try finds the same, and has not made a store of it in between.
  for (let attempt = 0; attempt < 2; attempt++) {
    await assert.rejects(store.commit([put("b")]), { code: "STORE_CORRUPT", message });
  }
  assert.equal(store.health().state, "failing");
  assert.ok(!health.includes("ok"), health.join());
  await store.close();
}

testTabs("a description that no Pawl wrote is STORE_CORRUPT", async () => {
  for (const v of ["mice", "{}", `{"format":1,"id":"x"}`, `{"format":1,"id":"x","shards":1}`]) {
    await assertCorrupt(await damaged((rows) => rows.put({ k: "!meta", v, n: 0 })), /its description is/);
  }
});

testTabs("rows without a description are STORE_CORRUPT, and no new store over the old rows", async () => {
  await assertCorrupt(await damaged((rows) => rows.delete("!meta")), /has rows, and no description/);
});

testTabs("a shard without its counter is STORE_CORRUPT, as versions would be given out again", async () => {
  await assertCorrupt(
    await damaged((rows) => rows.delete("!version 0000 ")),
    /version counter of shard 0 is gone/,
  );
  for (const n of [NaN, -1, "7", undefined]) {
    await assertCorrupt(await damaged((rows) => rows.put({ k: "!version 0000 ", v: "", n })), /its row is/);
  }
});

testTabs("a database of another program is STORE_CORRUPT, and left alone", async () => {
  for (
    const make of [
      () => {},
      (db: IDBDatabase) => void db.createObjectStore("keyval"),
      (db: IDBDatabase) => void db.createObjectStore("rows"),
      (db: IDBDatabase) => void db.createObjectStore("rows", { keyPath: "id" }),
    ]
  ) {
    const name = newName();
    await foreign(name, make);
    await assertCorrupt(name, /is it another program's/);
  }
});

testTabs("a row that is none is STORE_CORRUPT where it is read or checked, and harms no other", async () => {
  for (const row of [{ v: 7, n: 1 }, { v: "7" }, { v: "7", n: 1.5 }, { n: 1 }]) {
    const name = await damaged((rows) => rows.put({ k: "0000 b", ...row }));
    const store = indexedDbStore({ name });
    const corrupt = { code: "STORE_CORRUPT", message: /key "0000 b"/ };
    await assert.rejects(valueOf(store, "b"), corrupt);
    const range = { start: "a", end: "c", limit: 9 };
    await assert.rejects(store.read([{ shard: 0, ops: [range] }]), corrupt);
    await assert.rejects(store.read([{ shard: 0, ops: [{ ...range, reverse: true }] }]), corrupt);
    const checked = put("c");
    const batches = [{ ...checked.batches[0]!, checks: [{ key: "b", version: null }] }];
    await assert.rejects(store.commit([{ ...checked, batches }]), corrupt);
    await store.commit([put("d")]);
    assert.deepEqual([await valueOf(store, "a"), await valueOf(store, "c")], [`"v"`, undefined]);
    await store.close();
  }
});

testTabs("a store that somebody clears while it is open is told as lost", async () => {
  const { store, name } = open();
  await store.commit([put("a")]);
  const { storeId } = store.health();
  await change(name, (rows) => rows.clear());
  await store.commit([put("b")]);
  assert.deepEqual([await valueOf(store, "a"), await valueOf(store, "b")], [undefined, `"v"`]);
  const { state, lostStoreId, isNew } = store.health();
  assert.deepEqual([state, lostStoreId, isNew], ["lost", storeId, true]);
  await store.close();
});
