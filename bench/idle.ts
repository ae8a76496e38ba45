// deno-lint-ignore-file no-console -- a benchmark's product is its table.
/**
 * What an engine costs that has nothing to do, and how long a short run takes from trigger to hook.
 *
 *     deno task bench:idle [--seconds 10]
 *
 * @module
 */
import process from "node:process";
import { libsqlStore } from "pawl/adapters/libsql";
import { memoryStore } from "pawl/adapters/memory";
import { createEngine, machine, type Store } from "pawl";

const at = Deno.args.indexOf("--seconds");
const seconds = at < 0 ? 10 : Number(Deno.args[at + 1]);
const folder = await Deno.makeTempDir({ prefix: "pawl-bench-" });

const stores: readonly (readonly [name: string, open: () => Store])[] = [
  ["memory", () => memoryStore()],
  ["memory of 16 shards", () => memoryStore({ shards: 16 })],
  ["libSQL file", () => libsqlStore({ url: `file:${folder}/idle.db` })],
];

/** Of a core, by an engine with 20 machines and a timer in each that is not due. */
async function idleShare(store: Store): Promise<number> {
  const definitions = Array.from(
    { length: 20 },
    (_, index) => machine(`m${index}`).timeout("a", ["b"], { after: "1d" }, () => "b").build(),
  );
  const engine = createEngine({ store, definitions });
  await engine.start();
  for (const each of definitions) await engine.trigger(each, "k");
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const before = process.cpuUsage();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
  const { user, system } = process.cpuUsage(before);
  await engine.stop();
  return (user + system) / 1_000 / (seconds * 1_000);
}

/** From the call of trigger to that of the hook, of a run of 5 steps, one run after another. */
async function latencies(store: Store): Promise<number[]> {
  let heard = (_key: string) => {};
  const flow = machine("flow")
    .step("a", ["b"], () => "b")
    .step("b", ["c"], () => "c")
    .step("c", ["d"], () => "d")
    .step("d", ["e"], () => "e")
    .step("e", ["f"], () => "f")
    .onComplete((run) => heard(run.key))
    .build();
  const engine = createEngine({ store, definitions: [flow] });
  await engine.start();
  const found: number[] = [];
  for (let round = 0; round < 300; round++) {
    const startedAt = performance.now();
    const done = new Promise<void>((resolve) => heard = () => resolve());
    await engine.trigger(flow, `k${round}`);
    await done;
    found.push(performance.now() - startedAt);
  }
  await engine.stop();
  return found.slice(100).sort((a, b) => a - b);
}

const rows = [];
for (const [name, open] of stores) {
  const store = open();
  const idle = await idleShare(store);
  const sorted = await latencies(store);
  await store.close();
  rows.push({
    store: name,
    "idle, % of a core": Number((idle * 100).toFixed(2)),
    "5 steps to hook, p50 ms": Number(sorted[sorted.length >> 1]!.toFixed(3)),
    "p99 ms": Number(sorted[Math.floor(sorted.length * 0.99)]!.toFixed(3)),
  });
}
console.table(rows);
await Deno.remove(folder, { recursive: true });
