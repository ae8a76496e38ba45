import "fake-indexeddb/auto";
import { type IndexedDbOptions, indexedDbStore } from "pawl/adapters/indexeddb";
import type { Store } from "../../core/store/store.ts";
import { storeConformance } from "../../core/testing/store_conformance.ts";
import { letGo } from "../let_go.ts";

/** Deno keeps `localStorage`, and with it what stores of earlier runs were, from run to run. */
const life = crypto.randomUUID();

let databases = 0;

/** The suite on an IndexedDB in memory, which keeps to the standard's order of events. */
function suite(name: string, options: IndexedDbOptions): void {
  const names = new WeakMap<Store, string>();
  const open = (database: string) => {
    const store = indexedDbStore({ ...options, name: database });
    names.set(store, database);
    return store;
  };
  const cases = storeConformance(() => open(`${life} ${databases++}`), {
    keepsOutcomes: true,
    reopen: (closed) => open(names.get(closed)!),
  });
  for (const each of cases) Deno.test(`${name}: ${each.name}`, () => each.run().finally(letGo));
}

suite("IndexedDB", {});
suite("IndexedDB, full durability", { durability: "full" });
suite("IndexedDB, 4 shards", { shards: 4 });
