import assert from "node:assert/strict";
import { machine, type StepRun } from "../../mod.ts";
import { gate, testInMemory, testOnStores } from "./stores.ts";

interface Job {
  n: number;
}

/** A machine whose step does what the test gives each process to do. */
function flowOf(answer: (run: StepRun<Job, "b">) => "b" | Promise<"b">, pauseRetry: false | string = false) {
  return machine<Job>("flow", { pauseRetry })
    .step("a", ["b"], answer)
    .step("b", ["c"], () => "c")
    .build();
}

const never = () => new Promise<"b">(() => {});

testOnStores(
  "an engine takes over from one that died without a word, after its term and not before",
  async (world) => {
    const dead = world.mortal({ definitions: [flowOf(never)] });
    await dead.engine.start();
    const { runId } = await dead.engine.trigger(flowOf(never), "k", { data: { n: 1 } });
    await world.advance(4_000);
    dead.kill();
    const diedAt = world.clock.now();
    const flow = flowOf(() => "b");
    const heir = await world.started({ definitions: [flow] });
    const waited = heir.await(flow, "k");
    await world.advance(5_000);
    assert.equal((await heir.get(flow, "k"))!.runState, "initiated");
    const run = await world.during(waited, 20_000);
    assert.equal(run.runState, "completed");
    assert.ok(world.clock.now() - diedAt <= 16_000, `${world.clock.now() - diedAt} ms`);
    const rows = await heir.history({ runId });
    assert.deepEqual(rows.map((row) => `${row.kind} ${row.by}`), [
      "trigger client",
      "interrupted engine",
      "move step",
      "move step",
    ]);
    assert.ok(
      (await heir.admin.shards()).every((each) => each.engineId === heir.admin.engineId && each.epoch === 2),
    );
    assert.deepEqual((await heir.admin.verify()).findings, []);
  },
);

testOnStores(
  "an engine that stopped properly is followed at once, and nothing is counted against its runs",
  async (world) => {
    const flow = flowOf(() => "b");
    const first = world.engine({ definitions: [flow] });
    const { runId } = await first.trigger(flow, "k", { data: { n: 1 } });
    await world.during(first.start());
    await first.stop();
    const next = await world.started({ definitions: [flow] });
    await world.during(next.await(flow, "k"));
    assert.ok((await next.history({ runId })).every((row) => row.kind !== "interrupted"));
  },
);

testOnStores(
  "a zombie's commit is refused, its step told to stop, and its run not moved twice",
  async (world) => {
    const end = gate<"b">();
    const signals: AbortSignal[] = [];
    let starts = 0;
    const flow = flowOf((run) => {
      signals.push(run.signal);
      run.data.n = ++starts;
      return starts === 1 ? end.promise : "b";
    });
    const zombie = world.mortal({ definitions: [flow] });
    await zombie.engine.start();
    const { runId } = await zombie.engine.trigger(flow, "k", { data: { n: 0 } });
    await world.settle();
    zombie.freeze();
    const heir = await world.started({ definitions: [flow] });
    const run = await world.during(heir.await(flow, "k"), 30_000);
    assert.deepEqual([run.runState, run.data.n], ["completed", 2]);
    end.resolve("b");
    zombie.wake();
    await world.advance(20_000);
    assert.equal(signals[0]!.aborted, true);
    assert.deepEqual((await heir.get(flow, "k"))!.data, { n: 2 });
    assert.deepEqual((await heir.history({ runId })).map((row) => row.kind), [
      "trigger",
      "interrupted",
      "move",
      "move",
    ]);
    assert.deepEqual((await heir.admin.verify()).findings, []);
    await world.during(zombie.engine.stop({ grace: 0 }), 1_000);
  },
);

testOnStores("a frozen engine that wakes again verbs as a guest of its heir", async (world) => {
  const flow = flowOf(never);
  const zombie = world.mortal({ definitions: [flow] });
  await zombie.engine.start();
  await zombie.engine.trigger(flow, "k", { data: { n: 0 } });
  await world.settle();
  zombie.freeze();
  const heir = await world.started({ definitions: [flow] });
  await world.advance(30_000);
  zombie.wake();
  const paused = await world.during(zombie.engine.pause(flow, "k", { reason: "by the zombie" }), 5_000);
  assert.equal(paused.runState, "paused");
  const other = await world.during(zombie.engine.trigger(flow, "other", { data: { n: 0 } }), 5_000);
  assert.equal((await heir.get(flow, "other"))!.runId, other.runId);
  await world.during(zombie.engine.stop({ grace: 0 }), 1_000);
});

testOnStores("an engine that was frozen for less than its term keeps its shards", async (world) => {
  const flow = flowOf(() => "b");
  const engine = world.mortal({ definitions: [flow] });
  await engine.engine.start();
  await world.started({ definitions: [flow] });
  await world.advance(5_000);
  const before = await engine.engine.admin.shards();
  engine.freeze();
  await world.advance(4_000);
  engine.wake();
  await world.advance(30_000);
  assert.deepEqual(await engine.engine.admin.shards(), before);
  assert.ok(before.some((each) => each.engineId === engine.engine.admin.engineId));
  await world.during(engine.engine.stop(), 1_000);
});

testOnStores(
  "a clock that jumps far ahead on the watcher's side makes no second owner commit",
  async (world) => {
    const flow = machine<Job>("flow").step("a", ["b"], (run) => ++run.data.n < 50 ? run.repeat() : "b", {
      lag: 100,
    }).build();
    const engines = [
      await world.started({ definitions: [flow] }),
      await world.started({ definitions: [flow] }),
    ];
    const { runId } = await engines[0]!.trigger(flow, "k", { data: { n: 0 } });
    for (let round = 0; round < 10; round++) {
      await world.advance(400);
      world.clock.jump(round % 2 === 0 ? 3_600_000 : -3_600_000);
    }
    await world.during(engines[1]!.await(flow, "k"), 7_300_000);
    const rows = await engines[0]!.history({ runId });
    assert.equal(rows.filter((row) => row.kind === "repeat" || row.kind === "move").length, 50);
    assert.deepEqual((await engines[0]!.admin.verify()).findings, []);
  },
);

testOnStores(
  "an engine takes over from a dead one whose clock was an hour ahead, after a term of its own clock",
  async (world) => {
    const flow = flowOf(() => "b");
    world.clock.jump(3_600_000);
    const dead = world.mortal({ definitions: [flowOf(never)] });
    await dead.engine.start();
    await dead.engine.trigger(flow, "k", { data: { n: 0 } });
    await world.settle();
    dead.kill();
    // The run was triggered an hour ahead, too: it is due when this clock gets there.
    const heir = await world.started({ definitions: [flow] });
    world.clock.jump(-3_600_000);
    await world.advance(20_000);
    assert.ok(
      (await heir.admin.shards()).every((each) => each.engineId === heir.admin.engineId && each.epoch === 2),
    );
  },
);

testOnStores("a step that takes its process down is counted, isolated and at last paused", async (world) => {
  const crashesMax = 3;
  const starts = new Map<string, number>();
  const flow = flowOf(never);
  const guest = world.engine({ definitions: [flow] });
  const keys = ["good 0", "good 1", "killer", "good 2", "good 3"];
  for (const key of keys) await guest.trigger(flow, key, { data: { n: 0 } });
  for (let life = 0; life < 12; life++) {
    const process = world.mortal({
      definitions: [flowOf((run) => {
        starts.set(run.key, (starts.get(run.key) ?? 0) + 1);
        if (run.key !== "killer") return "b";
        process.kill();
        return never();
      })],
      limits: { crashesMax },
    });
    await process.engine.start().catch(() => {});
    await world.advance(11_000);
    const killer = (await guest.get(flow, "killer"))!;
    process.kill();
    if (killer.runState === "paused") break;
    await world.advance(11_000);
  }
  const killer = (await guest.get(flow, "killer"))!;
  assert.equal(killer.runState, "paused");
  assert.match(killer.reason!, /"a" took its process down 3 times/);
  assert.ok(starts.get("killer")! <= crashesMax + 1, `${starts.get("killer")} starts`);
  for (const key of keys.filter((each) => each !== "killer")) {
    assert.equal((await guest.get(flow, key))!.runState, "completed", key);
  }
  assert.deepEqual((await guest.admin.verify()).findings, []);
});

testOnStores(
  "an interruption forgets itself once the step lands, and a resume starts the count anew",
  async (world) => {
    const flow = flowOf(() => "b");
    const dead = world.mortal({ definitions: [flowOf(never)] });
    await dead.engine.start();
    const { runId } = await dead.engine.trigger(flow, "k", { data: { n: 0 } });
    await world.settle();
    dead.kill();
    const heir = await world.started({ definitions: [flow], limits: { crashesMax: 1 } });
    await world.during(heir.await(flow, "k"), 30_000);
    const kinds = (await heir.history({ runId })).map((row) => row.kind);
    assert.deepEqual(kinds, ["trigger", "interrupted", "move", "move"]);
  },
);

testOnStores("a take-over of 300 due runs starts them all, each with a recorded attempt", async (world) => {
  const flow = flowOf(() => "b");
  const dead = world.mortal({ definitions: [flowOf(never)], limits: { runsInFlightMax: 500 } });
  await dead.engine.start();
  await Promise.all(
    Array.from({ length: 300 }, (_, n) => dead.engine.trigger(flow, `k${n}`, { data: { n } })),
  );
  await world.settle();
  dead.kill();
  const heir = await world.started({ definitions: [flow] });
  await world.advance(25_000);
  assert.equal((await heir.list({ runState: "completed", limit: 500 })).items.length, 300);
  assert.deepEqual((await heir.admin.verify()).findings, []);
});

testOnStores("tick() takes over from a dead engine, suspects included", async (world) => {
  const flow = flowOf(() => "b");
  const dead = world.mortal({ definitions: [flowOf(never)] });
  await dead.engine.start();
  for (let n = 0; n < 30; n++) await dead.engine.trigger(flow, `k${n}`, { data: { n } });
  await world.settle();
  dead.kill();
  const heir = world.engine({ definitions: [flow] });
  const early = await world.during(heir.tick(), 20_000);
  assert.equal(early.processed, 0);
  assert.ok(early.heldElsewhere >= 1);
  await world.advance(12_000);
  const late = await world.during(heir.tick(), 20_000);
  assert.equal(late.processed, 60);
});

testOnStores(
  "two engines share their shards' work, and each takes all when the other stops",
  async (world) => {
    const one = machine<Job>("one").step("a", ["b"], () => "b").build();
    const two = machine<Job>("two").step("a", ["b"], () => "b").build();
    const first = await world.started({ definitions: [one] });
    const second = await world.started({ definitions: [one, two] });
    for (let n = 0; n < 8; n++) {
      await first.trigger(one, `k${n}`, { data: { n } });
      await second.trigger(two, `k${n}`, { data: { n } });
    }
    await world.advance(1_000);
    assert.equal((await second.list({ runState: "completed", limit: 50 })).items.length, 16);
    await first.stop();
    await world.advance(10_000);
    assert.ok((await second.admin.shards()).every((each) => each.engineId === second.admin.engineId));
    await second.trigger(one, "last", { data: { n: 0 } });
    await world.during(second.await(one, "last"));
  },
);

testOnStores(
  "a run at a status that the code does not know is stalled, kept, and goes on after a redeploy",
  async (world) => {
    const old = machine<Job>("flow").step("a", ["b"], () => "b").build();
    const known = machine<Job>("flow").step("a", ["x"], () => "x").step("x", ["b"], (run) => {
      run.data.n++;
      return "b";
    }).build();
    const first = world.engine({ definitions: [known] });
    const { runId } = await first.trigger(known, "k", { data: { n: 1 }, startAt: "x" });
    const rollback = await world.started({ definitions: [old] });
    await world.advance(60_000);
    const stalled = (await rollback.get(old, "k"))!;
    assert.deepEqual([stalled.runState, stalled.status], ["stalled", "x"]);
    assert.match(stalled.reason!, /"x" is unknown/);
    await assert.rejects(rollback.trigger(old, "k", { data: { n: 2 } }), { code: "RUN_IN_PROGRESS" });
    assert.equal((await rollback.list({ runState: "stalled" })).items.length, 1);
    await rollback.stop();
    const redeploy = await world.started({ definitions: [known] });
    const run = await world.during(redeploy.await(known, "k"));
    assert.deepEqual([run.runState, run.data.n], ["completed", 2]);
    assert.deepEqual((await redeploy.history({ runId })).map((row) => `${row.kind} ${row.by}`), [
      "trigger client",
      "stall engine",
      "resume engine",
      "move step",
    ]);
    assert.deepEqual((await redeploy.admin.verify()).findings, []);
  },
);

testOnStores("every stalled run goes on after a redeploy, however many there are", async (world) => {
  const known = machine<Job>("flow").step("a", ["x"], () => "x").step("x", ["b"], () => "b").build();
  const old = machine<Job>("flow").step("a", ["b"], () => "b").build();
  const limits = { duePageMax: 8 };
  const client = world.engine({ definitions: [known] });
  for (let n = 0; n < 50; n++) await client.trigger(known, `k${n}`, { data: { n }, startAt: "x" });
  const rollback = await world.started({ definitions: [old], limits });
  await world.advance(2_000);
  assert.equal((await client.list({ runState: "stalled", limit: 100 })).items.length, 50);
  await rollback.stop();
  await world.started({ definitions: [known], limits });
  await world.advance(2_000);
  assert.equal((await client.list({ runState: "completed", limit: 100 })).items.length, 50);
});

testOnStores(
  "a run paused at a status that the code does not know is not lost when it is resumed",
  async (world) => {
    const known = machine<Job>("flow", { pauseRetry: "1m" })
      .step("a", ["x"], () => "x")
      .step("x", ["b"], () => "b")
      .build();
    const old = machine<Job>("flow", { pauseRetry: "1m" }).step("a", ["b"], () => "b").build();
    const client = world.engine({ definitions: [known] });
    for (const key of ["by hand", "by itself"]) {
      await client.trigger(known, key, { data: { n: 0 }, startAt: "x" });
      await client.pause(known, key);
    }
    const rollback = await world.started({ definitions: [old] });
    await rollback.resume(old, "by hand");
    await world.advance(120_000);
    for (const key of ["by hand", "by itself"]) {
      assert.equal(
        (await client.get(known, key))!.runState,
        "stalled",
        key,
      );
    }
    await rollback.stop();
    await world.started({ definitions: [known] });
    await world.advance(2_000);
    for (const key of ["by hand", "by itself"]) {
      assert.equal(
        (await client.get(known, key))!.runState,
        "completed",
        key,
      );
    }
  },
);

testOnStores(
  "a client that carries no started engine sees its guest verbs done by the owner within a poll",
  async (world) => {
    const flow = machine<Job>("flow", { pauseRetry: false }).step("a", ["b"], () => "b", { lag: "1m" })
      .build();
    const owner = await world.started({ definitions: [flow], poll: "500ms" });
    const guest = world.engine({ definitions: [flow] });
    await guest.trigger(flow, "k", { data: { n: 0 } });
    await world.advance(30_000);
    await guest.pause(flow, "k", { reason: "by a guest" });
    await world.advance(60_000);
    assert.deepEqual((await owner.get(flow, "k"))!.runState, "paused");
    await guest.resume(flow, "k");
    await world.advance(500);
    assert.equal((await owner.get(flow, "k"))!.runState, "completed");
  },
);

testInMemory("an engine goes on through failing reads and commits of its store", async (world) => {
  const { store } = world;
  let broken = false;
  const flaky = {
    limits: store.limits,
    shards: store.shards,
    read: (requests: Parameters<typeof store.read>[0]) =>
      broken ? Promise.reject(new Error("read failed")) : store.read(requests),
    commit: (calls: Parameters<typeof store.commit>[0]) =>
      broken ? Promise.reject(new Error("commit failed")) : store.commit(calls),
    close: () => store.close(),
  };
  const end = gate<"b">();
  let starts = 0;
  const flow = flowOf((run) => {
    starts++;
    return run.key === "k" ? end.promise : "b";
  });
  const engine = await world.started({ definitions: [flow], store: flaky });
  await engine.trigger(flow, "k", { data: { n: 0 } });
  await world.settle();
  broken = true;
  end.resolve("b");
  await assert.rejects(engine.trigger(flow, "other", { data: { n: 0 } }), { message: "commit failed" });
  await world.advance(3_000);
  broken = false;
  await world.advance(10_000);
  assert.equal(
    (await engine.get(flow, "k"))!.runState,
    "completed",
    "its result was in hand and not given up",
  );
  assert.equal(starts, 1);
  await engine.trigger(flow, "other", { data: { n: 0 } });
  await world.during(engine.await(flow, "other"));
});
