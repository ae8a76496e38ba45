/**
 * What a browser does to a database that no server does: blocks it, closes it, deletes it, and runs out of room. On an
 * IndexedDB in memory, which keeps to the standard's order of events.
 *
 * @module
 */
import assert from "node:assert/strict";
import { forceCloseDatabase } from "fake-indexeddb";
import { indexedDbStore } from "pawl/adapters/indexeddb";
import type { CallResult, CommitCall } from "../../mod.ts";
import { deleted, newName, open, put, rawOpen, testTabs, valueOf } from "./databases.ts";

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

testTabs(
  "a database that another tab blocks is STORE_BUSY within the timeout, and opens when it is free",
  async () => {
    const { store, name } = open({ requestTimeoutMs: 50 });
    const other = await rawOpen(name);
    // It is to be deleted, which waits for the other connection, and whoever opens it waits for that.
    const gone = deleted(name);
    await assert.rejects(store.commit([put("a")]), { code: "STORE_BUSY", message: /within 50 ms/ });
    assert.equal(store.health().state, "blocked");
    other.close();
    await gone;
    await store.commit([put("a")]);
    assert.equal(await valueOf(store, "a"), `"v"`);
    assert.equal(store.health().state, "ok");
    await store.close();
  },
);

testTabs("a database of a later version is STORE_INCOMPATIBLE, and is left alone", async () => {
  const { store, name } = open();
  (await rawOpen(name, 7)).close();
  await assert.rejects(store.read([{ shard: 0, ops: [{ get: "a" }] }]), { code: "STORE_INCOMPATIBLE" });
  await store.close();
  assert.equal((await rawOpen(name)).version, 7);
});

testTabs("a store of another shard count is STORE_INCOMPATIBLE", async () => {
  const { store, name } = open();
  await store.commit([put("a")]);
  await store.close();
  const other = indexedDbStore({ name, shards: 2 });
  await assert.rejects(other.read([]), { code: "STORE_INCOMPATIBLE", message: /has 1 shards, want 2/ });
  await other.close();
});

testTabs(
  "a handle that the browser has closed is opened again, once, without the caller's knowledge",
  async () => {
    const { store } = open();
    const states: string[] = [];
    store.onHealth(({ state }) => states.push(state));
    const [handle] = await handlesOf(() => store.commit([put("a")]));
    forceCloseDatabase(handle as never);
    await store.commit([put("b")]);
    assert.deepEqual([await valueOf(store, "a"), await valueOf(store, "b")], [`"v"`, `"v"`]);
    assert.deepEqual(states, ["ok", "reopening", "ok"]);
    await store.close();
  },
);

testTabs(
  "a handle that dies again as soon as it is opened is STORE_BUSY, and the next call opens another",
  async () => {
    const { store } = open({ reserveBytes: 0 });
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
  },
);

testTabs(
  "a handle that dies under a commit leaves it done whole or not at all, and nobody is told it was done",
  async () => {
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
  },
);

testTabs(
  "who deletes the database is not kept waiting, and the loss is told by the ids of both stores",
  async () => {
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
  },
);

testTabs(
  "a commit of relaxed batches only is relaxed, and every other is strict; all are under full",
  async () => {
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
        const store = indexedDbStore({ name: newName(), durability, reserveBytes: 0 });
        await store.read([]);
        asked.splice(0);
        await store.commit([relaxed(put("a"))]);
        await store.commit([relaxed(put("a")), put("b")]);
        // It may settle one that was strict.
        await store.commit([{ ...put("a"), batches: [] }]);
        assert.deepEqual(asked.splice(0), [durability === "full" ? "strict" : "relaxed", "strict", "strict"]);
        await store.close();
      }
    } finally {
      IDBDatabase.prototype.transaction = transaction;
    }
  },
);

testTabs("stores of one database hear of each other's commits", async () => {
  const { store, name } = open();
  const other = indexedDbStore({ name });
  const heard = new Promise((resolve) => other.watch!((shard, committerId) => resolve([shard, committerId])));
  const call = put("a");
  await store.commit([call]);
  assert.deepEqual(await heard, [0, call.committer.id]);
  await Promise.all([store.close(), other.close()]);
});

Deno.test("options that no store can use are refused at the door", () => {
  const bad = [
    { name: "" },
    { shards: 0 },
    { durability: "some" },
    { requestTimeoutMs: 0 },
    { reserveBytes: -1 },
    { privateWindows: "hide" },
  ];
  for (const options of bad) {
    assert.throws(() => indexedDbStore(options as never), { code: "INVALID_ARGUMENT" });
  }
});
