/**
 * The page of the browser tests: what they call lies on `globalThis.suite`.
 *
 * @module
 */
import { createEngine, type Engine, machine } from "../../../mod.ts";
import { indexedDbStore, type StoreHealth } from "../../../adapters/indexeddb/mod.ts";
import { storeConformance } from "../../../core/testing/store_conformance.ts";
import type { Store } from "../../../core/store/store.ts";
import { hazards } from "./hazards.ts";

let databases = 0;

/** Runs the store suite; gives what failed, and how many passed. */
async function conformance(options: { readonly shards?: number; readonly durability?: "normal" | "full" }) {
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

interface Form {
  readonly place: string;
  seen: string[];
}

/** Three steps, each of which notes in the data which tab it ran in. */
function inspections(tab: string, stepMs: number) {
  const step = <To extends string>(to: To) => async (run: { data: Form; status: string }): Promise<To> => {
    await new Promise((resolve) => setTimeout(resolve, stepMs));
    run.data.seen.push(`${run.status} in ${tab}`);
    return to;
  };
  return machine<Form>("inspections", { steps: { retry: { initial: 50, max: 500 } } })
    .step("filled", ["checked"], step("checked"))
    .step("checked", ["signed"], step("signed"))
    .step("signed", ["filed"], step("filed"))
    .build();
}

let engine: Engine | undefined;
let store: ReturnType<typeof indexedDbStore> | undefined;
let forms: ReturnType<typeof inspections>;

/** Starts an engine in this tab. */
async function start(tab: string, options: { readonly stepMs?: number; readonly work?: boolean } = {}) {
  store = indexedDbStore({ name: "inspections" });
  forms = inspections(tab, options.stepMs ?? 0);
  engine = createEngine({
    store,
    definitions: [forms],
    lease: { term: "1s" },
    poll: "200ms",
    ...(options.work !== undefined && { work: options.work }),
  });
  await engine.start();
}

/** Triggers runs; resolves when each is acknowledged. */
async function trigger(keys: readonly string[]): Promise<void> {
  await Promise.all(keys.map((key) => engine!.trigger(forms, key, { data: { place: key, seen: [] } })));
}

/** Every run, with its data. */
async function runs() {
  const page = await engine!.list({ definition: "inspections", limit: 1_000, include: ["data"] });
  return page.items.map(({ key, runState, status, data }) => ({ key, runState, status, data }));
}

/** Resolves when every run has ended. */
async function allEnded(): Promise<void> {
  for (;;) {
    if ((await runs()).every(({ runState }) => runState === "completed")) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function stop(): Promise<void> {
  await engine!.stop();
  await store!.close();
}

const suite = {
  ...hazards,
  conformance,
  start,
  trigger,
  runs,
  allEnded,
  stop,
  verify: () => engine!.admin.verify(),
  health: (): StoreHealth => store!.health(),
};

/** What a page offers. */
export type Suite = typeof suite;

Object.assign(globalThis, { suite });
