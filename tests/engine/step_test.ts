import assert from "node:assert/strict";
import { keyspace } from "../../core/store/keyspace.ts";
import { machine } from "../../mod.ts";
import { gate, patient, testInMemory, testOnStores } from "./stores.ts";

interface Tray {
  n: number;
  log?: string[];
}

testOnStores(
  "run.skip() saves the data and leaves the run where it is until something moves it",
  async (world) => {
    let starts = 0;
    const flow = machine<Tray>("flow", { pauseRetry: false })
      .step("a", ["b"], (run) => {
        run.data.n = ++starts;
        return starts === 1 ? run.skip() : "b";
      })
      .build();
    const engine = await world.started({ definitions: [flow], ...patient });
    await engine.trigger(flow, "k", { data: { n: 0 } });
    await world.advance(3_600_000);
    const run = (await engine.get(flow, "k"))!;
    assert.deepEqual([run.runState, run.status, run.data.n, starts], ["running", "a", 1, 1]);
    assert.deepEqual((await engine.admin.verify()).findings, []);
    await engine.pause(flow, "k");
    await engine.resume(flow, "k");
    assert.equal((await engine.await(flow, "k")).data.n, 2);
  },
);

testOnStores(
  "run.repeat() saves the data and runs the step again as a new visit with a new stepId",
  async (world) => {
    const stepIds: string[] = [];
    const flow = machine<Tray>("flow")
      .step("a", ["b"], (run) => {
        stepIds.push(run.stepId);
        return ++run.data.n < 3 ? run.repeat() : "b";
      })
      .build();
    const engine = await world.started({ definitions: [flow] });
    const { runId } = await engine.trigger(flow, "k", { data: { n: 0 } });
    assert.equal((await engine.await(flow, "k")).data.n, 3);
    assert.equal(new Set(stepIds).size, 3);
    assert.deepEqual((await engine.history({ runId })).map((row) => row.kind), [
      "trigger",
      "repeat",
      "repeat",
      "move",
    ]);
  },
);

testOnStores(
  "run.pause(), run.cancel() and run.fail() keep the data changed before them, and the reason",
  async (world) => {
    for (const [verb, state] of [["pause", "paused"], ["cancel", "cancelled"], ["fail", "failed"]] as const) {
      const flow = machine<Tray>(verb, { pauseRetry: false })
        .step("a", ["b"], (run) => {
          run.data.n = 42;
          return run[verb]("out of paper");
        })
        .build();
      const engine = await world.started({ definitions: [flow] });
      const { runId } = await engine.trigger(flow, "k", { data: { n: 0 } });
      await world.advance(10_000);
      const run = (await engine.get(flow, "k"))!;
      assert.deepEqual([run.runState, run.status, run.data.n, run.reason], [state, "a", 42, "out of paper"]);
      const last = (await engine.history({ runId })).at(-1)!;
      assert.deepEqual([last.kind, last.by, last.reason], [verb, "step", "out of paper"]);
      if (state !== "paused") await engine.trigger(flow, "k", { data: { n: 1 } });
    }
  },
);

testOnStores("run.to() moves as the bare status does", async (world) => {
  const flow = machine<Tray>("flow").step("a", ["b", "c"], (run) => run.to("c")).build();
  const engine = await world.started({ definitions: [flow] });
  await engine.trigger(flow, "k", { data: { n: 0 } });
  assert.equal((await engine.await(flow, "k")).status, "c");
});

testOnStores(
  "run.data changes are dropped when the step throws, and each attempt gets a fresh copy",
  async (world) => {
    const seen: number[] = [];
    const flow = machine<Tray>("flow")
      .step("a", ["b"], (run) => {
        seen.push(run.data.n);
        run.data.n += 100;
        if (run.attempt < 3) throw new Error("boom");
        return "b";
      })
      .build();
    const engine = await world.started({ definitions: [flow], ...patient });
    await engine.trigger(flow, "k", { data: { n: 1 } });
    await world.advance(600_000);
    assert.deepEqual(seen, [1, 1, 1]);
    assert.equal((await engine.get(flow, "k"))!.data.n, 101);
  },
);

testOnStores("run.data may be replaced, nested, and left untouched", async (world) => {
  const flow = machine<Tray>("flow")
    .step("a", ["b"], (run) => {
      run.data = { n: 7, log: ["replaced"] };
      return "b";
    })
    .step("b", ["c"], (run) => {
      run.data.log!.push("nested");
      return "c";
    })
    .step("c", ["d"], () => "d")
    .build();
  const engine = await world.started({ definitions: [flow] });
  const given = { n: 1 };
  await engine.trigger(flow, "k", { data: given });
  const run = await engine.await(flow, "k");
  assert.deepEqual(run.data, { n: 7, log: ["replaced", "nested"] });
  assert.deepEqual(given, { n: 1 }, "the caller's own object is not touched");
  run.data.log!.push("a view is a copy");
  assert.equal((await engine.get(flow, "k"))!.data.log!.length, 2);
});

testOnStores("run data that JSON cannot carry, or that is too large, is a failed attempt", async (world) => {
  const cases: [string, unknown][] = [["NOT_JSON", 5n], ["PAYLOAD_TOO_LARGE", "x".repeat(2_000)]];
  for (const [code, value] of cases) {
    const flow = machine<Tray>(code, { pauseRetry: false, steps: { pauseAfterErrors: 2 } })
      .step("a", ["b"], (run) => {
        (run.data as { n: unknown }).n = value;
        return "b";
      })
      .build();
    const engine = await world.started({ definitions: [flow], limits: { payloadBytesMax: 1_000 } });
    await engine.trigger(flow, "k", { data: { n: 0 } });
    await world.advance(60_000);
    const run = (await engine.get(flow, "k"))!;
    assert.deepEqual([run.runState, run.attempt, run.lastError!.code, run.data], ["paused", 2, code, {
      n: 0,
    }]);
  }
});

testOnStores(
  "run.stepId stays the same over the attempts of a visit and differs between visits",
  async (world) => {
    const ids: string[] = [];
    const flow = machine<Tray>("flow")
      .step("a", ["b"], (run) => {
        ids.push(run.stepId);
        if (run.attempt < 3) throw new Error("boom");
        return "b";
      })
      .step("b", ["a2"], (run) => {
        ids.push(run.stepId);
        return "a2";
      })
      .build();
    const engine = await world.started({ definitions: [flow], ...patient });
    const first = await engine.trigger(flow, "k", { data: { n: 0 } });
    await world.advance(600_000);
    assert.deepEqual([ids[0], ids[1]], [ids[1], ids[2]]);
    assert.notEqual(ids[2], ids[3]);
    const second = await engine.trigger(flow, "k", { data: { n: 0 } });
    await world.advance(600_000);
    assert.equal(new Set(ids).size, 4, "another run's steps have other ids");
    assert.ok(ids[0]!.includes(first.runId) && ids[4]!.includes(second.runId));
  },
);

testOnStores("run tells the handler who and where it is", async (world) => {
  let seen: unknown[] = [];
  const flow = machine<Tray>("flow")
    .step("a", ["b"], (run) => {
      seen = [run.runId, run.key, run.status, run.attempt, run.createdAt.getTime(), run.signal.aborted];
      return "b";
    })
    .build();
  const engine = await world.started({ definitions: [flow] });
  const createdAt = world.clock.now();
  const { runId } = await engine.trigger(flow, "key 1", { data: { n: 0 } });
  await engine.await(flow, "key 1");
  assert.deepEqual(seen, [runId, "key 1", "a", 1, createdAt, false]);
});

testOnStores(
  "a step that answers with no edge of its status counts as failed, and pauses like any other error",
  async (world) => {
    const bad: unknown[] = [
      "c",
      "a",
      "nowhere",
      "",
      undefined,
      null,
      5,
      {},
      Promise.resolve("c"),
      ["b"],
      "__proto__",
    ];
    let next = 0;
    const flow = machine<Tray>("flow", { pauseRetry: false })
      .step("a", ["b"], () => bad[next++ % bad.length] as "b", {
        pauseAfterErrors: bad.length,
        retry: { max: "1s" },
      })
      .step("b", ["c"], () => "c")
      .build();
    const engine = await world.started({ definitions: [flow], ...patient });
    const { runId } = await engine.trigger(flow, "k", { data: { n: 0 } });
    await world.advance(3_600_000);
    const run = (await engine.get(flow, "k"))!;
    assert.deepEqual([run.runState, run.status, run.attempt, next], ["paused", "a", bad.length, bad.length]);
    assert.equal(run.lastError!.code, "INVALID_TRANSITION");
    const rows = await engine.history({ runId });
    assert.ok(rows.slice(1).every((row) => row.kind === "error" && row.error!.code === "INVALID_TRANSITION"));
    assert.match(rows[1]!.error!.message, /"a" of "flow" answered "c".*"b"/);
  },
);

testOnStores(
  "a step that throws anything at all is a failed attempt with a bounded record of it",
  async (world) => {
    const thrown: unknown[] = [
      new TypeError("typed"),
      Object.assign(new Error("coded"), { code: "E_CODE" }),
      "text",
      undefined,
      null,
      { odd: true },
      Object.assign(new Error("x".repeat(100_000)), { code: 5 }),
      Object.create(null),
      new Proxy({}, {
        get: () => {
          throw new Error("hostile");
        },
      }),
      Symbol("s"),
    ];
    let next = 0;
    const flow = machine<Tray>("flow", { pauseRetry: false })
      .step("a", ["b"], () => {
        throw thrown[next++];
      }, { pauseAfterErrors: thrown.length, retry: { max: "1s" } })
      .build();
    const engine = await world.started({ definitions: [flow] });
    const { runId } = await engine.trigger(flow, "k", { data: { n: 0 } });
    await world.advance(60_000);
    const run = (await engine.get(flow, "k"))!;
    assert.deepEqual([run.runState, run.attempt], ["paused", thrown.length]);
    const errors = (await engine.history({ runId })).slice(1).map((row) => row.error!);
    assert.deepEqual([errors[0]!.name, errors[0]!.message], ["TypeError", "typed"]);
    assert.deepEqual([errors[1]!.code, errors[2]!.message], ["E_CODE", "text"]);
    assert.equal(errors[6]!.message.length, 2_000);
  },
);

testOnStores(
  "a step past its timeout fails with STEP_TIMEOUT, its signal is aborted and its answer unheard",
  async (world) => {
    const held = gate<"b">();
    const signals: AbortSignal[] = [];
    const flow = machine<Tray>("flow")
      .step("a", ["b"], (run) => {
        signals.push(run.signal);
        run.data.n = run.attempt;
        return run.attempt === 1 ? held.promise : "b";
      }, { timeout: "10s", retry: { initial: "5s", jitter: false } })
      .build();
    const engine = await world.started({ definitions: [flow] });
    const { runId } = await engine.trigger(flow, "k", { data: { n: 0 } });
    await world.advance(9_999);
    assert.equal(signals[0]!.aborted, false);
    await world.advance(1);
    assert.equal(signals[0]!.aborted, true);
    assert.equal(signals[0]!.reason.code, "STEP_TIMEOUT");
    assert.equal((await engine.get(flow, "k"))!.lastError!.code, "STEP_TIMEOUT");
    await world.advance(5_000);
    assert.deepEqual((await engine.get(flow, "k"))!.runState, "completed");
    held.resolve("b");
    await world.settle();
    assert.deepEqual((await engine.get(flow, "k"))!.data.n, 2);
    assert.deepEqual((await engine.history({ runId })).map((row) => row.kind), ["trigger", "error", "move"]);
  },
);

testOnStores(
  "a step with a lag starts that long after its status was entered, also at the start",
  async (world) => {
    const starts: number[] = [];
    const flow = machine<Tray>("flow", { steps: { lag: "1m" } })
      .step("a", ["b"], () => (starts.push(world.clock.now()), "b"))
      .step("b", ["c"], () => (starts.push(world.clock.now()), "c"), { lag: "40d" })
      .step("c", ["d"], () => (starts.push(world.clock.now()), "d"), { lag: 0 })
      .build();
    const engine = await world.started({ definitions: [flow], ...patient });
    const began = world.clock.now();
    await engine.trigger(flow, "k", { data: { n: 0 } });
    await world.advance(60_000 + 40 * 86_400_000 - 1);
    assert.deepEqual(starts.map((at) => at - began), [60_000]);
    await world.advance(1);
    assert.deepEqual(starts.map((at) => at - began), [
      60_000,
      60_000 + 40 * 86_400_000,
      60_000 + 40 * 86_400_000,
    ]);
    assert.equal((await engine.get(flow, "k"))!.runState, "completed");
  },
);

testOnStores("a step's concurrency bounds its attempts at once, not those of other steps", async (world) => {
  let now = 0;
  let most = 0;
  const free: (() => void)[] = [];
  const flow = machine<Tray>("flow")
    .step("a", ["b"], async () => {
      most = Math.max(most, ++now);
      await new Promise<void>((resolve) => free.push(resolve));
      now--;
      return "b";
    }, { concurrency: 3 })
    .step("b", ["c"], () => "c")
    .build();
  const engine = await world.started({ definitions: [flow] });
  for (let n = 0; n < 20; n++) await engine.trigger(flow, `k${n}`, { data: { n } });
  await world.settle();
  assert.equal(now, 3);
  for (let round = 0; round < 20; round++) {
    free.shift()!();
    await world.settle();
  }
  assert.equal(most, 3);
  assert.equal(
    (await engine.list({ definition: "flow", runState: "completed", limit: 50 })).items.length,
    20,
  );
});

testOnStores(
  "a step's concurrency slot passes on when a run that waited for it has been cancelled or paused",
  async (world) => {
    const free: (() => void)[] = [];
    const started: string[] = [];
    const flow = machine<Tray>("flow", { pauseRetry: false })
      .step("a", ["b"], async (run) => {
        started.push(run.key);
        await new Promise<void>((resolve) => free.push(resolve));
        return "b";
      }, { concurrency: 1 })
      .build();
    const engine = await world.started({ definitions: [flow] });
    const guest = world.engine({ definitions: [flow] });
    for (const key of ["k0", "k1", "k2", "k3", "k4"]) {
      await engine.trigger(flow, key, { data: { n: 0 } });
      await world.settle();
    }
    await engine.cancel(flow, "k1");
    await guest.pause(flow, "k2");
    await guest.cancel(flow, "k3");
    await world.advance(1_000);
    free.shift()!();
    await world.advance(5_000);
    assert.deepEqual(started, ["k0", "k4"]);
    free.shift()!();
    await world.advance(1_000);
    await engine.resume(flow, "k2");
    await world.advance(1_000);
    assert.deepEqual(started, ["k0", "k4", "k2"]);
    free.shift()!();
    await world.settle();
  },
);

testOnStores("one run that always fails among 1,000 does not hold the others", async (world) => {
  const flow = machine<Tray>("flow")
    .step("a", ["b"], (run) => {
      if (run.data.n === 500) throw new Error("poison");
      return "b";
    })
    .step("b", ["c"], () => "c")
    .build();
  const engine = await world.started({ definitions: [flow] });
  await Promise.all(Array.from({ length: 1_000 }, (_, n) => engine.trigger(flow, `k${n}`, { data: { n } })));
  await world.settle();
  const done = await engine.list({ definition: "flow", runState: "completed", limit: 1_000 });
  assert.equal(done.items.length, 999);
  const poison = (await engine.get(flow, "k500"))!;
  assert.deepEqual([poison.runState, poison.status, poison.attempt], ["initiated", "a", 1]);
});

testOnStores("steps are bounded by limits.runsInFlightMax over all definitions", async (world) => {
  let now = 0;
  let most = 0;
  const free: (() => void)[] = [];
  const hold = async () => {
    most = Math.max(most, ++now);
    await new Promise<void>((resolve) => free.push(resolve));
    now--;
    return "b" as const;
  };
  const one = machine<Tray>("one").step("a", ["b"], hold).build();
  const two = machine<Tray>("two").step("a", ["b"], hold).build();
  const engine = await world.started({ definitions: [one, two], limits: { runsInFlightMax: 4 } });
  for (let n = 0; n < 8; n++) {
    await engine.trigger(one, `k${n}`, { data: { n } });
    await engine.trigger(two, `k${n}`, { data: { n } });
  }
  for (let round = 0; round < 16; round++) {
    await world.settle();
    free.shift()!();
  }
  await world.settle();
  assert.equal(most, 4);
  assert.equal((await engine.list({ runState: "completed", limit: 50 })).items.length, 16);
});

testOnStores("more due runs than fit in memory are all worked off", async (world) => {
  const flow = machine<Tray>("flow").step("a", ["b"], () => "b").step("b", ["c"], () => "c").build();
  const limits = { dueInMemoryMax: 10, duePageMax: 4, runsInFlightMax: 3 };
  const guest = world.engine({ definitions: [flow] });
  await Promise.all(Array.from({ length: 100 }, (_, n) => guest.trigger(flow, `k${n}`, { data: { n } })));
  const engine = await world.started({ definitions: [flow], limits });
  await Promise.all(
    Array.from({ length: 50 }, (_, n) => engine.trigger(flow, `later ${n}`, { data: { n } })),
  );
  await world.advance(2_000);
  assert.equal((await engine.list({ runState: "completed", limit: 500 })).items.length, 150);
  assert.deepEqual((await engine.admin.verify()).findings, []);
});

testInMemory("machine() refuses a graph that cannot work, naming what is wrong", () => {
  const code = "INVALID_GRAPH";
  assert.throws(() => machine("").step("a", ["b"], () => "b").build(), { code });
  assert.throws(() => machine("x".repeat(129)), { code });
  assert.throws(() => machine(5 as never), { code });
  assert.throws(() => machine("m").build(), { code, message: /no step/ });
  assert.throws(() => machine("m").step("a", [] as never, () => "b" as never).build(), {
    code,
    message: /"a"/,
  });
  assert.throws(() => machine("m").step("", ["b"], () => "b"), { code });
  assert.throws(() => machine("m").step("a", [""], () => ""), { code });
  assert.throws(() => machine("m").step("a", ["b"], undefined as never), { code, message: /handler/ });
  const twice = machine("m").step("a", ["b"], () => "b") as never as {
    step: (...args: unknown[]) => unknown;
  };
  assert.throws(() => twice.step("a", ["c"], () => "c"), { code, message: /"a" has one already/ });
  const step = (options: object) => () => machine("m").step("a", ["b"], () => "b", options);
  for (
    const options of [{ concurrency: -1 }, { concurrency: 1.5 }, { pauseAfterErrors: NaN }, {
      retry: { factor: 0 },
    }, {
      retry: { initial: "10s", max: "1s" },
    }]
  ) assert.throws(step(options), { code: "INVALID_ARGUMENT" });
  for (const options of [{ lag: "x" }, { timeout: -1 }, { retry: { initial: "1y" } }]) {
    assert.throws(step(options), { code: "INVALID_DURATION" });
  }
  return Promise.resolve();
});

testInMemory(
  "machine() starts at the first status that nothing leads to, also declared last, and at the first of a cycle",
  async (world) => {
    const late = machine("late").step("b", ["c"], () => "c").step("a", ["b"], () => "b").build();
    const cycle = machine("cycle").step("x", ["y"], () => "y").step("y", ["x"], () => "x").build();
    const engine = world.engine({ definitions: [late, cycle] });
    await engine.trigger(late, "k");
    await engine.trigger(cycle, "k");
    assert.equal((await engine.get(late, "k"))!.status, "a");
    assert.equal((await engine.get(cycle, "k"))!.status, "x");
  },
);

testInMemory("machine() merges step options with the machine's field by field", async (world) => {
  const flow = machine<Tray>("flow", {
    pauseRetry: false,
    steps: { pauseAfterErrors: 3, retry: { initial: "10s", jitter: false } },
  })
    .step("a", ["b"], () => {
      throw new Error("boom");
    }, { retry: { factor: 3 } })
    .build();
  const engine = await world.started({ definitions: [flow], ...patient });
  const began = world.clock.now();
  const { runId } = await engine.trigger(flow, "k", { data: { n: 0 } });
  await world.advance(3_600_000);
  const at = (await engine.history({ runId })).slice(1).map((row) => row.at.getTime() - began);
  assert.deepEqual(at, [0, 10_000, 40_000]);
  assert.equal((await engine.get(flow, "k"))!.runState, "paused");
});

testInMemory("a step whose store was closed under it is not run again and again", async (world) => {
  let calls = 0;
  const flow = machine("flow").step("a", ["b"], () => {
    if (++calls > 100) throw new Error("this would never end");
    return "b";
  }).build();
  const engine = await world.started({ definitions: [flow] });
  await engine.trigger(flow, "k");
  await world.store.close();
  await world.advance(60_000);
  assert.equal(calls, 1);
});

testInMemory("a step whose run was removed by hand under it is not run again and again", async (world) => {
  let calls = 0;
  const held = gate();
  const flow = machine("flow").step("a", ["b"], async () => {
    if (++calls > 100) throw new Error("this would never end");
    await held.promise;
    return "b";
  }).build();
  const engine = await world.started({ definitions: [flow] });
  const { runId } = await engine.trigger(flow, "k");
  await world.settle();
  const batch = { checks: [], puts: [], deletes: [keyspace.run.key(runId)] };
  await world.store.commit([{ shard: 0, committer: { id: "hand", callId: "1" }, batches: [batch] }]);
  held.resolve();
  await world.advance(60_000);
  assert.equal(calls, 1);
});
