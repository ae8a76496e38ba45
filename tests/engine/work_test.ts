import assert from "node:assert/strict";
import { machine } from "../../mod.ts";
import { gate, testInMemory, testOnStores } from "./stores.ts";

const quick = machine<undefined>("quick")
  .step("a", ["b"], () => "b")
  .step("b", ["c"], () => "c")
  .build();
const later = machine<undefined>("later").step("a", ["b"], () => "b", { lag: "1h" }).build();

testOnStores(
  "tick() works off everything due, chains of steps included, and gives everything back",
  async (world) => {
    const engine = world.engine({ definitions: [quick] });
    for (let n = 0; n < 20; n++) await engine.trigger(quick, `k${n}`);
    const report = await world.during(engine.tick(), 5_000);
    assert.deepEqual(report, { processed: 40, heldElsewhere: 0, running: 0 });
    assert.equal((await engine.list({ runState: "completed" })).items.length, 20);
    assert.deepEqual(await engine.admin.engines(), []);
    for (const shard of await engine.admin.shards()) assert.equal(shard.engineId, undefined);
  },
);

testOnStores("tick() claims nothing when nothing is due, and says when something will be", async (world) => {
  const engine = world.engine({ definitions: [quick, later] });
  assert.deepEqual(await engine.tick(), { processed: 0, heldElsewhere: 0, running: 0 });
  await engine.trigger(later, "k");
  const { nextDueAt, ...rest } = await engine.tick();
  assert.deepEqual(rest, { processed: 0, heldElsewhere: 0, running: 0 });
  assert.equal(nextDueAt!.getTime(), world.clock.now() + 3_600_000);
  assert.deepEqual(await engine.admin.shards(), []);
  await world.advance(3_600_000);
  assert.equal((await world.during(engine.tick(), 5_000)).processed, 1);
});

testOnStores("tick() of many engines in turn finishes each other's work", async (world) => {
  const { runId } = await world.engine({ definitions: [quick] }).trigger(quick, "k");
  for (let turn = 0; turn < 3; turn++) {
    const engine = world.engine({ definitions: [quick, later] });
    await world.during(engine.tick({ budgetMs: 1_000 }), 10_000);
    await engine.stop();
  }
  const engine = world.engine({ definitions: [quick] });
  const rows = await engine.history({ runId });
  assert.deepEqual(rows.map((row) => row.kind), ["trigger", "move", "move"]);
});

testOnStores(
  "tick() starts nothing past its budget, lets running steps land, and tells the rest to stop",
  async (world) => {
    const signals: AbortSignal[] = [];
    const ends = new Map<string, PromiseWithResolvers<void>>();
    const slow = machine<undefined>("slow")
      .step("a", ["b"], async (run) => {
        signals.push(run.signal);
        const end = gate();
        ends.set(run.key, end);
        await end.promise;
        return "b";
      })
      .step("b", ["c"], () => "c")
      .build();
    const engine = world.engine({ definitions: [slow] });
    await engine.trigger(slow, "lands");
    await engine.trigger(slow, "hangs");
    const ticked = engine.tick({ budgetMs: 1_000 });
    await world.advance(2_000);
    ends.get("lands")!.resolve();
    await world.settle();
    assert.equal(
      (await engine.get(slow, "lands"))!.status,
      "b",
      "it landed past the budget, and went no further",
    );
    assert.equal(signals[1]!.aborted, false);
    const report = await world.during(ticked, 10_000);
    assert.deepEqual([report.processed, report.running, signals[1]!.aborted], [1, 1, true]);
    assert.equal(report.nextDueAt!.getTime() <= world.clock.now(), true);
    ends.get("hangs")!.resolve();
    await world.settle();
    assert.equal((await engine.get(slow, "hangs"))!.status, "a", "its shard had been given back");
    assert.equal((await world.during(engine.tick(), 10_000)).running >= 0, true);
  },
);

testOnStores("tick() reports shards with due work that another engine holds", async (world) => {
  const end = gate();
  const slow = machine<undefined>("slow").step("a", ["b"], async () => (await end.promise, "b" as const))
    .build();
  const holder = await world.started({ definitions: [slow] });
  await holder.trigger(slow, "k");
  await world.settle();
  const other = world.engine({ definitions: [slow] });
  const report = await other.tick();
  assert.deepEqual([report.processed, report.heldElsewhere], [0, 1]);
  assert.equal((await holder.admin.engines()).length, 1);
  end.resolve();
  await world.settle();
});

testOnStores("tick() of a started engine works too, and keeps its shards", async (world) => {
  const engine = await world.started({ definitions: [quick, later] });
  const guest = world.engine({ definitions: [quick] });
  await guest.trigger(quick, "k");
  await engine.trigger(later, "k");
  const report = await world.during(engine.tick(), 10_000);
  assert.equal((await engine.get(quick, "k"))!.runState, "completed");
  assert.equal(report.nextDueAt!.getTime(), world.clock.now() + 3_600_000);
  assert.equal((await engine.admin.engines()).length, 1);
});

testInMemory("tick() refuses a bad budget", async (world) => {
  const engine = world.engine({ definitions: [quick] });
  await assert.rejects(engine.tick({ budgetMs: -1 }), { code: "INVALID_DURATION" });
  await assert.rejects(engine.tick({ budgetMs: NaN }), { code: "INVALID_DURATION" });
});

testOnStores("start() owns every shard of every definition, and stop() gives all back", async (world) => {
  const engine = await world.started({ definitions: [quick, later] });
  const owned = await engine.admin.shards();
  assert.equal(owned.length, 2 * world.store.shards);
  assert.ok(owned.every((each) => each.engineId === engine.admin.engineId && each.epoch === 1));
  const [self] = await engine.admin.engines();
  assert.equal(self!.engineId, engine.admin.engineId);
  assert.ok(self!.expiresAt.getTime() > world.clock.now());
  await engine.stop();
  const next = world.engine({ definitions: [quick] });
  assert.deepEqual(await next.admin.engines(), []);
  assert.ok((await next.admin.shards()).every((each) => each.engineId === undefined));
});

testInMemory("start() refuses to start twice or after stop()", async (world) => {
  const engine = await world.started({ definitions: [quick] });
  await assert.rejects(engine.start(), { code: "INVALID_ARGUMENT", message: /started already/ });
  await engine.stop();
  await assert.rejects(engine.start(), { code: "ENGINE_STOPPED" });
});

testOnStores(
  "start() works off what was triggered before it, and what guests trigger after it",
  async (world) => {
    const guest = world.engine({ definitions: [quick] });
    await guest.trigger(quick, "before");
    const engine = await world.started({ definitions: [quick] });
    await guest.trigger(quick, "after");
    await world.advance(1_000);
    for (const key of ["before", "after"]) {
      assert.equal(
        (await engine.get(quick, key))!.runState,
        "completed",
      );
    }
  },
);

testOnStores(
  "stop() lets running steps land, starts nothing more, and leaves the rest for the next engine",
  async (world) => {
    const end = gate<"b">();
    const slow = machine<undefined>("slow").step("a", ["b"], () => end.promise).step("b", ["c"], () => "c")
      .build();
    const engine = await world.started({ definitions: [slow] });
    await engine.trigger(slow, "k");
    await world.settle();
    const stopped = engine.stop();
    await world.advance(1_000);
    end.resolve("b");
    await world.during(stopped);
    const next = world.engine({ definitions: [slow] });
    assert.deepEqual([(await next.get(slow, "k"))!.status, (await next.get(slow, "k"))!.runState], [
      "b",
      "running",
    ]);
    assert.equal((await world.during(next.tick(), 5_000)).processed, 1);
  },
);

testOnStores("stop() past its grace tells running steps to stop and drops their answers", async (world) => {
  const end = gate<"b">();
  let signal: AbortSignal | undefined;
  let starts = 0;
  const slow = machine<undefined>("slow").step("a", ["b"], (run) => {
    signal = run.signal;
    return starts++ === 0 ? end.promise : "b";
  }).build();
  const engine = await world.started({ definitions: [slow] });
  await engine.trigger(slow, "k");
  await world.settle();
  const stopped = engine.stop({ grace: "2s" });
  await world.advance(1_999);
  assert.equal(signal!.aborted, false);
  await world.advance(1);
  await world.during(stopped);
  assert.equal(signal!.aborted, true);
  end.resolve("b");
  await world.settle();
  const next = await world.started({ definitions: [slow] });
  assert.equal((await world.during(next.await(slow, "k"), 1_000)).runState, "completed");
  assert.equal(starts, 2);
});

testInMemory(
  "stop() called twice resolves for both calls when everything has been given back",
  async (world) => {
    const end = gate<"b">();
    const slow = machine<undefined>("slow").step("a", ["b"], () => end.promise).build();
    const engine = await world.started({ definitions: [slow] });
    await engine.trigger(slow, "k");
    await world.settle();
    let done = 0;
    const stops = [engine.stop(), engine.stop()].map((each) => each.then(() => done++));
    await world.settle();
    assert.equal(done, 0);
    end.resolve("b");
    await world.during(Promise.all(stops));
    await engine.stop();
  },
);

testInMemory("stop() before start() has resolved leaves nothing owned and no timer", async (world) => {
  const engine = world.engine({ definitions: [quick] });
  const started = engine.start().catch((error) => error);
  await world.during(engine.stop(), 5_000);
  await started;
  await world.advance(30_000);
  const next = world.engine({ definitions: [quick] });
  assert.ok((await next.admin.shards()).every((each) => each.engineId === undefined));
  assert.deepEqual(await next.admin.engines(), []);
  assert.equal(world.clock.timers, 0);
});

testInMemory("stop() leaves no timer behind", async (world) => {
  const engine = await world.started({ definitions: [quick, later] });
  await engine.trigger(later, "k");
  const waited = assert.rejects(engine.await(later, "k", { timeout: "1d" }), { code: "ENGINE_STOPPED" });
  await world.settle();
  await engine.stop();
  await waited;
  assert.equal(world.clock.timers, 0);
});

testInMemory(
  "every verb rejects with ENGINE_STOPPED after stop(), and throws nothing in its call",
  async (world) => {
    const engine = await world.started({ definitions: [quick] });
    const { runId } = await engine.trigger(quick, "k");
    await engine.stop();
    const calls = [
      () => engine.trigger(quick, "k"),
      () => engine.await(quick, "k"),
      () => engine.get(quick, "k"),
      () => engine.list(),
      () => engine.history({ runId }),
      () => engine.pause(quick, "k"),
      () => engine.resume(quick, "k"),
      () => engine.cancel(quick, "k"),
      () => engine.tick(),
      () => engine.start(),
    ];
    for (const call of calls) await assert.rejects(call(), { code: "ENGINE_STOPPED" }, String(call));
  },
);

testInMemory("an idle engine reads and writes only its poll and its sign of life", async (world) => {
  const engine = await world.started({ definitions: [quick], poll: "1s", lease: { term: "30s" } });
  await world.settle();
  const before = engine.admin.counts();
  await world.advance(60_000);
  const after = engine.admin.counts();
  assert.ok(after.commits - before.commits <= 7, `${after.commits - before.commits} commits`);
  assert.ok(after.reads - before.reads <= 60 + 10, `${after.reads - before.reads} reads`);
});

testInMemory("createEngine() refuses bad options, naming them", () => {
  return Promise.resolve().then(async () => {
    const { createEngine } = await import("../../mod.ts");
    const { memoryStore } = await import("../../adapters/memory/mod.ts");
    const store = memoryStore();
    const good = { store, definitions: [quick] };
    const bad: [object, RegExp][] = [
      [{ ...good, store: undefined }, /store/],
      [{ ...good, store: {} }, /store/],
      [{ ...good, definitions: undefined }, /definitions/],
      [{ ...good, definitions: [machine("m").step("a", ["b"], () => "b")] }, /build/],
      [{ ...good, definitions: [undefined] }, /build/],
      [{ ...good, definitions: [quick, quick] }, /"quick"/],
      [{ ...good, limits: { scanMax: 0 } }, /scanMax/],
      [{ ...good, limits: { scamMax: 9 } }, /scamMax/],
      [{ ...good, codeVersion: -1 }, /codeVersion/],
      [{ ...good, codeVersion: 1.5 }, /codeVersion/],
      [{ ...good, limits: { pageMax: NaN } }, /pageMax/],
      [{ ...good, limits: { runsInFlightMax: "5" } }, /runsInFlightMax/],
      [{ ...good, poll: 0 }, /poll/],
      [{ ...good, lease: { term: 10 } }, /lease\.term/],
      [{ ...good, lease: { term: "x" } }, /lease\.term/],
    ];
    for (const [options, message] of bad) assert.throws(() => createEngine(options as never), { message });
    await store.close();
  });
});
