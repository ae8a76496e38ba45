import assert from "node:assert/strict";
import { createEngine, machine } from "../../mod.ts";
import { libsqlStore } from "../../adapters/libsql/mod.ts";
import { testInMemory, testOnStores } from "./stores.ts";

const flow = machine<{ n: number }>("flow", { pauseRetry: false })
  .step("a", ["b"], (run) => (run.data.n++, "b"))
  .step("b", ["c"], (run) => run.pause("look at it"))
  .build();
const data = { n: 1 };

testOnStores("a run keeps the traceOrigin it was triggered with, through every change", async (world) => {
  const engine = await world.started({ definitions: [flow] });
  const traceOrigin = 'shop/checkout.ts:17 "pay"\n\t\u2028,"data":{}';
  await world.during(engine.trigger(flow, "k", { data, traceOrigin }), 1_000);
  await world.settle();
  const paused = (await world.during(engine.get(flow, "k"), 1_000))!;
  assert.deepEqual([paused.runState, paused.traceOrigin, paused.data], ["paused", traceOrigin, { n: 2 }]);
  const cancelled = await world.during(engine.cancel(flow, "k"), 1_000);
  assert.equal(cancelled.traceOrigin, traceOrigin);
  const { items } = await world.during(engine.list(), 1_000);
  assert.equal(items[0]!.traceOrigin, traceOrigin);
  await world.during(engine.trigger(flow, "plain", { data }), 1_000);
  assert.equal("traceOrigin" in (await world.during(engine.get(flow, "plain"), 1_000))!, false);
});

/** Somebody's own function, whose name a stack shows. */
function placeOrder<Value>(call: () => Promise<Value>): Promise<Value> {
  return call();
}

testInMemory("an engine with traceOrigin keeps the caller's own lines, and none of Pawl's", async (world) => {
  const engine = await world.started({ definitions: [flow], traceOrigin: true });
  await world.during(placeOrder(() => engine.trigger(flow, "k", { data })));
  const { traceOrigin } = (await world.during(engine.get(flow, "k")))!;
  assert.match(traceOrigin!, /placeOrder/);
  assert.match(traceOrigin!.split("\n")[0]!, /trace_origin_test\.ts:\d+:\d+/);
  assert.doesNotMatch(traceOrigin!, /core\//);
  await world.during(engine.trigger(flow, "given", { data, traceOrigin: "mine" }));
  assert.equal((await world.during(engine.get(flow, "given")))!.traceOrigin, "mine");
});

testInMemory("a run triggered by a step is traced to that step", async (world) => {
  const parent = machine("parent").step("a", ["b"], async function startChild() {
    await engine.trigger(flow, "child", { data });
    return "b" as const;
  }).build();
  const engine = await world.started({ definitions: [flow, parent], traceOrigin: true });
  await world.during(engine.trigger(parent, "k"));
  await world.settle();
  const { traceOrigin } = (await world.during(engine.get(flow, "child")))!;
  assert.match(traceOrigin!, /startChild/);
  assert.doesNotMatch(traceOrigin!, /core\//);
});

testInMemory("a traceOrigin is cut to its limit, and must be text", async (world) => {
  const limits = { traceOriginLengthMax: 10 };
  const engine = await world.started({ definitions: [flow], traceOrigin: true, limits });
  await world.during(engine.trigger(flow, "long", { data, traceOrigin: "x".repeat(11) }));
  assert.equal((await world.during(engine.get(flow, "long")))!.traceOrigin, "x".repeat(10));
  await world.during(engine.trigger(flow, "own", { data }));
  assert.equal((await world.during(engine.get(flow, "own")))!.traceOrigin!.length, 10);
  const wrong = engine.trigger(flow, "wrong", { data, traceOrigin: 5 as never });
  await assert.rejects(world.during(wrong), { code: "INVALID_ARGUMENT", message: /traceOrigin is no text/ });
});

Deno.test("prepareTrigger() keeps where it was called from", async () => {
  const folder = await Deno.makeTempDir({ prefix: "pawl-" });
  const store = libsqlStore({ url: `file:${folder}/test.db` });
  const engine = createEngine({ store, definitions: [flow], traceOrigin: true });
  const { statements } = await placeOrder(() => engine.prepareTrigger(flow, "k", { data }));
  assert.ok(statements.some(({ args }) => args.some((arg) => String(arg).includes("placeOrder"))));
  await engine.stop();
  await store.close();
  await Deno.remove(folder, { recursive: true });
});
