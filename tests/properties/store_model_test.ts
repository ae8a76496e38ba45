import "fake-indexeddb/auto";
import fc from "fast-check";
import { createClient } from "@libsql/client";
import { indexedDbStore } from "pawl/adapters/indexeddb";
import { libsqlStore } from "pawl/adapters/libsql";
import { memoryStore } from "pawl/adapters/memory";
import { encodeKey } from "../../core/store/key.ts";
import type { Store } from "../../core/store/store.ts";
import { same } from "../../core/testing/check.ts";
import { type PlannedCall, plannedKeys, StoreModel } from "../../core/testing/store_model.ts";

const key = fc.nat({ max: plannedKeys + 2 });
const check = fc.record({
  key,
  expect: fc.constantFrom("now" as const, "absent" as const, "stale" as const),
});
const small = { maxLength: 4 };
const batch = fc.record({
  checks: fc.array(check, small),
  puts: fc.array(fc.record({ key, stamped: fc.boolean() }), small),
  deletes: fc.array(key, small),
});
const call: fc.Arbitrary<PlannedCall> = fc.record({
  shard: fc.nat({ max: 2 }),
  guard: check,
  batches: fc.array(batch, { maxLength: 8 }),
}, { requiredKeys: ["shard", "batches"] });

const commits = fc.array(fc.array(call, { maxLength: 4 }), { minLength: 1, maxLength: 12 });

/** Every row and every log, both ways: after each commit the store holds what the model holds. */
const reads = ["row", "seq"].flatMap((name) => {
  const range = { start: encodeKey(name) + " ", end: encodeKey(name) + "!", limit: 500 };
  return [range, { ...range, limit: 3, reverse: true }];
});

async function follow(store: Store, planned: readonly (readonly PlannedCall[])[]): Promise<void> {
  try {
    const model = new StoreModel(store.shards);
    for (const each of planned) {
      const calls = model.plan(each);
      model.apply(calls, await store.commit(calls));
      const shards = Array.from({ length: store.shards }, (_, shard) => shard);
      const found = await store.read(shards.map((shard) => ({ shard, ops: reads })));
      for (const shard of shards) {
        reads.forEach((op, index) => same(found[shard]![index], model.read(shard, op), JSON.stringify(op)));
      }
    }
  } finally {
    await store.close();
  }
}

/** A file client's own connections would each have an empty memory, so it closes with the store. */
function clientStore(): Store {
  const client = createClient({ url: ":memory:" });
  const store = libsqlStore({
    client: { protocol: "http", batch: client.batch.bind(client), close: () => {} },
    shards: 3,
  });
  return Object.assign(Object.create(store), {
    shards: store.shards,
    commit: store.commit.bind(store),
    read: store.read.bind(store),
    close: () => store.close().then(() => client.close()),
  });
}

const life = crypto.randomUUID();
let databases = 0;
const newName = () => `${life} ${databases++}`;
const tab = (name: string) => indexedDbStore({ name, shards: 3 });

/** Tabs of one database, each asked in its turn: what one remembers, another has changed meanwhile. */
function tabs(): Store {
  const name = newName();
  const open = [tab(name), tab(name), tab(name)];
  let turn = 0;
  const next = () => open[turn++ % 7 % 3]!;
  return {
    ...{ shards: 3, limits: open[0]!.limits },
    commit: (calls) => next().commit(calls),
    read: (requests) => next().read(requests),
    close: async () => void await Promise.all(open.map((each) => each.close())),
  };
}

const stores: Record<string, () => Store> = {
  "memory": () => memoryStore({ shards: 3 }),
  "memory with outcomes": () => memoryStore({ shards: 3, keepOutcomes: true }),
  "libsql": () => libsqlStore({ url: ":memory:", shards: 3 }),
  "client with outcomes": clientStore,
  "IndexedDB": () => tab(newName()),
  "IndexedDB in three tabs": tabs,
};

for (const [name, open] of Object.entries(stores)) {
  Deno.test(`commit() of ${name} does what the model does`, async () => {
    const numRuns = Number(Deno.env.get("STORE_MODEL_RUNS") ?? 150);
    await fc.assert(fc.asyncProperty(commits, (planned) => follow(open(), planned)), { numRuns });
  });
}
