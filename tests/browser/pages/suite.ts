/**
 * The page of the browser tests: what they call lies on `globalThis`.
 *
 * @module
 */
import { createEngine, machine } from "../../../mod.ts";
import { indexedDbStore } from "../../../adapters/indexeddb/mod.ts";
import { storeConformance } from "../../../core/testing/store_conformance.ts";
import type { Store } from "../../../core/store/store.ts";

let databases = 0;

/** Runs the store suite; gives what failed, and how many passed. */
async function conformance(options: { shards?: number; durability?: "normal" | "full" }) {
  const names = new WeakMap<Store, string>();
  const open = (name: string) => {
    const store = indexedDbStore({ ...options, name });
    names.set(store, name);
    return store;
  };
  const failed: string[] = [];
  let passed = 0;
  const cases = storeConformance(() => open(`conformance ${databases++}`), {
    keepsOutcomes: true,
    reopen: (closed) => open(names.get(closed)!),
    dispose: (store) => void indexedDB.deleteDatabase(names.get(store)!),
  });
  for (const { name, run } of cases) {
    try {
      await run();
      passed++;
    } catch (error) {
      failed.push(`${name}: ${(error as Error).stack ?? error}`);
    }
  }
  return { passed, failed };
}

const suite = { conformance, createEngine, indexedDbStore, machine };

export type Suite = typeof suite;

Object.assign(globalThis, { suite });
