// deno-lint-ignore-file no-console -- a benchmark's product is its table.
/**
 * What a lock costs: taken and given back by nobody else wanted, and handed over among a thousand who wait, by callers
 * and by runs. Beside it, in the same run, what a bare commit of the store takes.
 *
 *     deno task bench:locks [--waiters 1000] [--memory]
 *
 * The latency is from a release to the moment when the next holds it, the middle one; CPU is of the whole process.
 *
 * @module
 */
import { libsqlStore } from "pawl/adapters/libsql";
import { memoryStore } from "pawl/adapters/memory";
import { createEngine, type Engine, type Hold, machine, type Store } from "pawl";
import { cpuUsage } from "node:process";

const at = Deno.args.indexOf("--waiters");
const waiters = at < 0 ? 1_000 : Number(Deno.args[at + 1]);
const folder = await Deno.makeTempDir({ prefix: "pawl-bench-" });

const stores: readonly (readonly [name: string, open: () => Store])[] = [
  ["memory", () => memoryStore()],
  ["libSQL file", () => libsqlStore({ url: `file:${folder}/locks.db` })],
];

/** What one of so many took. */
async function measured(count: number, work: () => Promise<unknown>) {
  const startedAt = performance.now();
  const before = cpuUsage();
  await work();
  const seconds = (performance.now() - startedAt) / 1_000;
  const { user, system } = cpuUsage(before);
  return { "per second": Math.round(count / seconds), "CPU us": Math.round((user + system) / count) };
}

function middle(times: readonly number[]): number {
  return Number([...times].sort((a, b) => a - b)[times.length >> 1]!.toFixed(2));
}

/** One commit after another: what two of are in each pair of acquire and release. */
async function bare(store: Store, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    const committer = { id: "bench", callId: `${index}`, ...(index > 0 && { previous: `${index - 1}` }) };
    const put = { key: "event bench 1", value: `${index}` };
    await store.commit([{ shard: 0, committer, batches: [{ checks: [], puts: [put], deletes: [] }] }]);
  }
}

async function alone(engine: Engine, count: number): Promise<void> {
  const lock = engine.mutex("alone");
  for (let index = 0; index < count; index++) await (await lock.acquire()).release();
}

/** All ask at once, and each gives the lock to the next as soon as it has it. */
async function callers(engine: Engine) {
  const first = await engine.mutex("callers").acquire();
  const latencies: number[] = [];
  let releasedAt = 0;
  const handOn = (hold: Hold) => {
    latencies.push(performance.now() - releasedAt);
    releasedAt = performance.now();
    return hold.release();
  };
  const waits = Array.from({ length: waiters }, () => engine.mutex("callers").acquire().then(handOn));
  while ((await engine.locks.inspect("callers"))!.waiting < waiters) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const cost = await measured(waiters, async () => {
    releasedAt = performance.now();
    await first.release();
    await Promise.all(waits);
  });
  return { ...cost, "latency ms": middle(latencies) };
}

const work = machine("work").step("new", ["done"], () => "done", { lock: "runs" }).build();

async function runs(engine: Engine) {
  const first = await engine.mutex("runs").acquire();
  const keys = Array.from({ length: waiters }, (_, index) => `k${index}`);
  await Promise.all(keys.map((key) => engine.trigger(work, key)));
  while ((await engine.locks.inspect("runs"))!.waiting < waiters) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return await measured(waiters, async () => {
    const ended = keys.map((key) => engine.await(work, key));
    await first.release();
    await Promise.all(ended);
  });
}

for (const [name, open] of Deno.args.includes("--memory") ? stores.slice(0, 1) : stores) {
  const store = open();
  const engine = createEngine({ store, definitions: [work] });
  await engine.start();
  await alone(engine, 50);
  console.table({
    [`bare commits, ${name}`]: await measured(500, () => bare(store, 500)),
    "acquire and release, alone": await measured(500, () => alone(engine, 500)),
    [`hand-overs among ${waiters} callers`]: await callers(engine),
    [`hand-overs among ${waiters} runs`]: await runs(engine),
  });
  await engine.stop();
  await store.close();
}
await Deno.remove(folder, { recursive: true });
