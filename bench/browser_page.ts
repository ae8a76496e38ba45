/**
 * The page of `deno task bench:browser`: what it measures lies on `globalThis.bench`.
 *
 * @module
 */
import { type IDBPDatabase, openDB } from "idb";
import { indexedDbStore } from "pawl/adapters/indexeddb";
import { createEngine, type Engine, machine } from "pawl";

/** What the runs of the benchmark carry: some 430 bytes. */
interface Order {
  readonly lines: readonly string[];
  done: number;
}
const order = (): Order => ({
  lines: Array.from({ length: 9 }, (_, at) => `line ${at} `.repeat(6)),
  done: 0,
});
const count = <To extends string>(to: To) => (run: { data: Order }): To => (run.data.done++, to);

/** Three steps that do nothing but count, and one. */
const orders = machine<Order>("orders")
  .step("placed", ["paid"], count("paid"))
  .step("paid", ["packed"], count("packed"))
  .step("packed", ["shipped"], count("shipped"))
  .build();
const single = machine<Order>("single").step("placed", ["paid"], count("paid")).build();

type Durability = "relaxed" | "strict";

const quantile = (values: readonly number[], at: number) =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * at))]!;

/** Puts per second of transactions of so many puts, one after another: what this browser's disk bears. */
async function raw(durability: Durability, puts: number, ms: number): Promise<number> {
  const name = `raw ${crypto.randomUUID()}`;
  const db: IDBPDatabase = await openDB(name, 1, { upgrade: (made) => void made.createObjectStore("rows") });
  const value = JSON.stringify(order());
  let done = 0;
  const startedAt = performance.now();
  while (performance.now() - startedAt < ms) {
    const tx = db.transaction("rows", "readwrite", { durability });
    for (let put = 0; put < puts; put++) void tx.store.put(value, done++);
    tx.commit();
    await tx.done;
  }
  const perSecond = done / (performance.now() - startedAt) * 1_000;
  db.close();
  indexedDB.deleteDatabase(name);
  return perSecond;
}

let serial = 0;

async function through(engine: Engine, of: typeof orders | typeof single): Promise<void> {
  const key = `k${serial++}`;
  const { runId } = await engine.trigger(of as typeof orders, key, { data: order() });
  await engine.await(of as typeof orders, key, { runId });
}

/** Three-step runs, so many at a time. */
async function throughput(engine: Engine, concurrency: number, runs: number): Promise<number> {
  let left = runs;
  const client = async () => {
    while (left-- > 0) await through(engine, orders);
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: concurrency }, client));
  return runs * 3 / (performance.now() - startedAt) * 1_000;
}

/** One-step runs, one after another. */
async function latencies(engine: Engine, runs: number): Promise<readonly number[]> {
  const times: number[] = [];
  for (let run = 0; run < runs; run++) {
    const startedAt = performance.now();
    await through(engine, single);
    times.push(performance.now() - startedAt);
  }
  return times;
}

/** One engine on a new store. */
async function measure(durability: "normal" | "full", options: { runs: number; concurrency: number }) {
  const name = `bench ${crypto.randomUUID()}`;
  const store = indexedDbStore({ name, durability });
  const engine = createEngine({ store, definitions: [orders, single] });
  await engine.start();
  await throughput(engine, options.concurrency, options.runs / 4);
  const before = engine.admin.counts();
  const rate = await throughput(engine, options.concurrency, options.runs);
  const after = engine.admin.counts();
  const times = await latencies(engine, 150);
  await engine.stop();
  await store.close();
  indexedDB.deleteDatabase(name);
  const steps = options.runs * 3;
  return {
    rate,
    commits: (after.commits - before.commits) / steps,
    rows: (after.rows - before.rows) / steps,
    p50: quantile(times.slice(30), 0.5),
    p99: quantile(times.slice(30), 0.99),
  };
}

const bench = { raw, measure };

/** What the page offers. */
export type Bench = typeof bench;

Object.assign(globalThis, { bench });
