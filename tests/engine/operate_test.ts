import assert from "node:assert/strict";
import { type Engine, machine, type RunState, RunStateError, type StepRun, type Store } from "../../mod.ts";
import { gate, testInMemory, testOnStores, type World } from "./stores.ts";

interface Doc {
  text: string;
}

type Answer = (
  run: StepRun<Doc, "b" | "end">,
) => ReturnType<StepRun["skip"]> | "b" | "end" | Promise<"b" | "end">;

/** A machine whose first step does what the test says. */
function flowOf(answer: Answer, options: { pauseRetry?: false | string } = {}) {
  return machine<Doc>("flow", { pauseRetry: options.pauseRetry ?? false })
    .step("a", ["b", "end"], (run) => answer(run))
    .step("b", ["end"], () => "end")
    .build();
}

const data = { text: "hello" };
const verbs = ["pause", "resume", "cancel"] as const;

/** Brings a run into each state that verbs can meet, on an engine that does not work. */
const reach: Partial<
  Record<RunState, (world: World, engine: Engine, flow: ReturnType<typeof flowOf>) => Promise<void>>
> = {
  initiated: async () => {},
  running: async (world, engine) => {
    await world.during(engine.tick(), 20_000);
  },
  paused: async (_world, engine, flow) => {
    await engine.pause(flow, "k", { reason: "why" });
  },
  cancelled: async (_world, engine, flow) => {
    await engine.cancel(flow, "k", { reason: "why" });
  },
  completed: async (world, engine) => {
    await world.during(engine.tick(), 20_000);
  },
  failed: async (world, engine) => {
    await world.during(engine.tick(), 20_000);
  },
  stalled: async (world, _engine, _flow) => {
    const newer = machine<Doc>("flow").step("z", ["end"], () => "end").build();
    const other = world.engine({ definitions: [newer] });
    await world.during(other.tick(), 20_000);
    await other.stop();
  },
};

const answers: Partial<Record<RunState, Answer>> = {
  running: (run) => run.skip(),
  completed: () => "end",
  failed: (run) => run.fail("broken"),
};

const allowed: Readonly<Record<(typeof verbs)[number], readonly RunState[]>> = {
  pause: ["initiated", "running"],
  resume: ["paused"],
  cancel: ["initiated", "running", "paused", "stalled"],
};
const after = { pause: "paused", resume: "running", cancel: "cancelled" } as const;

for (const state of Object.keys(reach) as RunState[]) {
  testOnStores(
    `pause(), resume() and cancel() of a run that is ${state} keep to the table`,
    async (world) => {
      for (const verb of verbs) {
        const flow = flowOf(answers[state] ?? (() => "b"));
        const engine = world.engine({ definitions: [flow] });
        const { runId } = await engine.trigger(flow, "k", { data });
        await reach[state]!(world, engine, flow);
        const before = (await engine.get(flow, "k"))!;
        assert.equal(before.runState, state);
        const rows = await engine.history({ runId });
        if (allowed[verb].includes(state)) {
          const view = await engine[verb](flow, "k", { reason: "because" });
          assert.deepEqual(view, await engine.get(flow, "k"));
          assert.deepEqual([view.runState, view.version], [after[verb], before.version + 1]);
          assert.equal(view.reason, verb === "resume" ? undefined : "because");
          assert.deepEqual(view.data, before.data);
        } else {
          await assert.rejects(engine[verb](flow, "k", { reason: "because" }), (error) => {
            assert.ok(error instanceof RunStateError, String(error));
            assert.deepEqual([error.code, error.runState], ["RUN_STATE", state]);
            return true;
          });
          assert.deepEqual(await engine.get(flow, "k"), before);
          assert.deepEqual(await engine.history({ runId }), rows);
        }
        assert.deepEqual((await engine.admin.verify()).findings, []);
        if (!["completed", "failed", "cancelled"].includes((await engine.get(flow, "k"))!.runState)) {
          await engine.cancel(flow, "k");
        }
        await engine.stop();
      }
    },
  );
}

testInMemory(
  "pause(), resume() and cancel() reject with RUN_NOT_FOUND for a run that is not there",
  async (world) => {
    const flow = flowOf(() => "b");
    const engine = world.engine({ definitions: [flow] });
    const { runId } = await engine.trigger(flow, "k", { data });
    for (const verb of verbs) {
      await assert.rejects(engine[verb](flow, "nobody"), {
        code: "RUN_NOT_FOUND",
        message: new RegExp(verb),
      });
      await assert.rejects(engine[verb](flow, "other", { runId }), { code: "RUN_NOT_FOUND" });
      await assert.rejects(engine[verb](flow, "k", { runId: "x" }), { code: "INVALID_ARGUMENT" });
      await assert.rejects(engine[verb](flow, ""), { code: "INVALID_ARGUMENT" });
    }
  },
);

testOnStores("cancel() with runId ends that run, not the latest of the key", async (world) => {
  const flow = flowOf(() => "b");
  const engine = world.engine({ definitions: [flow] });
  const first = await engine.trigger(flow, "k", { data });
  await engine.cancel(flow, "k");
  const second = await engine.trigger(flow, "k", { data });
  await assert.rejects(engine.cancel(flow, "k", { runId: first.runId }), { code: "RUN_STATE" });
  assert.equal((await engine.get(flow, "k"))!.runState, "initiated");
  assert.equal((await engine.cancel(flow, "k", { runId: second.runId })).runId, second.runId);
});

/** A run whose first step is running and held at a gate; its owner, and the engine that operates on it. */
async function held(world: World, role: "owner" | "guest", pauseRetry?: string) {
  const entered = gate();
  const end = gate<"b" | "end">();
  const signals: AbortSignal[] = [];
  let starts = 0;
  const flow = flowOf((run) => {
    starts++;
    signals.push(run.signal);
    run.data.text = "changed by the step";
    entered.resolve();
    return end.promise;
  }, pauseRetry === undefined ? {} : { pauseRetry });
  const owner = await world.started({ definitions: [flow] });
  const operator = role === "owner" ? owner : world.engine({ definitions: [flow] });
  const { runId } = await operator.trigger(flow, "k", { data });
  if (role === "guest") await world.advance(1_000);
  await entered.promise;
  return { flow, owner, operator, runId, end, signals, starts: () => starts };
}

for (const role of ["owner", "guest"] as const) {
  testOnStores(`pause() by the ${role} during a step is kept, and so is the step's result`, async (world) => {
    const { flow, owner, operator, runId, end } = await held(world, role);
    await operator.pause(flow, "k", { reason: "stop here" });
    end.resolve("b");
    await world.advance(2_000);
    const run = (await owner.get(flow, "k"))!;
    assert.deepEqual([run.runState, run.status, run.reason], ["paused", "b", "stop here"]);
    assert.deepEqual(run.data, { text: "changed by the step" });
    await operator.resume(flow, "k");
    await world.advance(2_000);
    assert.equal((await owner.get(flow, "k"))!.runState, "completed");
    const kinds = (await owner.history({ runId })).map((row) => row.kind);
    assert.deepEqual(kinds, ["trigger", "pause", "move", "resume", "move"]);
    assert.deepEqual((await owner.admin.verify()).findings, []);
  });

  testOnStores(
    `pause() by the ${role} during a step that reaches the end lets the run complete`,
    async (world) => {
      const { flow, owner, operator, end } = await held(world, role);
      await operator.pause(flow, "k");
      end.resolve("end");
      await world.advance(2_000);
      const run = (await owner.get(flow, "k"))!;
      assert.deepEqual([run.runState, run.status, run.reason], ["completed", "end", undefined]);
    },
  );

  testOnStores(
    `pause() by the ${role} during a step that fails counts the attempt and stays paused`,
    async (world) => {
      const { flow, owner, operator, end, starts } = await held(world, role);
      await operator.pause(flow, "k");
      end.reject(new Error("boom"));
      await world.advance(3_600_000);
      const run = (await owner.get(flow, "k"))!;
      assert.deepEqual([run.runState, run.status, run.attempt, run.lastError!.message], [
        "paused",
        "a",
        1,
        "boom",
      ]);
      assert.deepEqual(run.data, data);
      assert.equal(starts(), 1);
    },
  );

  testOnStores(
    `resume() by the ${role} of a run paused during a step, before it lands, starts it once`,
    async (world) => {
      const { flow, owner, operator, end, starts } = await held(world, role);
      await operator.pause(flow, "k");
      await world.advance(2_000);
      await operator.resume(flow, "k");
      await world.advance(2_000);
      assert.equal(starts(), 1);
      end.resolve("b");
      await world.advance(2_000);
      assert.equal((await owner.get(flow, "k"))!.runState, "completed");
      assert.equal(starts(), 1);
    },
  );

  testOnStores(
    `cancel() by the ${role} during a step discards its result and records it as late`,
    async (world) => {
      const { flow, owner, operator, runId, end } = await held(world, role);
      await operator.cancel(flow, "k", { reason: "not wanted" });
      end.resolve("b");
      await world.advance(2_000);
      const run = (await owner.get(flow, "k"))!;
      assert.deepEqual([run.runState, run.status, run.reason, run.data], [
        "cancelled",
        "a",
        "not wanted",
        data,
      ]);
      const rows = await owner.history({ runId });
      assert.deepEqual(rows.map((row) => [row.kind, row.to]), [
        ["trigger", "a"],
        ["cancel", undefined],
        ["late", "b"],
      ]);
      assert.deepEqual((await owner.admin.verify()).findings, []);
      await owner.trigger(flow, "k", { data });
    },
  );

  testOnStores(`cancel() by the ${role} tells the running step by its signal`, async (world) => {
    const { flow, operator, end, signals } = await held(world, role);
    await operator.cancel(flow, "k");
    await world.advance(2_000);
    assert.equal(signals[0]!.aborted, true);
    end.resolve("b");
    await world.settle();
  });
}

testOnStores(
  "resume() by the owner of a run that a guest paused during a step goes by the store",
  async (world) => {
    const { flow, owner, end } = await held(world, "owner");
    const guest = world.engine({ definitions: [flow] });
    await guest.pause(flow, "k");
    assert.equal((await owner.resume(flow, "k")).runState, "running");
    await assert.rejects(owner.resume(flow, "k"), { code: "RUN_STATE", runState: "running" });
    end.resolve("end");
    await world.settle();
  },
);

testOnStores("pause() from eight engines at once is taken once and refused seven times", async (world) => {
  const flow = flowOf(() => "b");
  const engines = Array.from({ length: 8 }, () => world.engine({ definitions: [flow] }));
  const { runId } = await engines[0]!.trigger(flow, "k", { data });
  const settled = await Promise.allSettled(engines.map((engine) => engine.pause(flow, "k")));
  assert.equal(settled.filter((each) => each.status === "fulfilled").length, 1);
  for (const each of settled) if (each.status === "rejected") assert.equal(each.reason.code, "RUN_STATE");
  assert.deepEqual((await engines[0]!.history({ runId })).map((row) => row.kind), ["trigger", "pause"]);
});

testOnStores(
  "pause() and resume() in a storm from owner and guest never lose a step nor run one twice",
  async (world) => {
    const effects: string[] = [];
    const steps = 12;
    const flow = machine<{ n: number }>("storm", { pauseRetry: false })
      .step("go", ["end"], (run) => {
        effects.push(`${run.stepId} ${run.data.n}`);
        return ++run.data.n < steps ? run.repeat() : "end";
      }, { lag: 100 })
      .build();
    const owner = await world.started({ definitions: [flow] });
    const guest = world.engine({ definitions: [flow] });
    const { runId } = await guest.trigger(flow, "k", { data: { n: 0 } });
    for (let round = 0; round < 60; round++) {
      const operator = round % 3 === 0 ? owner : guest;
      const verb = round % 2 === 0 ? "pause" : "resume";
      await operator[verb](flow, "k").catch((error) => assert.equal(error.code, "RUN_STATE"));
      await world.advance(70 * (round % 4));
    }
    await owner.resume(flow, "k").catch((error) => assert.equal(error.code, "RUN_STATE"));
    await world.advance(10_000);
    const run = (await owner.get(flow, "k"))!;
    assert.deepEqual([run.runState, run.data.n], ["completed", steps]);
    assert.equal(new Set(effects).size, steps);
    const landed = (await owner.history({ runId })).filter((row) => row.by === "step");
    assert.equal(landed.length, steps);
    assert.deepEqual((await owner.admin.verify()).findings, []);
  },
);

testOnStores("pause() by a guest keeps a run that waits for its turn from starting", async (world) => {
  let starts = 0;
  const flow = machine<undefined>("lagged", { pauseRetry: false })
    .step("a", ["end"], () => {
      starts++;
      return "end";
    }, { lag: "10s" })
    .build();
  const owner = await world.started({ definitions: [flow] });
  await owner.trigger(flow, "k");
  const guest = world.engine({ definitions: [flow] });
  await world.advance(9_990);
  await guest.pause(flow, "k");
  await world.advance(100_000);
  assert.equal(starts, 0);
  await guest.resume(flow, "k");
  await world.advance(1_000);
  assert.equal(starts, 1);
});

testInMemory(
  "pause() by a guest is heard at once for a run that waits warm for a free slot",
  async (world) => {
    const ends = new Map<string, PromiseWithResolvers<"end">>();
    const flow = machine<undefined>("flow", { pauseRetry: false })
      .step("a", ["end"], (run) => {
        ends.set(run.key, gate<"end">());
        return ends.get(run.key)!.promise;
      })
      .build();
    const owner = await world.started({ definitions: [flow], limits: { runsInFlightMax: 1 } });
    const guest = world.engine({ definitions: [flow] });
    for (const key of ["first", "second", "third"]) await owner.trigger(flow, key);
    await world.settle();
    await guest.pause(flow, "second");
    await world.settle();
    ends.get("first")!.resolve("end");
    await world.settle();
    assert.deepEqual([...ends.keys()], ["first", "third"]);
    ends.get("third")!.resolve("end");
    await world.settle();
  },
);

testInMemory(
  "a verb that is refused beside one that lands does not lose what the other has set",
  async (world) => {
    const flow = machine("flow", { pauseRetry: "1m" }).callback("a", ["b"], () => "b").build();
    // Answers to reads are old when they come: the refusal is told after the other verb has landed.
    const after = (ms: number) => new Promise<void>((resolve) => void world.clock.after(ms, resolve));
    const { limits, shards } = world.store;
    const store: Store = {
      limits,
      shards,
      close: () => Promise.resolve(),
      async read(requests) {
        const found = await world.store.read(requests);
        await after(20);
        return found;
      },
      async commit(calls) {
        await after(10);
        return await world.store.commit(calls);
      },
    };
    const engine = world.engine({ definitions: [flow], store });
    await world.during(engine.start(), 1_000);
    await world.during(engine.trigger(flow, "k"), 1_000);
    const both = Promise.allSettled([engine.pause(flow, "k"), engine.resume(flow, "k")]);
    const [paused, resumed] = await world.during(both, 1_000);
    assert.deepEqual([paused.status, resumed.status], ["fulfilled", "rejected"]);
    await world.advance(61_000);
    assert.equal((await world.during(engine.get(flow, "k"), 1_000))!.runState, "running");
  },
);

/** The world's store as seen over a slow line: a commit is done at once, and its reply comes later. */
function lateStore({ store: inner, clock }: World) {
  const late = { replyMs: 0 };
  const store: Store = {
    limits: inner.limits,
    shards: inner.shards,
    close: () => Promise.resolve(),
    read: (requests) => inner.read(requests),
    async commit(calls) {
      const results = await inner.commit(calls);
      const { replyMs } = late;
      if (replyMs > 0) await new Promise<void>((resolve) => void clock.after(replyMs, resolve));
      return results;
    },
  };
  return { store, late };
}

testInMemory("a verb whose reply comes late does not lose what a guest has set since", async (world) => {
  const flow = machine("flow").callback("a", ["b"], () => "b").build();
  const { store, late } = lateStore(world);
  const owner = await world.started({ definitions: [flow], store });
  // The guest's clock is ahead, so that what it asks for is not due yet by the owner's.
  const clock = { ...world.clock, now: () => world.clock.now() + 5_000 };
  const guest = world.engine({ definitions: [flow], clock, work: false });
  await owner.trigger(flow, "k");
  late.replyMs = 2_000;
  const cancelled = owner.cancel(flow, "k");
  await world.settle();
  await world.during(guest.deleteData(flow, "k"));
  await world.during(cancelled, 10_000);
  late.replyMs = 0;
  await world.advance(15_000);
  assert.equal((await owner.get(flow, "k"))!.runState, "deleted");
});

testInMemory("a landing whose reply comes late does not lose what a guest has set since", async (world) => {
  const flow = machine("flow", { pauseRetry: "1m" })
    .step("a", ["b"], (run) => run.skip())
    .callback("a", ["b"], () => "b")
    .build();
  const { store, late } = lateStore(world);
  const owner = await world.started({ definitions: [flow], store });
  const guest = world.engine({ definitions: [flow], work: false });
  late.replyMs = 3_000;
  await world.during(guest.trigger(flow, "k"), 1_000);
  await world.advance(1_000);
  assert.equal((await guest.get(flow, "k"))!.runState, "running");
  await world.during(guest.pause(flow, "k"), 1_000);
  // By now the owner has heard of the pause, and not yet of its own step.
  await world.advance(1_500);
  late.replyMs = 0;
  await world.advance(65_000);
  assert.equal((await owner.get(flow, "k"))!.runState, "running");
});
