import assert from "node:assert/strict";
import { machine, RunEndedError } from "../../mod.ts";
import { gate, testInMemory, testOnStores } from "./stores.ts";

function gatedMachine() {
  const gates = { a: gate<"b" | "end">(), b: gate<"c">() };
  const flow = machine<undefined>("flow")
    .step("a", ["b", "end"], () => gates.a.promise)
    .step("b", ["c"], () => gates.b.promise)
    .step("c", ["end"], () => "end")
    .build();
  return { flow, gates };
}

testOnStores(
  "await() without a status resolves when the run has ended, with its last view",
  async (world) => {
    const { flow, gates } = gatedMachine();
    const engine = await world.started({ definitions: [flow] });
    const { runId } = await engine.trigger(flow, "k");
    const end = engine.await(flow, "k");
    gates.a.resolve("b");
    gates.b.resolve("c");
    const run = await end;
    assert.deepEqual([run.runId, run.status, run.runState, run.key], [runId, "end", "completed", "k"]);
    assert.equal((await engine.await(flow, "k")).runId, runId, "also when it has ended before the call");
  },
);

testOnStores("await() of a status resolves at once when the run is there already", async (world) => {
  const { flow } = gatedMachine();
  const engine = world.engine({ definitions: [flow] });
  await engine.trigger(flow, "k");
  assert.equal((await engine.await(flow, "k", { status: "a" })).status, "a");
});

testOnStores("await() of a status resolves while the run passes through it", async (world) => {
  const { flow, gates } = gatedMachine();
  const engine = await world.started({ definitions: [flow] });
  await engine.trigger(flow, "k");
  const atB = engine.await(flow, "k", { status: "b" });
  gates.a.resolve("b");
  assert.equal((await atB).status, "b");
  gates.b.resolve("c");
  assert.equal((await engine.await(flow, "k", { status: "end" })).runState, "completed");
});

testOnStores("await() of a status that has gone by resolves with the current view", async (world) => {
  const { flow, gates } = gatedMachine();
  const engine = await world.started({ definitions: [flow] });
  await engine.trigger(flow, "k");
  gates.a.resolve("b");
  gates.b.resolve("c");
  await engine.await(flow, "k");
  for (const status of ["a", "b", "c"] as const) {
    assert.equal((await engine.await(flow, "k", { status })).status, "end", status);
  }
});

testOnStores(
  "await() of a status that has gone by does not wait for the run's end, also between two polls",
  async (world) => {
    const flow = machine<undefined>("flow")
      .step("a", ["b"], () => "b", { lag: "10s" })
      .step("b", ["c"], () => "c")
      .step("c", ["end"], (run) => run.skip())
      .build();
    await world.started({ definitions: [flow] });
    const client = world.engine({ definitions: [flow], poll: "1h" });
    await client.trigger(flow, "k");
    const early = client.await(flow, "k", { status: "b" });
    await world.advance(11_000);
    assert.deepEqual([(await client.get(flow, "k"))!.status, (await client.get(flow, "k"))!.runState], [
      "c",
      "running",
    ]);
    assert.equal((await world.during(client.await(flow, "k", { status: "b" }))).status, "c");
    assert.equal((await world.during(early, 3_700_000)).status, "c");
  },
);

testOnStores("await() finds a status that went by long ago, behind pages of history", async (world) => {
  let rounds = 0;
  const loop = machine<undefined>("loop")
    .step("a", ["b"], () => "b")
    .step("b", ["end"], (run) => ++rounds < 40 ? run.repeat() : "end")
    .build();
  const engine = await world.started({ definitions: [loop], limits: { pageMax: 7 } });
  await engine.trigger(loop, "k");
  await engine.await(loop, "k");
  assert.equal((await engine.await(loop, "k", { status: "a" })).runState, "completed");
});

testOnStores("await() rejects with RunEndedError when the run ends without the status", async (world) => {
  const { flow, gates } = gatedMachine();
  const engine = await world.started({ definitions: [flow] });
  const { runId } = await engine.trigger(flow, "k");
  const atB = engine.await(flow, "k", { status: "b" });
  gates.a.resolve("end");
  await assert.rejects(atB, (error) => {
    assert.ok(error instanceof RunEndedError);
    assert.deepEqual([error.code, error.runId, error.runState], ["RUN_ENDED", runId, "completed"]);
    return true;
  });
  await assert.rejects(engine.await(flow, "k", { status: "b" }), { code: "RUN_ENDED" });
});

testOnStores(
  "await() of a status rejects for a cancelled run, and without a status resolves",
  async (world) => {
    const { flow } = gatedMachine();
    const engine = world.engine({ definitions: [flow] });
    await engine.trigger(flow, "k");
    const [atEnd, ended] = [engine.await(flow, "k", { status: "end" }), engine.await(flow, "k")];
    const rejected = assert.rejects(atEnd, { code: "RUN_ENDED", runState: "cancelled" });
    await engine.cancel(flow, "k");
    await rejected;
    assert.equal((await ended).runState, "cancelled");
  },
);

testOnStores("await() goes on through a pause", async (world) => {
  const { flow, gates } = gatedMachine();
  const engine = await world.started({ definitions: [flow] });
  await engine.trigger(flow, "k");
  const ended = engine.await(flow, "k");
  await engine.pause(flow, "k");
  gates.a.resolve("end");
  const run = await world.during(ended);
  assert.equal(run.runState, "completed", "a terminal landing completes also a paused run");
});

testOnStores("await() rejects with AWAIT_TIMEOUT at its timeout, not before", async (world) => {
  const { flow } = gatedMachine();
  const engine = world.engine({ definitions: [flow] });
  await engine.trigger(flow, "k");
  const waited = engine.await(flow, "k", { timeout: "10s" });
  let code: string | undefined;
  waited.catch((error) => code = error.code);
  await world.advance(9_999);
  assert.equal(code, undefined);
  await world.advance(1);
  assert.equal(code, "AWAIT_TIMEOUT");
});

testInMemory("await() leaves no timer behind, however it ends", async (world) => {
  const { flow } = gatedMachine();
  const engine = world.engine({ definitions: [flow] });
  await engine.trigger(flow, "k");
  const ended = [
    assert.rejects(engine.await(flow, "k", { timeout: "bad" }), { code: "INVALID_DURATION" }),
    assert.rejects(engine.await(flow, "nobody", { timeout: "1h" }), { code: "RUN_NOT_FOUND" }),
    assert.rejects(
      engine.await(flow, "k", { timeout: "1h", signal: AbortSignal.abort("no") }),
      (reason) => reason === "no",
    ),
    engine.await(flow, "k", { status: "a", timeout: "1h" }),
  ];
  const late = new AbortController();
  ended.push(
    assert.rejects(engine.await(flow, "k", { timeout: "1h", signal: late.signal }), { code: "ENOUGH" }),
  );
  late.abort(Object.assign(new Error("enough"), { code: "ENOUGH" }));
  await Promise.all(ended);
  await world.advance(5_000);
  assert.equal(world.clock.timers, 0);
});

testOnStores("await() ends with its signal's reason, at any moment of the wait", async (world) => {
  const { flow } = gatedMachine();
  const engine = world.engine({ definitions: [flow] });
  await engine.trigger(flow, "k");
  for (let hops = 0; hops < 8; hops++) {
    const stop = new AbortController();
    const waited = engine.await(flow, "k", { signal: stop.signal });
    const rejected = assert.rejects(waited, { message: "enough" });
    for (let hop = 0; hop < hops; hop++) await new Promise<void>((resolve) => setImmediate(() => resolve()));
    stop.abort(new Error("enough"));
    await world.during(rejected);
  }
});

testInMemory(
  "await() rejects with RUN_NOT_FOUND, UNKNOWN_STATUS and INVALID_ARGUMENT for what is not there",
  async (world) => {
    const { flow } = gatedMachine();
    const engine = world.engine({ definitions: [flow] });
    const { runId } = await engine.trigger(flow, "k");
    await assert.rejects(engine.await(flow, "nobody"), { code: "RUN_NOT_FOUND" });
    await assert.rejects(engine.await(flow, "other", { runId }), { code: "RUN_NOT_FOUND" });
    await assert.rejects(engine.await(flow, "k", { runId: "0".repeat(30) }), { code: "RUN_NOT_FOUND" });
    await assert.rejects(engine.await(flow, "k", { runId: "no id" }), { code: "INVALID_ARGUMENT" });
    await assert.rejects(engine.await(flow, "k", { status: "nowhere" as never }), { code: "UNKNOWN_STATUS" });
  },
);

testOnStores("await() binds to the latest run at the call, and runId to an older one", async (world) => {
  const { flow } = gatedMachine();
  const engine = world.engine({ definitions: [flow] });
  const first = await engine.trigger(flow, "k");
  const onFirst = engine.await(flow, "k");
  await world.settle();
  await engine.cancel(flow, "k");
  const second = await engine.trigger(flow, "k");
  assert.equal((await onFirst).runId, first.runId);
  assert.equal((await engine.await(flow, "k", { runId: first.runId })).runState, "cancelled");
  assert.equal((await engine.await(flow, "k", { status: "a" })).runId, second.runId);
});

testOnStores("await() on an engine that owns nothing hears of another engine's commits", async (world) => {
  const { flow, gates } = gatedMachine();
  const worker = await world.started({ definitions: [flow] });
  const client = world.engine({ definitions: [flow] });
  await client.trigger(flow, "k");
  const [atB, end] = [client.await(flow, "k", { status: "b" }), client.await(flow, "k")];
  await world.advance(1_000);
  gates.a.resolve("b");
  await world.advance(1_000);
  assert.equal((await world.during(atB)).status, "b");
  gates.b.resolve("c");
  assert.equal((await world.during(end, 2_000)).status, "end");
  assert.equal((await worker.get(flow, "k"))!.runState, "completed");
});

testOnStores("await() of 200 runs at once resolves for each with its own run", async (world) => {
  const quick = machine<{ n: number }>("quick").step("a", ["b"], () => "b").build();
  const worker = await world.started({ definitions: [quick] });
  const client = world.engine({ definitions: [quick] });
  const keys = Array.from({ length: 200 }, (_, n) => `k${n}`);
  await Promise.all(keys.map((key, n) => client.trigger(quick, key, { data: { n } })));
  const all = Promise.all(keys.map((key) => client.await(quick, key)));
  const runs = await world.during(all, 2_000);
  runs.forEach((run, n) => assert.deepEqual([run.key, run.data.n, run.runState], [`k${n}`, n, "completed"]));
  assert.ok(worker.admin.counts().steps >= 200);
});

testOnStores(
  "await() begun while the engine stops ends with it, and leaves no timer behind",
  async (world) => {
    const { flow } = gatedMachine();
    const { engine } = world.mortal({ definitions: [flow] });
    await world.during(engine.start());
    await engine.trigger(flow, "k");
    await world.settle();
    const stopped = engine.stop({ grace: "1s" });
    await world.settle();
    const end = assert.rejects(engine.await(flow, "k"), { code: "ENGINE_STOPPED" });
    await world.during(Promise.all([stopped, end]), 2_000);
    assert.equal(world.clock.timers, 0);
  },
);
