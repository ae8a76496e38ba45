/**
 * What a commit asks the database for: only what no earlier one has told, as long as nobody else has written.
 *
 * @module
 */
import "fake-indexeddb/auto";
import assert from "node:assert/strict";
import { indexedDbStore } from "pawl/adapters/indexeddb";
import type { CommitCall, Store } from "../../mod.ts";
import { testTabs } from "./databases.ts";

const life = crypto.randomUUID();
let names = 0;

/** Keys asked for while this goes on. */
async function asked(work: () => Promise<unknown>): Promise<string[]> {
  const keys: string[] = [];
  const { get } = IDBObjectStore.prototype;
  IDBObjectStore.prototype.get = function (key) {
    keys.push(String(key));
    return get.call(this, key);
  };
  try {
    await work();
  } finally {
    IDBObjectStore.prototype.get = get;
  }
  return keys;
}

/** A committer that moves a row on, under a guard. */
function mover(store: Store, id: string) {
  let calls = 0;
  let version: number | null = null;
  return async (guard: number | null): Promise<boolean> => {
    const previous = calls > 0 ? { previous: `${calls}` } : {};
    const call: CommitCall = {
      shard: 0,
      committer: { id, callId: `${++calls}`, ...previous },
      guard: { key: "owner", version: guard },
      batches: [{
        checks: [{ key: "row", version }],
        puts: [{ key: "row", value: `"${calls}"` }],
        deletes: [],
      }],
    };
    const [result] = await store.commit([call]);
    const batch = result?.outcome === "done" ? result.results[0]! : undefined;
    if (batch?.ok) version = batch.version;
    return batch?.ok === true;
  };
}

testTabs("a commit that follows one of the same tab asks for the counter alone", async () => {
  const store = indexedDbStore({ name: `${life} ${names++}` });
  const move = mover(store, "c");
  assert.equal((await asked(() => move(null))).filter((key) => !key.startsWith("!meta")).length > 3, true);
  const keys = await asked(async () => assert.ok(await move(null)));
  assert.deepEqual(keys, ["!version 0000 "]);
  await store.close();
});

testTabs("what another tab has written meanwhile is seen, whatever this one remembers", async () => {
  const name = `${life} ${names++}`;
  const [one, other] = [indexedDbStore({ name }), indexedDbStore({ name })];
  const [move, moveOther] = [mover(one, "one"), mover(other, "other")];
  assert.ok(await move(null));
  assert.ok(await move(null));
  assert.equal(await moveOther(null), false);
  const keys = await asked(async () => assert.ok(await move(null)));
  assert.ok(keys.length > 1, "it asks for all again");

  const take: CommitCall = {
    shard: 0,
    committer: { id: "thief", callId: "1" },
    batches: [{ checks: [], puts: [{ key: "owner", value: `"thief"` }], deletes: [] }],
  };
  await other.commit([take]);
  assert.equal(await move(null), false);
  await Promise.all([one.close(), other.close()]);
});

testTabs(
  "a database that was deleted and made anew is not taken for the one that is remembered",
  async () => {
    const name = `${life} ${names++}`;
    const store = indexedDbStore({ name });
    const move = mover(store, "c");
    assert.ok(await move(null));
    await new Promise((resolve) => indexedDB.deleteDatabase(name).onsuccess = resolve);
    assert.equal(await move(null), false);
    await store.close();
  },
);
