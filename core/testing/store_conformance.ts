/**
 * What every store must do, as a list of cases for any test runner.
 *
 * @module
 */
import type { Store } from "../store/store.ts";
import { commitCases } from "./store_commit_cases.ts";
import { lifeCases } from "./store_life_cases.ts";
import { outcomeCases } from "./store_outcome_cases.ts";
import { readCases } from "./store_read_cases.ts";
import { type StoreCase, StoreProbe } from "./store_probe.ts";

/** How the suite is run. */
export interface StoreConformanceOptions {
  /** Whether the store keeps the outcome rows of rule 4. Default false. */
  readonly keepsOutcomes?: boolean;
  /** Opens a closed store's data again; leave it out where data ends with the store. */
  readonly reopen?: (closed: Store) => Store | Promise<Store>;
  /** Called after each case with the store it began with, which is closed: removes its files. */
  readonly dispose?: (store: Store) => void | Promise<void>;
}

/** A case ready to be handed to a test runner. */
export interface ConformanceCase {
  /** A sentence. */
  readonly name: string;
  /** Rejects when the rule is broken. */
  readonly run: () => Promise<void>;
}

/**
 * The store contract as tests.
 *
 * @param open Opens a new, empty store.
 * @param options What the store can do.
 * @returns One case per rule; each opens and closes its own store, and they may run in any order.
 *
 * @example
 * ```ts
 * import { memoryStore } from "pawl/adapters/memory";
 * import { storeConformance } from "pawl/testing";
 * for (const { run } of storeConformance(() => memoryStore())) await run();
 * ```
 */
export function storeConformance(
  open: () => Store | Promise<Store>,
  options: StoreConformanceOptions = {},
): ConformanceCase[] {
  return [...commitCases, ...readCases, ...outcomeCases, ...lifeCases]
    .filter(({ needs }) => needs !== "outcomes" || options.keepsOutcomes)
    .filter(({ needs }) => needs !== "reopen" || options.reopen)
    .map(({ name, needs, run }) => ({ name, run: () => runCase(open, options, needs, run) }));
}

async function runCase(
  open: () => Store | Promise<Store>,
  options: StoreConformanceOptions,
  needs: StoreCase["needs"],
  run: StoreCase["run"],
): Promise<void> {
  const first = await open();
  let store = first;
  const { reopen } = options;
  try {
    // `watch` is the one optional method of a store.
    if (needs === "watch" && !store.watch) return;
    await run({
      store,
      probe: new StoreProbe(store),
      ...(reopen && {
        reopen: async () => {
          await store.close();
          store = await reopen(store);
          return new StoreProbe(store, "reopened");
        },
      }),
    });
  } finally {
    await store.close();
    await options.dispose?.(first);
  }
}
