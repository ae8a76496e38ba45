import assert from "node:assert/strict";
import { memoryStore } from "../../adapters/memory/mod.ts";
import { type Engine, machine, type StepRun } from "../../mod.ts";
import { keyspace } from "../../core/store/keyspace.ts";
import { gate, type StoreKind, testInMemory, testOnStores, type World } from "./stores.ts";

interface Job {
  n: number;
}

function flowOf(step: (run: StepRun<Job, "b">) => "b" | Promise<"b"> = () => "b") {
  return machine<Job>("flow", { pauseRetry: false }).step("a", ["b"], step).step("b", ["c"], () => "c")
    .build();
}

const flow = flowOf();

const sixteen: readonly StoreKind[] = [{
  name: "memory of 16 shards",
  open() {
    const store = memoryStore({ shards: 16 });
    return Promise.resolve({ store, close: () => store.close() });
  },
}];

/** How many shards of a definition each engine owns. */
async function loads(engines: readonly Engine[], definition = "flow"): Promise<number[]> {
  const shards = await engines[0]!.admin.shards();
  return engines.map(({ admin }) =>
    shards.filter((each) => each.engineId === admin.engineId && each.definition === definition).length
  );
}

/** Triggers runs and sees them end. */
async function serves(client: Engine, keys: readonly string[]): Promise<void> {
  for (const key of keys) await client.trigger(flow, key, { data: { n: 1 } });
  const { items } = await client.list({ definition: "flow", limit: 1 });
  assert.equal(items.length, 1);
}

const keysOf = (prefix: string, count = 40) => Array.from({ length: count }, (_, n) => `${prefix}${n}`);

testOnStores("engines share the shards fairly as they come and go, and every run ends", async (world) => {
  const engines: Engine[] = [];
  for (const expected of [[16], [8, 8], [6, 5, 5], [4, 4, 4, 4]]) {
    engines.push(await world.started({ definitions: [flow] }));
    await serves(engines[0]!, keysOf(`${expected.length}-`));
    await world.advance(2_000);
    assert.deepEqual((await loads(engines)).sort((a, b) => b - a), expected);
  }
  for (const expected of [[6, 5, 5], [8, 8], [16]]) {
    const leaver = engines.pop()!;
    await serves(engines[0]!, keysOf(`left ${expected.length}-`));
    await leaver.stop();
    await world.advance(2_000);
    assert.deepEqual((await loads(engines)).sort((a, b) => b - a), expected);
  }
  await world.advance(1_000);
  const { items } = await engines[0]!.list({ runState: "completed", limit: 500 });
  assert.equal(items.length, 7 * 40);
  assert.deepEqual((await engines[0]!.admin.verify()).findings, []);
}, sixteen);

testOnStores("what a stopped engine had is taken within a poll", async (world) => {
  const engines = [
    await world.started({ definitions: [flow] }),
    await world.started({ definitions: [flow] }),
  ];
  await world.advance(2_000);
  await engines[1]!.stop();
  await world.advance(600);
  assert.deepEqual(await loads(engines), [16, 0]);
}, sixteen);

testOnStores("what a killed engine had is taken when its term has run out, and not before", async (world) => {
  const first = await world.started({ definitions: [flow] });
  const killed = world.mortal({ definitions: [flow] });
  await killed.engine.start();
  await world.advance(5_000);
  assert.deepEqual(await loads([first, killed.engine]), [8, 8]);
  const { expiresAt } = (await first.admin.engines()).find((each) =>
    each.engineId === killed.engine.admin.engineId
  )!;
  killed.kill();
  await world.advance(expiresAt.getTime() - world.clock.now());
  assert.deepEqual(await loads([first, killed.engine]), [8, 8]);
  await world.advance(600);
  assert.deepEqual(await loads([first, killed.engine]), [16, 0]);
}, sixteen);

testOnStores("engines whose clocks are a minute apart live together", async (world) => {
  const engines = [0, 60_000, -60_000].map((skew) =>
    world.engine({ definitions: [flow], clock: { ...world.clock, now: () => world.clock.now() + skew } })
  );
  for (const engine of engines) await world.during(engine.start());
  await world.advance(60_000);
  const before = await engines[0]!.admin.shards();
  await world.advance(600_000);
  assert.deepEqual(await engines[0]!.admin.shards(), before);
  assert.deepEqual((await loads(engines)).sort(), [5, 5, 6]);
}, sixteen);

testInMemory("a shard is passed on only when its running step has landed", async (world) => {
  const held = gate<"b">();
  const two = ["one", "two"].map((name) => machine<Job>(name).step("a", ["b"], () => held.promise).build());
  const first = await world.started({ definitions: two });
  for (const each of two) await first.trigger(each, "k", { data: { n: 0 } });
  await world.settle();
  const second = await world.started({ definitions: two });
  await world.advance(1_000);
  assert.equal((await loads([first], "one"))[0]! + (await loads([first], "two"))[0]!, 2);
  held.resolve("b");
  await world.advance(1_000);
  assert.equal((await loads([first], "one"))[0]! + (await loads([first], "two"))[0]!, 1);
  for (const each of two) {
    const { runId } = await world.during(second.await(each, "k"), 1_000);
    const rows = await second.history({ runId });
    assert.deepEqual(rows.map((row) => row.kind), ["trigger", "move"]);
  }
});

testInMemory("an owner whose step runs on for long keeps its shard and works on", async (world) => {
  const held = gate<"b">();
  const starts: string[] = [];
  const two = ["one", "two"].map((name) =>
    machine<Job>(name).step("a", ["b"], (run) => {
      starts.push(`${name} ${run.key}`);
      return run.key === "slow" ? held.promise : "b";
    }).build()
  );
  const first = await world.started({ definitions: two });
  for (const each of two) await first.trigger(each, "slow", { data: { n: 0 } });
  await world.settle();
  await world.started({ definitions: two });
  await world.advance(1_000);
  for (const each of two) await first.trigger(each, "quick", { data: { n: 0 } });
  await world.advance(2_000);
  for (const each of two) assert.equal((await first.get(each, "quick"))!.runState, "completed", each.name);
  assert.deepEqual(starts.sort(), ["one quick", "one slow", "two quick", "two slow"]);
  held.resolve("b");
  await world.advance(40_000);
  assert.deepEqual([await loads([first], "one"), await loads([first], "two")].flat().sort(), [0, 1]);
});

testOnStores("work goes to the newest code, and back to the older when that is gone", async (world) => {
  const seen: string[] = [];
  const code = (name: string) =>
    flowOf(() => {
      seen.push(name);
      return "b";
    });
  const old = await world.started({ definitions: [code("old")], codeVersion: 1 });
  const { runId } = await old.trigger(flow, "before", { data: { n: 0 } });
  await world.during(old.await(flow, "before", { runId }));
  const fresh = await world.started({ definitions: [code("new")], codeVersion: 2 });
  await world.advance(2_000);
  assert.deepEqual(await loads([old, fresh]), [0, world.store.shards]);
  await old.trigger(flow, "during", { data: { n: 0 } });
  await world.during(old.await(flow, "during"), 1_000);
  await fresh.stop();
  await world.advance(1_000);
  await old.trigger(flow, "after", { data: { n: 0 } });
  await world.during(old.await(flow, "after"), 1_000);
  assert.deepEqual(seen, ["old", "new", "old"]);
});

testOnStores(
  "a rolling deployment without code versions goes by the graph that appeared last",
  async (world) => {
    const longer = machine<Job>("flow").step("a", ["x"], () => "x").step("x", ["b"], () => "b")
      .step("b", ["c"], () => "c").build();
    const old = await world.started({ definitions: [flow] });
    await old.trigger(flow, "k", { data: { n: 0 } });
    await world.advance(1_000);
    const fresh = await world.started({ definitions: [longer] });
    await world.advance(2_000);
    assert.deepEqual(await loads([old, fresh]), [0, world.store.shards]);
    await old.trigger(flow, "through x", { data: { n: 0 } });
    const { runId } = await world.during(fresh.await(longer, "through x"), 1_000);
    assert.ok((await fresh.history({ runId })).some((row) => row.to === "x"));
  },
);

testOnStores(
  "a run that the old code stalled goes on when an engine with newer code comes",
  async (world) => {
    const longer = machine<Job>("flow").step("a", ["x"], () => "x").step("x", ["b"], () => "b").build();
    const client = world.engine({ definitions: [longer], work: false });
    const old = await world.started({ definitions: [flow] });
    await client.trigger(longer, "k", { startAt: "x", data: { n: 0 } });
    await world.advance(1_000);
    assert.equal((await old.get(flow, "k"))!.runState, "stalled");
    const fresh = await world.started({ definitions: [longer] });
    assert.equal((await world.during(fresh.await(longer, "k"), 2_000)).runState, "completed");
    assert.deepEqual((await fresh.admin.verify()).findings, []);
  },
);

testOnStores("work nobody carries is shown as unserved, and done when its code appears", async (world) => {
  const other = machine<Job>("other").step("a", ["b"], () => "b").build();
  const engine = await world.started({ definitions: [flow] });
  const client = world.engine({ definitions: [flow, other], work: false });
  await client.start();
  assert.deepEqual(await engine.admin.unserved(), []);
  const at = world.clock.now();
  for (const key of ["k", "l"]) await client.trigger(other, key, { data: { n: 0 } });
  await client.trigger(flow, "k", { data: { n: 0 } });
  await world.advance(1_000);
  const [unserved, ...more] = await engine.admin.unserved();
  assert.deepEqual(more, []);
  assert.equal(unserved!.definition, "other");
  assert.equal(unserved!.firstDue.getTime(), at);
  assert.ok(unserved!.shards.length >= 1);
  assert.deepEqual(await client.admin.unserved(), [unserved]);
  await world.started({ definitions: [other] });
  await world.during(client.await(other, "k"), 1_000);
  await world.during(client.await(other, "l"), 1_000);
  assert.deepEqual(await engine.admin.unserved(), []);
});

testOnStores(
  "an engine with work: false triggers, awaits, lists and operates, and owns nothing",
  async (world) => {
    const client = world.engine({ definitions: [flow], work: false });
    await client.start();
    await client.trigger(flow, "k", { data: { n: 1 } });
    await client.trigger(flow, "cancelled", { data: { n: 1 } });
    await client.pause(flow, "k");
    await client.cancel(flow, "cancelled", { reason: "no need" });
    await world.advance(5_000);
    assert.deepEqual(await client.admin.engines(), []);
    assert.deepEqual(await client.admin.shards(), []);
    await assert.rejects(client.tick(), { code: "INVALID_ARGUMENT" });
    const worker = await world.started({ definitions: [flow] });
    await client.resume(flow, "k");
    assert.equal((await world.during(client.await(flow, "k"), 2_000)).status, "c");
    const states = (await client.list({ definition: "flow" })).items.map((item) => item.runState);
    assert.deepEqual(states.sort(), ["cancelled", "completed"]);
    const shards = await client.admin.shards();
    assert.ok(shards.every((each) => each.engineId === worker.admin.engineId));
    await client.stop();
    await assert.rejects(client.trigger(flow, "k", { data: { n: 1 } }), { code: "ENGINE_STOPPED" });
  },
);

testInMemory(
  "tick() leaves work to a living engine with newer code, and takes no lasting share",
  async (world) => {
    const fresh = await world.started({ definitions: [flow], codeVersion: 2 });
    await world.advance(1_000);
    const ticker = world.engine({ definitions: [flow], codeVersion: 3 });
    await fresh.trigger(flow, "k", { data: { n: 0 } });
    await world.during(ticker.tick(), 6_000);
    assert.deepEqual(await loads([fresh, ticker]), [1, 0]);
    assert.deepEqual((await fresh.admin.engines()).map((each) => [each.codeVersion, each.definitions]), [[2, [
      "flow",
    ]]]);
  },
);

/** Puts rows as somebody else's process would. */
async function put(world: World, rows: Readonly<Record<string, string>>): Promise<void> {
  const puts = Object.entries(rows).map(([key, value]) => ({ key, value }));
  const committer = { id: `test ${Math.random()}`, callId: "1" };
  await world.store.commit([{ shard: 0, committer, batches: [{ checks: [], puts, deletes: [] }] }]);
}

testInMemory("what its rightful engine leaves lying, another takes after a term", async (world) => {
  // Alive and newer, but deaf: it renews its presence and never takes anything.
  const graph = JSON.stringify([["flow", "?"]]);
  const renew = () => {
    const expiresAt = world.clock.now() + 10_000;
    const row = `{"expiresAt":${expiresAt},"termMs":10000,"since":9,"codeVersion":9,"carries":${graph}}`;
    return put(world, { [keyspace.presence.key("deaf")]: row });
  };
  await renew();
  const engine = await world.started({ definitions: [flow] });
  await engine.trigger(flow, "k", { data: { n: 0 } });
  for (let at = 0; at < 9_000; at += 3_000) {
    assert.deepEqual(await loads([engine]), [0]);
    await renew();
    await world.advance(3_000);
  }
  for (let at = 0; at < 9_000; at += 3_000) {
    await renew();
    await world.advance(3_000);
  }
  assert.equal((await engine.get(flow, "k"))!.runState, "completed");
  // Passed on again, it comes back again.
  for (let at = 0; at < 60_000; at += 3_000) {
    await renew();
    await world.advance(3_000);
  }
  await engine.trigger(flow, "l", { data: { n: 0 } });
  for (let at = 0; at < 30_000; at += 3_000) {
    await renew();
    await world.advance(3_000);
  }
  assert.equal((await engine.get(flow, "l"))!.runState, "completed");
});

testInMemory("a damaged owner or presence row keeps no engine from its work", async (world) => {
  await put(world, {
    [keyspace.owner.key("flow")]: "{damaged",
    [keyspace.owner.key("other")]: "null",
    [keyspace.presence.key("x")]: "damaged",
    [keyspace.presence.key("y")]: "7",
  });
  const engine = await world.started({ definitions: [flow] });
  await engine.trigger(flow, "k", { data: { n: 0 } });
  await world.during(engine.await(flow, "k"), 1_000);
  await world.advance(60_000);
  assert.deepEqual((await engine.admin.engines()).map((each) => each.engineId), [engine.admin.engineId]);
});

testInMemory("stop() while a shard is being passed on leaves no timer behind", async (world) => {
  const held = gate<"b">();
  const two = ["one", "two"].map((name) => machine<Job>(name).step("a", ["b"], () => held.promise).build());
  const first = await world.started({ definitions: two });
  for (const each of two) await first.trigger(each, "k", { data: { n: 0 } });
  const second = await world.started({ definitions: two });
  await world.advance(700);
  await world.during(Promise.all([first.stop({ grace: 0 }), second.stop({ grace: 0 })]));
  assert.equal(world.clock.timers, 0);
});
