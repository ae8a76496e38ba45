// deno-lint-ignore-file no-console -- a benchmark's product is its table.
/**
 * What a step costs: `deno task bench [--runs 1000] [--rounds 7] [--growth 100000]`.
 *
 * Times on a shared machine move by a factor of two; read the ratios to the bare store and the CPU per step.
 */
import process from "node:process";
import { libsqlStore } from "pawl/adapters/libsql";
import { memoryStore } from "pawl/adapters/memory";
import { sqliteStore } from "pawl/adapters/sqlite";
import { createEngine, type Engine, machine, type Store } from "pawl";
import { bareRate } from "./bare.ts";

/** What the runs of the benchmarks carry. */
export interface Order {
  lines: { sku: string; quantity: number; cents: number }[];
  customer: string;
  address: string;
  notes: string;
  done: number;
}

/** An order of some 430 bytes. */
export const order = (): Order => ({
  lines: Array.from(
    { length: 4 },
    (_, index) => ({ sku: `sku-${1000 + index}`, quantity: index + 1, cents: 1_999 }),
  ),
  customer: "Ada Lovelace, 12 St James's Square",
  address: "London SW1Y 4JH, United Kingdom of Great Britain",
  notes: "Please leave the parcel with the neighbour at number 14 if nobody answers the door.",
  done: 0,
});

/** Three steps that do nothing but count. */
export const orders = machine<Order>("orders")
  .step("placed", ["paid"], (run) => (run.data.done++, "paid"))
  .step("paid", ["packed"], (run) => (run.data.done++, "packed"))
  .step("packed", ["shipped"], (run) => (run.data.done++, "shipped"))
  .build();
/** One such step. */
export const single = machine<Order>("single").step("placed", ["paid"], (run) => (run.data.done++, "paid"))
  .build();

interface Subject {
  readonly name: string;
  open(): Promise<{ store: Store; remove(): Promise<void> }>;
}

async function file(open: typeof libsqlStore | typeof sqliteStore, durability: "full" | "normal") {
  const folder = await Deno.makeTempDir();
  const store = open({ url: `file:${folder}/bench.db`, durability });
  return { store, remove: () => Deno.remove(folder, { recursive: true }) };
}

const subjects: Subject[] = [
  { name: "memory", open: () => Promise.resolve({ store: memoryStore(), remove: () => Promise.resolve() }) },
  { name: "libSQL file, full sync", open: () => file(libsqlStore, "full") },
  { name: "libSQL file, normal", open: () => file(libsqlStore, "normal") },
  { name: "node:sqlite file, full sync", open: () => file(sqliteStore, "full") },
];

/** The middle one. */
export const median = (values: number[]) => quantile(values, 0.5);
function quantile(values: number[], at: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * at))]!;
}

let serial = 0;
async function wave(engine: Engine, runs: number, of = orders): Promise<void> {
  const prefix = `wave-${serial++}-`;
  await Promise.all(Array.from({ length: runs }, async (_, index) => {
    const key = prefix + index;
    const { runId } = await engine.trigger(of, key, { data: order() });
    await engine.await(of, key, { runId });
  }));
}

/** Waves of concurrent runs through one engine. */
export async function throughput(engine: Engine, runs: number, rounds: number) {
  const rates: number[] = [];
  const cpus: number[] = [];
  await wave(engine, runs);
  const before = engine.admin.counts();
  for (let round = 0; round < rounds; round++) {
    const cpu = process.cpuUsage();
    const startedAt = performance.now();
    await wave(engine, runs);
    const seconds = (performance.now() - startedAt) / 1_000;
    const used = process.cpuUsage(cpu);
    rates.push(runs * 3 / seconds);
    cpus.push((used.user + used.system) / (runs * 3));
  }
  const after = engine.admin.counts();
  const steps = runs * 3 * rounds;
  return {
    rate: median(rates),
    best: Math.max(...rates),
    cpu: Math.min(...cpus),
    commits: (after.commits - before.commits) / steps,
    rows: (after.rows - before.rows) / steps,
    reads: (after.reads - before.reads) / steps,
  };
}

/** Start to result of runs that go through one after another. */
export async function latency(engine: Engine, count: number) {
  const times: number[] = [];
  for (let index = 0; index < count; index++) {
    const key = `latency-${serial++}`;
    const startedAt = performance.now();
    const { runId } = await engine.trigger(single, key, { data: order() });
    await engine.await(single, key, { runId });
    times.push(performance.now() - startedAt);
  }
  return { p50: quantile(times.slice(count >> 2), 0.5), p99: quantile(times.slice(count >> 2), 0.99) };
}

/** Commits and reads of runs that go through one after another: the cost of a step that shares nothing. */
async function alone(engine: Engine, runs: number) {
  const before = engine.admin.counts();
  for (let index = 0; index < runs; index++) await wave(engine, 1);
  const after = engine.admin.counts();
  return {
    commits: (after.commits - before.commits) / runs,
    batches: (after.batches - before.batches) / runs,
    reads: (after.reads - before.reads) / runs,
  };
}

async function growth(engine: Engine, runs: number, upTo: number) {
  const rows: Record<string, string | number>[] = [];
  let finished = 0;
  for (const goal of [1_000, 10_000, 100_000, 1_000_000].filter((each) => each <= upTo)) {
    while (finished < goal - runs) {
      await wave(engine, runs, single as unknown as typeof orders);
      finished += runs;
    }
    const { rate, cpu } = await throughput(engine, runs, 5);
    finished += runs * 6;
    const { p50 } = await latency(engine, 200);
    const startedAt = performance.now();
    for (let index = 0; index < 20; index++) await engine.list({ definition: "single", limit: 25 });
    const listMs = (performance.now() - startedAt) / 20;
    rows.push({
      "finished runs": finished,
      "steps/s": Math.round(rate),
      "CPU us/step": cpu.toFixed(1),
      "start-to-result p50 ms": p50.toFixed(3),
      "list(25) ms": listMs.toFixed(2),
    });
  }
  return rows;
}

/** A number from the command line. */
export function option(name: string, otherwise: number): number {
  const at = Deno.args.indexOf(`--${name}`);
  return at < 0 ? otherwise : Number(Deno.args[at + 1]);
}

async function main(): Promise<void> {
  const runs = option("runs", 1_000);
  const rounds = option("rounds", 7);
  const growTo = option("growth", 100_000);
  const table: Record<string, string | number>[] = [];
  for (const subject of subjects) {
    const bare = await subject.open();
    const bareSteps = await bareRate(bare.store, runs, rounds);
    await bare.store.close();
    await bare.remove();
    const { store, remove } = await subject.open();
    const engine = createEngine({ store, definitions: [orders, single] });
    await engine.start();
    const fast = await throughput(engine, runs, rounds);
    const slow = await latency(engine, 400);
    const one = await alone(engine, 50);
    table.push({
      store: subject.name,
      "steps/s": Math.round(fast.rate),
      "best": Math.round(fast.best),
      "bare store": Math.round(bareSteps),
      "ratio": (fast.rate / bareSteps).toFixed(2),
      "CPU us/step": fast.cpu.toFixed(1),
      "p50 ms": slow.p50.toFixed(3),
      "p99 ms": slow.p99.toFixed(3),
      "rows/step": fast.rows.toFixed(2),
      "reads/step": fast.reads.toFixed(3),
      "commits of a lone 3-step run": one.commits,
    });
    await engine.stop();
    await store.close();
    await remove();
  }
  console.log(
    `\n${runs} concurrent 3-step runs, median of ${rounds} rounds; start-to-result of one-step runs\n`,
  );
  console.table(table);
  if (growTo < 1_000) return;
  for (const subject of subjects.slice(0, 2)) {
    const { store, remove } = await subject.open();
    const engine = createEngine({ store, definitions: [orders, single] });
    await engine.start();
    console.log(`\nGrowth on ${subject.name}\n`);
    // A million finished runs in memory are some gigabytes.
    console.table(await growth(engine, runs, subject.name === "memory" ? Math.min(growTo, 100_000) : growTo));
    await engine.stop();
    await store.close();
    await remove();
  }
}

if (import.meta.main) await main();
