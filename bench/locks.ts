// deno-lint-ignore-file no-console -- a benchmark's product is its table.
/**
 * What a lock costs: taken and given back by nobody else wanted, and handed over among a thousand who wait, by callers
 * and by runs. Beside it, in the same run, what a bare commit of the store takes.
 *
 *     deno task bench:locks [--waiters 1000]
 *
 * @module
 */
import { libsqlStore } from "pawl/adapters/libsql";
import { memoryStore } from "pawl/adapters/memory";
import { createEngine, type Engine, machine, type Store } from "pawl";

const at = Deno.args.indexOf("--waiters");
const waiters = at < 0 ? 1_000 : Number(Deno.args[at + 1]);
const folder = await Deno.makeTempDir({ prefix: "pawl-bench-" });

const stores: readonly (readonly [name: string, open: () => Store])[] = [
  ["memory", () => memoryStore()],
  ["libSQL file", () => libsqlStore({ url: `file:${folder}/locks.db` })],
];

async function perSecond(count: number, work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return Math.round(count / ((performance.now() - startedAt) / 1_000));
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
async function callers(engine: Engine): Promise<number> {
  const first = await engine.mutex("callers").acquire();
  const waits = Array.from(
    { length: waiters },
    () => engine.mutex("callers").acquire().then((hold) => hold.release()),
  );
  while ((await engine.locks.inspect("callers"))!.waiting < waiters) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return await perSecond(waiters, async () => {
    await first.release();
    await Promise.all(waits);
  });
}

const work = machine("work").step("new", ["done"], () => "done", { lock: "runs" }).build();

async function runs(engine: Engine): Promise<number> {
  const first = await engine.mutex("runs").acquire();
  const keys = Array.from({ length: waiters }, (_, index) => `k${index}`);
  await Promise.all(keys.map((key) => engine.trigger(work, key)));
  while ((await engine.locks.inspect("runs"))!.waiting < waiters) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return await perSecond(waiters, async () => {
    const ended = keys.map((key) => engine.await(work, key));
    await first.release();
    await Promise.all(ended);
  });
}

for (const [name, open] of stores) {
  const store = open();
  const engine = createEngine({ store, definitions: [work] });
  await engine.start();
  await alone(engine, 50);
  console.table({
    [`bare commits, ${name}`]: { "per second": await perSecond(500, () => bare(store, 500)) },
    "acquire and release, alone": { "per second": await perSecond(500, () => alone(engine, 500)) },
    [`hand-overs among ${waiters} callers`]: { "per second": await callers(engine) },
    [`hand-overs among ${waiters} runs`]: { "per second": await runs(engine) },
  });
  await engine.stop();
  await store.close();
}
await Deno.remove(folder, { recursive: true });
