/**
 * A page that is left and shown again, as the back/forward cache does it: nothing of a store stays open meanwhile.
 *
 * @module
 */
import assert from "node:assert/strict";
import { indexedDbStore } from "pawl/adapters/indexeddb";
import { change, deleted, newName, open, put, testTabs, until, valueOf } from "./databases.ts";

/** Does as a browser does to all stores of this page. */
const leave = () => void globalThis.dispatchEvent(new Event("pagehide"));
const comeBack = () => void globalThis.dispatchEvent(new Event("pageshow"));

/** What is open in this page: handles that were not closed. */
class OpenThings implements Disposable {
  readonly handles = new Set<IDBDatabase>();
  readonly channels = new Set<BroadcastChannel>();
  readonly #transaction = IDBDatabase.prototype.transaction;
  readonly #close = IDBDatabase.prototype.close;
  readonly #Channel = globalThis.BroadcastChannel;

  constructor() {
    const { handles, channels } = this;
    const [transaction, close] = [this.#transaction, this.#close];
    IDBDatabase.prototype.transaction = function (...args) {
      handles.add(this);
      return transaction.apply(this, args);
    };
    IDBDatabase.prototype.close = function () {
      handles.delete(this);
      close.call(this);
    };
    globalThis.BroadcastChannel = class extends this.#Channel {
      constructor(name: string) {
        super(name);
        channels.add(this);
      }
      override close() {
        channels.delete(this);
        super.close();
      }
    };
  }

  get count(): readonly number[] {
    return [this.handles.size, this.channels.size];
  }

  [Symbol.dispose](): void {
    IDBDatabase.prototype.transaction = this.#transaction;
    IDBDatabase.prototype.close = this.#close;
    globalThis.BroadcastChannel = this.#Channel;
  }
}

testTabs("a page that is left closes database and channel, and both come back by themselves", async () => {
  using things = new OpenThings();
  const { store } = open({ reserveBytes: 0 });
  const states: string[] = [];
  store.onHealth(({ state }) => states.push(state));
  await store.commit([put("a")]);
  assert.deepEqual(things.count, [1, 1]);
  leave();
  assert.deepEqual(things.count, [0, 0]);
  comeBack();
  assert.deepEqual(things.count, [0, 1]);
  await store.commit([put("b")]);
  assert.deepEqual([await valueOf(store, "a"), await valueOf(store, "b")], [`"v"`, `"v"`]);
  assert.deepEqual(things.count, [1, 1]);
  assert.deepEqual(states, ["ok"]);
  await store.close();
  assert.deepEqual(things.count, [0, 0]);
});

testTabs(
  "what is under way when a page is left is finished, and so is what comes after; then all is closed",
  async () => {
    using things = new OpenThings();
    const { store } = open({ reserveBytes: 0 });
    await store.commit([put("a")]);
    const committing = store.commit([put("b")]);
    const reading = valueOf(store, "a");
    leave();
    const after = store.commit([put("c")]);
    assert.equal((await committing)[0]!.outcome, "done");
    assert.equal(await reading, `"v"`);
    assert.equal((await after)[0]!.outcome, "done");
    await until(() => things.handles.size === 0);
    await store.commit([put("d")]);
    assert.deepEqual(things.count, [0, 0]);
    comeBack();
    for (const key of ["b", "c", "d"]) assert.equal(await valueOf(store, key), `"v"`);
    await store.close();
  },
);

testTabs("calls that find the handle dead together open one other, and leave none behind", async () => {
  using things = new OpenThings();
  const { store } = open({ reserveBytes: 0 });
  await store.commit([put("a")]);
  for (const handle of things.handles) handle.close();
  await Promise.all([store.commit([put("b")]), valueOf(store, "a"), store.commit([put("c")])]);
  assert.equal(things.handles.size, 1);
  await store.close();
  assert.equal(things.handles.size, 0);
});

testTabs(
  "a watcher is told of each shard once when its page is shown again, and hears of others as before",
  async () => {
    const name = newName();
    const [here, there] = [indexedDbStore({ name, shards: 2 }), indexedDbStore({ name, shards: 2 })];
    const heard: string[] = [];
    here.watch!((shard, committerId) => heard.push(`${shard} ${committerId}`));
    await there.commit([put("a")]);
    await until(() => heard.length > 0);
    comeBack();
    leave();
    comeBack();
    await new Promise((resolve) => setTimeout(resolve, 0));
    assert.deepEqual(heard.slice(1), ["0 ", "1 "]);
    const call = put("b");
    await there.commit([call]);
    await until(() => heard.length > 3);
    assert.deepEqual(heard.slice(3), [`0 ${call.committer.id}`]);
    await Promise.all([here.close(), there.close()]);
  },
);

testTabs("what a page commits last is still told to the others", async () => {
  const { store, name } = open();
  await store.commit([put("a")]);
  leave();
  // A context of its own, which is not left.
  const other = indexedDbStore({ name });
  const heard = new Promise((resolve) => other.watch!((_, committerId) => resolve(committerId)));
  const call = put("b");
  await store.commit([call]);
  assert.equal(await heard, call.committer.id);
  await Promise.all([store.close(), other.close()]);
  comeBack();
});

testTabs(
  "a store that is deleted or cleared while its page is away is told as lost when it comes back",
  async () => {
    for (const lose of [deleted, (name: string) => change(name, (rows) => rows.clear())]) {
      const { store, name } = open();
      await store.commit([put("a")]);
      const { storeId } = store.health();
      leave();
      await lose(name);
      comeBack();
      assert.equal(await valueOf(store, "a"), undefined);
      assert.deepEqual([store.health().state, store.health().lostStoreId], ["lost", storeId]);
      await store.close();
    }
  },
);

testTabs("a closed store does not listen to its page any more", async () => {
  using things = new OpenThings();
  const { store } = open();
  await store.commit([put("a")]);
  await store.close();
  leave();
  comeBack();
  assert.deepEqual(things.count, [0, 0]);
  await assert.rejects(store.read([]), { code: "STORE_CLOSED" });
});
