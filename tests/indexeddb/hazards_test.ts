/**
 * What a browser does to a database that no server does: blocks it, closes it, deletes it, and runs out of room. On an
 * IndexedDB in memory, which keeps to the standard's order of events.
 *
 * @module
 */
import "fake-indexeddb/auto";
import assert from "node:assert/strict";
import { forceCloseDatabase } from "fake-indexeddb";
import { type IndexedDbStore, indexedDbStore } from "pawl/adapters/indexeddb";
import type { CallResult, CommitCall } from "../../mod.ts";

/** Deno keeps `localStorage`, and with it what stores of earlier runs were, from run to run. */
const life = crypto.randomUUID();

let stores = 0;
let calls = 0;

function open(options: { requestTimeoutMs?: number } = {}): { store: IndexedDbStore; name: string } {
  const name = `${life} ${stores++}`;
  return { store: indexedDbStore({ name, ...options }), name };
}

/** A call of a committer of its own, so that none follows another. */
function put(key: string, value = `"v"`): CommitCall {
  return {
    shard: 0,
    committer: { id: `c${calls++}`, callId: "1" },
    batches: [{ checks: [], puts: [{ key, value }], deletes: [] }],
  };
}

async function valueOf(store: IndexedDbStore, key: string): Promise<string | undefined> {
  return (await store.read([{ shard: 0, ops: [{ get: key }] }]))[0]![0]![0]?.value;
}

/** A connection of somebody else. */
function rawOpen(name: string, version?: number): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, version);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function deleted(name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(name);
    request.onsuccess = () => resolve();
    request.onerror = () => reject(request.error);
  });
}

/** The handles that were opened while the work went on. */
async function handlesOf<Result>(work: () => Promise<Result>): Promise<IDBDatabase[]> {
  const handles = new Set<IDBDatabase>();
  const { transaction } = IDBDatabase.prototype;
  IDBDatabase.prototype.transaction = function (...args) {
    handles.add(this);
    return transaction.apply(this, args);
  };
  try {
    await work();
  } finally {
    IDBDatabase.prototype.transaction = transaction;
  }
  return [...handles];
}

Deno.test("a database that another tab blocks is STORE_BUSY within the timeout, and opens when it is free", async () => {
  const { store, name } = open({ requestTimeoutMs: 50 });
  const other = await rawOpen(name);
  // It is to be deleted, which waits for the other connection, and whoever opens it waits for that.
  const gone = deleted(name);
  await assert.rejects(store.commit([put("a")]), { code: "STORE_BUSY", message: /within 50 ms/ });
  assert.equal(store.health().state, "failing");
  other.close();
  await gone;
  await store.commit([put("a")]);
  assert.equal(await valueOf(store, "a"), `"v"`);
  assert.equal(store.health().state, "ok");
  await store.close();
});

Deno.test("a database of a later version is STORE_INCOMPATIBLE, and is left alone", async () => {
  const { store, name } = open();
  (await rawOpen(name, 7)).close();
  await assert.rejects(store.read([{ shard: 0, ops: [{ get: "a" }] }]), { code: "STORE_INCOMPATIBLE" });
  await store.close();
  assert.equal((await rawOpen(name)).version, 7);
});

Deno.test("a store of another shard count is STORE_INCOMPATIBLE", async () => {
  const { store, name } = open();
  await store.commit([put("a")]);
  await store.close();
  const other = indexedDbStore({ name, shards: 2 });
  await assert.rejects(other.read([]), { code: "STORE_INCOMPATIBLE", message: /has 1 shards, want 2/ });
  await other.close();
});

Deno.test("a handle that the browser has closed is opened again, once, without the caller's knowledge", async () => {
  const { store } = open();
  const states: string[] = [];
  store.onHealth(({ state }) => states.push(state));
  const [handle] = await handlesOf(() => store.commit([put("a")]));
  forceCloseDatabase(handle as never);
  await store.commit([put("b")]);
  assert.deepEqual([await valueOf(store, "a"), await valueOf(store, "b")], [`"v"`, `"v"`]);
  assert.deepEqual(states, ["ok", "reopening", "ok"]);
  await store.close();
});

Deno.test("a handle that dies again as soon as it is opened is STORE_BUSY, and the next call opens another", async () => {
  const { store } = open();
  await store.commit([put("a")]);
  const { transaction } = IDBDatabase.prototype;
  let asked = 0;
  IDBDatabase.prototype.transaction = function (...args) {
    // The second is that which sets up the handle.
    if (++asked !== 2) throw new DOMException("the connection is closing", "InvalidStateError");
    return transaction.apply(this, args);
  };
  try {
    await assert.rejects(store.commit([put("b")]), { code: "STORE_BUSY" });
    assert.equal(asked, 3);
  } finally {
    IDBDatabase.prototype.transaction = transaction;
  }
  await store.commit([put("c")]);
  assert.deepEqual([await valueOf(store, "b"), await valueOf(store, "c")], [undefined, `"v"`]);
  await store.close();
});

Deno.test("a handle that dies under a commit leaves it done whole or not at all, and nobody is told it was done", async () => {
  const { store } = open();
  const [handle] = await handlesOf(() => store.commit([put("a")]));
  const outcomes: (readonly CallResult[] | string)[] = [];
  const committing = store.commit([put("b"), put("c")]).then(
    (results) => outcomes.push(results),
    (error) => outcomes.push(error.code),
  );
  forceCloseDatabase(handle as never);
  await committing;
  const [b, c] = [await valueOf(store, "b"), await valueOf(store, "c")];
  assert.equal(b, c);
  if (typeof outcomes[0] !== "string") assert.equal(b, `"v"`);
  await store.close();
});

Deno.test("a commit over the quota is STORE_FULL, leaves nothing behind, and the store goes on when there is room", async () => {
  const { store } = open();
  await store.commit([put("a")]);
  const original = IDBObjectStore.prototype.put;
  let room = 2;
  IDBObjectStore.prototype.put = function (...args) {
    if (room-- <= 0) throw new DOMException("no room", "QuotaExceededError");
    return original.apply(this, args);
  };
  try {
    await assert.rejects(store.commit([put("b"), put("c"), put("d")]), { code: "STORE_FULL" });
  } finally {
    IDBObjectStore.prototype.put = original;
  }
  assert.deepEqual([store.health().state, await valueOf(store, "b")], ["full", undefined]);
  await store.commit([put("b")]);
  assert.deepEqual([store.health().state, await valueOf(store, "b")], ["ok", `"v"`]);
  await store.close();
});

Deno.test("who deletes the database is not kept waiting, and the loss is told by the ids of both stores", async () => {
  const { store, name } = open();
  await store.commit([put("a")]);
  const { storeId } = store.health();
  await deleted(name);
  assert.equal(await valueOf(store, "a"), undefined);
  const health = store.health();
  assert.deepEqual([health.state, health.lostStoreId], ["lost", storeId]);
  assert.notEqual(health.storeId, storeId);
  assert.match(health.problem!, /has deleted store/);
  await store.commit([put("b")]);
  assert.equal(store.health().state, "lost");
  await store.close();
});

Deno.test("a description that no Pawl wrote is STORE_CORRUPT", async () => {
  const { store, name } = open();
  await store.commit([put("a")]);
  await store.close();
  const raw = await rawOpen(name);
  await new Promise<void>((resolve) => {
    const tx = raw.transaction("rows", "readwrite");
    tx.objectStore("rows").put({ k: "!meta", v: "mice", n: 0 });
    tx.oncomplete = () => resolve();
  });
  raw.close();
  const again = indexedDbStore({ name });
  await assert.rejects(again.read([]), { code: "STORE_CORRUPT", message: /its description is mice/ });
  await again.close();
});

Deno.test("a commit of relaxed batches only is relaxed, and every other is strict; all are under full", async () => {
  const asked: (string | undefined)[] = [];
  const { transaction } = IDBDatabase.prototype;
  IDBDatabase.prototype.transaction = function (names, mode, options) {
    if (mode === "readwrite") asked.push(options?.durability);
    return transaction.call(this, names, mode, options);
  };
  try {
    const relaxed = (call: CommitCall) => ({
      ...call,
      batches: call.batches.map((batch) => ({ ...batch, relaxed: true })),
    });
    for (const durability of ["normal", "full"] as const) {
      const store = indexedDbStore({ name: `${life} ${stores++}`, durability });
      await store.read([]);
      asked.splice(0);
      await store.commit([relaxed(put("a"))]);
      await store.commit([relaxed(put("a")), put("b")]);
      assert.deepEqual(asked.splice(0), [durability === "full" ? "strict" : "relaxed", "strict"]);
      await store.close();
    }
  } finally {
    IDBDatabase.prototype.transaction = transaction;
  }
});

Deno.test("stores of one database hear of each other's commits", async () => {
  const { store, name } = open();
  const other = indexedDbStore({ name });
  const heard = new Promise((resolve) => other.watch!((shard, committerId) => resolve([shard, committerId])));
  const call = put("a");
  await store.commit([call]);
  assert.deepEqual(await heard, [0, call.committer.id]);
  await Promise.all([store.close(), other.close()]);
});

Deno.test("options that no store can use are refused at the door", () => {
  for (const options of [{ name: "" }, { shards: 0 }, { durability: "some" }, { requestTimeoutMs: 0 }]) {
    assert.throws(() => indexedDbStore(options as never), { code: "INVALID_ARGUMENT" });
  }
});
