/**
 * Run in a user's runtime with a path: the store contract on a libSQL file, and a run that is found again when the file is
 * opened anew.
 *
 * @module
 */
import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import process from "node:process";
import { createEngine, machine, type Store } from "pawl";
import { libsqlStore } from "pawl/adapters/libsql";
import { storeConformance } from "pawl/testing";

const path = process.argv[2]!;
let files = 0;
const names = new WeakMap<Store, string>();
function open(name: string): Store {
  const store = libsqlStore({ url: `file:${path}.${name}`, durability: "normal" });
  names.set(store, name);
  return store;
}

const cases = storeConformance(() => open(`case${files++}`), {
  reopen: (closed) => open(names.get(closed)!),
  dispose: (store) => rm(`${path}.${names.get(store)}`, { force: true }),
});
for (const { name, run } of cases) {
  await run().catch((cause) => {
    throw new Error(name, { cause });
  });
}

const orders = machine<{ cents: number }>("orders").step("placed", ["paid"], () => "paid").build();
for (const expected of [true, false]) {
  const store = open("orders");
  const engine = createEngine({ store, definitions: [orders] });
  await engine.start();
  const { created } = await engine.trigger(orders, "o-1", { data: { cents: 5 }, idempotencyKey: "once" });
  assert.equal(created, expected);
  assert.equal((await engine.await(orders, "o-1")).status, "paid");
  assert.deepEqual((await engine.admin.verify()).findings, []);
  await engine.stop();
  await store.close();
}
process.stdout.write(`${cases.length} rules of the store, and a run that outlived its engine\n`);
