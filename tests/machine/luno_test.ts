/**
 * The defects that were found in luno/workflow, Q1 to Q23, each as a test that it would fail. Of those that are not here,
 * Q3 and Q4 are with the connectors; Q21 and Q22 are of Redis and Kafka adapters, what remains of them (order, retention, an
 * end without leftovers) is in `streamerConformance`. More of Q14 is in `tests/engine/schedule_crash_test.ts`, of Q15 in
 * `tests/schedule/`.
 */
import assert from "node:assert/strict";
import { memoryStore } from "../../adapters/memory/mod.ts";
import { every, type Machine, machine, type Store } from "../../mod.ts";
import { cron } from "../../plugins/cron/mod.ts";
import { gate, patient, testInMemory, testOnStores } from "../engine/stores.ts";

const minute = 60_000;
const hour = 60 * minute;

testOnStores("Q1: 64 triggers of one key at once make one run", async (world) => {
  const flow = machine("flow").step("a", ["b"], (run) => run.skip()).build();
  const engines = [await world.started({ definitions: [flow] }), world.engine({ definitions: [flow] })];
  const all = Array.from({ length: 64 }, (_, index) => engines[index % 2]!.trigger(flow, "k"));
  const results = await world.during(Promise.allSettled(all), 5_000);
  assert.equal(results.filter(({ status }) => status === "fulfilled").length, 1);
  assert.equal((await engines[0]!.list({ definition: "flow" })).items.length, 1);
});

testInMemory(
  "Q2: an acknowledged pause is never overwritten by the step that ran meanwhile",
  async (world) => {
    let acknowledged = 0;
    for (let round = 0; round < 40; round++) {
      const held = gate();
      const ran: string[] = [];
      const flow = machine<{ n: number }>(`flow${round}`)
        .step("start", ["middle"], async (run) => {
          ran.push("start");
          await held.promise;
          run.data.n++;
          return "middle";
        })
        .step("middle", ["end"], () => (ran.push("middle"), "end"))
        .build();
      const owner = await world.started({ definitions: [flow] });
      const operator = world.engine({ definitions: [flow], work: false });
      await owner.trigger(flow, "k", { data: { n: 0 } });
      await world.settle();
      const asked = operator.pause(flow, "k").then(() => true, (error) => {
        // The run may have ended first; then nobody was told of a pause.
        assert.equal(error.code, "RUN_STATE");
        return false;
      });
      for (let hop = 0; hop < round % 8; hop++) {
        await new Promise<void>((resolve) => world.clock.soon(resolve));
      }
      held.resolve();
      const isPaused = await world.during(asked);
      acknowledged += isPaused ? 1 : 0;
      await world.advance(2_000);
      if (isPaused) {
        assert.equal((await owner.get(flow, "k"))!.runState, "paused");
        assert.equal(ran.includes("middle"), false);
        await world.during(operator.resume(flow, "k"));
        await world.advance(2_000);
      }
      const run = await owner.get(flow, "k");
      assert.deepEqual([run!.status, run!.data.n, ran], ["end", 1, ["start", "middle"]]);
      await world.during(owner.stop(), 5_000);
    }
    assert.ok(acknowledged >= 10, `${acknowledged} of 40 pauses came in time`);
  },
);

testInMemory("Q5: an option given at one layer leaves the others as they are", (world) => {
  const flow = machine("flow", { steps: { pauseAfterErrors: 3 } }).step("a", ["b"], () => "b").build();
  const policy = flow.behaviour.policy("a")!;
  assert.deepEqual([policy.pauseAfterErrors, policy.retryInitialMs, policy.retryMaxMs], [3, 1_000, 300_000]);
  const reset = machine("flow", { steps: { pauseAfterErrors: 3, retry: { initial: "2s" } } })
    .step("a", ["b"], () => "b", { pauseAfterErrors: 0, retry: { factor: 3 } }).build().behaviour.policy(
      "a",
    )!;
  assert.deepEqual([reset.pauseAfterErrors, reset.retryInitialMs, reset.retryFactor], [0, 2_000, 3]);
  assert.ok(world.store);
  return Promise.resolve();
});

testOnStores("Q6: a timer fires for its own run, never for a later one of the key", async (world) => {
  const flow = machine("flow")
    .timeout("waiting", ["expired"], { after: "1h" }, () => "expired")
    .callback("waiting", ["done"], () => "done")
    .build();
  const engine = await world.started({ definitions: [flow], ...patient });
  await engine.trigger(flow, "k");
  await world.during(engine.callback(flow, "k", "waiting", undefined));
  await world.advance(30 * minute);
  const { runId } = await engine.trigger(flow, "k");
  await world.advance(59 * minute);
  assert.equal((await engine.get(flow, "k", { runId }))!.status, "waiting");
  await world.advance(minute);
  assert.equal((await engine.get(flow, "k", { runId }))!.status, "expired");
});

testInMemory("Q7: when one timer of a status is due, no other function runs", async (world) => {
  const ran: string[] = [];
  const flow = machine("flow")
    .timeout("a", ["b"], { after: "1h" }, (run) => (ran.push("1h"), run.skip()))
    .timeout("a", ["b"], { after: "10h" }, (run) => (ran.push("10h"), run.skip()))
    .build();
  const engine = await world.started({ definitions: [flow], ...patient });
  await engine.trigger(flow, "k");
  await world.advance(9 * hour);
  assert.deepEqual(ran, ["1h"]);
});

testInMemory("Q8: a timer that skips is over, and one that fails backs off and is counted", async (world) => {
  let skips = 0;
  let fails = 0;
  const flow = machine("flow")
    .timeout("a", ["b"], { after: "1m" }, (run) => (skips++, run.skip()))
    .timeout("a", ["b"], { after: "1m" }, () => {
      fails++;
      throw new Error("down");
    }, { retry: { initial: "1h", jitter: false } })
    .build();
  const engine = await world.started({ definitions: [flow] });
  const { runId } = await engine.trigger(flow, "k");
  await world.advance(30 * minute);
  assert.deepEqual([skips, fails], [1, 1]);
  const rows = await engine.history({ runId });
  assert.deepEqual(rows.map(({ kind }) => kind).sort(), ["error", "skip", "trigger"]);
});

testInMemory("Q9: no error that user code can throw ends the work of an engine", async (world) => {
  const thrown = [
    new DOMException("deadline exceeded", "TimeoutError"),
    new DOMException("aborted", "AbortError"),
    Object.assign(new Error("deadline"), { code: "ETIMEDOUT" }),
    null,
  ];
  let hooks = 0;
  const flow = machine<{ tries: number }>("flow")
    .step("a", ["b"], (run) => {
      if (run.attempt <= thrown.length) throw thrown[run.attempt - 1];
      return "b";
    }, { retry: { initial: "1s", max: "1s", jitter: false } })
    .onComplete(() => {
      if (hooks < thrown.length) throw thrown[hooks++];
      hooks++;
    }, { retry: { initial: "1s", max: "1s", jitter: false } })
    .build();
  const engine = await world.started({ definitions: [flow] });
  await Promise.all(
    Array.from({ length: 5 }, (_, index) => engine.trigger(flow, `k${index}`, { data: { tries: 0 } })),
  );
  await world.advance(30_000);
  assert.equal((await engine.list({ runState: "completed" })).items.length, 5);
  assert.equal(hooks, 5 + thrown.length);
});

testOnStores(
  "Q10: await() knows statuses gone by, and takes no pause or cancel for success",
  async (world) => {
    const flow = machine("flow")
      .step("a", ["b"], () => "b")
      .callback("b", ["c"], () => "c")
      .build();
    const engine = await world.started({ definitions: [flow] });
    await engine.trigger(flow, "k");
    await world.settle();
    const passed = await world.during(engine.await(flow, "k", { status: "a" }));
    assert.equal(passed.status, "b");
    const [one, two] = [engine.await(flow, "k", { status: "c" }), engine.await(flow, "k", { status: "c" })];
    const ends = Promise.allSettled([one, two]);
    await world.during(engine.pause(flow, "k"));
    await world.during(engine.cancel(flow, "k"));
    for (const end of await world.during(ends, 1_000)) {
      assert.equal(end.status === "rejected" && end.reason.code, "RUN_ENDED");
    }
    assert.equal((await world.during(engine.await(flow, "k"))).runState, "cancelled");
  },
);

testOnStores(
  "Q11: deleting the data of an old run leaves the latest run of its key what it is",
  async (world) => {
    const flow = machine("flow").callback("a", ["b"], () => "b").build();
    const engine = await world.started({ definitions: [flow] });
    const first = await engine.trigger(flow, "k");
    await world.during(engine.callback(flow, "k", "a", undefined));
    const second = await engine.trigger(flow, "k");
    await world.during(engine.deleteData(flow, "k", { runId: first.runId }));
    await world.advance(1_000);
    assert.equal((await engine.get(flow, "k", { runId: first.runId }))!.runState, "deleted");
    assert.equal((await engine.get(flow, "k"))!.runId, second.runId);
    await assert.rejects(engine.trigger(flow, "k"), { code: "RUN_IN_PROGRESS" });
  },
);

testInMemory("Q12: what a step changes before it pauses, cancels, fails or skips is kept", async (world) => {
  type Answer = "pause" | "cancel" | "fail" | "skip";
  const flow = machine<{ answer: Answer; note?: string }>("flow", { pauseRetry: false })
    .step("a", ["b"], (run) => {
      const { answer } = run.data;
      run.data.note = "kept";
      return answer === "skip" ? run.skip() : run[answer]("why");
    })
    .build();
  const engine = await world.started({ definitions: [flow] });
  for (const answer of ["pause", "cancel", "fail", "skip"] as const) {
    await engine.trigger(flow, answer, { data: { answer } });
    await world.settle();
    assert.equal((await engine.get(flow, answer))!.data.note, "kept", answer);
  }
});

testInMemory(
  "Q13: an answer that is no edge, and data that is no JSON, count as errors and pause",
  async (world) => {
    let calls = 0;
    const flow = machine<{ bad?: unknown }>("flow", { pauseRetry: false })
      .step("a", ["b"], (run) => {
        calls++;
        if (run.key === "json") run.data.bad = 1n;
        return run.key === "edge" ? "nowhere" as "b" : "b";
      }, { pauseAfterErrors: 2, retry: { initial: "1s" } })
      .build();
    const engine = await world.started({ definitions: [flow] });
    for (const [key, code] of [["edge", "INVALID_TRANSITION"], ["json", "NOT_JSON"]] as const) {
      calls = 0;
      await engine.trigger(flow, key, { data: {} });
      await world.advance(10 * minute);
      const run = await engine.get(flow, key);
      assert.deepEqual([run!.runState, run!.lastError?.code, calls], ["paused", code, 2]);
    }
  },
);

testInMemory(
  "Q16: a run cannot be triggered at an end, and a run that has not begun can be cancelled",
  async (world) => {
    const flow = machine("flow").step("a", ["b"], () => "b").build();
    const engine = world.engine({ definitions: [flow] });
    await assert.rejects(engine.trigger(flow, "k", { startAt: "b" as "a" }), { code: "UNKNOWN_STATUS" });
    await engine.trigger(flow, "k");
    assert.equal((await engine.get(flow, "k"))!.runState, "initiated");
    assert.equal((await engine.cancel(flow, "k")).runState, "cancelled");
    await engine.trigger(flow, "k");
  },
);

testInMemory(
  "Q14: a store that fails at midnight costs no occurrence, and no trigger by hand shifts one",
  async (world) => {
    const flow = machine("flow").step("a", ["b"], () => "b").build();
    const options = { definitions: [flow], ...patient };
    const first = await world.started(options);
    const day = 24 * hour;
    const since = world.clock.now();
    const recurrence = every("1d");
    await first.schedules.create({ id: "s", recurrence, target: flow, key: "{scheduledFor}" });
    const midnight = recurrence.next(since)!;
    await world.advance(midnight - since - minute);
    const { store } = world;
    const { commit } = store;
    let coughs = 0;
    // Whatever would start the run fails.
    const fails: Store["commit"] = (calls) => {
      const keys = calls.flatMap(({ batches }) => batches.flatMap(({ puts }) => puts.map(({ key }) => key)));
      if (!keys.some((key) => key.startsWith("mark "))) return commit.call(store, calls);
      coughs++;
      return Promise.reject(new Error("the disk coughs"));
    };
    Object.assign(store, { commit: fails });
    await world.advance(10 * minute);
    Object.assign(store, { commit });
    assert.ok(coughs > 0, `${coughs}`);
    await world.advance(10 * minute);
    await world.during(first.schedules.trigger("s"), minute);
    await world.during(first.stop(), minute);
    const second = await world.started(options);
    await world.advance(2 * day);
    const { items } = await second.schedules.outcomes("s");
    const started = items.filter(({ by }) => by === "slot").map(({ scheduledFor, outcome }) =>
      `${outcome} ${(Number(scheduledFor) - midnight) / day}`
    );
    assert.deepEqual(started.sort(), ["started 0", "started 1", "started 2"]);
  },
);

Deno.test("Q15: cron reads lists, ranges, steps and names, outlives a leap day, and says what it does at changes of clocks", () => {
  const next = (expression: string, after: string, options = {}) => {
    const at = cron(expression, options).next(Date.parse(after));
    return at === undefined ? undefined : new Date(at).toISOString();
  };
  assert.equal(next("0,30 9-17/4 * jan-mar mon", "2026-01-01T00:00Z"), "2026-01-05T09:00:00.000Z");
  assert.equal(next("0 0 29 2 *", "2028-02-29T00:00Z"), "2032-02-29T00:00:00.000Z");
  const timeZone = "America/New_York";
  // 02:30 is not there on 8 March 2026, and 01:30 is there twice on 1 November.
  assert.equal(next("30 2 * * *", "2026-03-08T06:00Z", { timeZone }), "2026-03-08T07:00:00.000Z");
  assert.equal(next("30 1 * * *", "2026-11-01T05:30Z", { timeZone }), "2026-11-02T06:30:00.000Z");
});

testOnStores("Q17: errors are counted on the run, whatever their texts, and over restarts", async (world) => {
  let calls = 0;
  const flow = machine("flow", { pauseRetry: false })
    .step("a", ["b"], () => {
      throw new Error(`request ${++calls} failed`);
    }, { pauseAfterErrors: 4, retry: { initial: "1m", max: "1m", jitter: false } })
    .build();
  const first = await world.started({ definitions: [flow] });
  await first.trigger(flow, "k");
  await world.advance(minute);
  await world.during(first.stop(), 5_000);
  assert.equal(calls, 2);
  const second = await world.started({ definitions: [flow] });
  await world.advance(10 * minute);
  const run = await second.get(flow, "k");
  assert.deepEqual([calls, run!.runState, run!.attempt], [4, "paused", 4]);
});

testInMemory("Q18: an engine that waits for its share stops at once", async (world) => {
  const flow = machine("flow").step("a", ["b"], () => "b").build();
  const leader = await world.started({ definitions: [flow] });
  const standby = await world.started({ definitions: [flow] });
  await world.during(standby.stop());
  await leader.trigger(flow, "k");
  await world.settle();
  assert.equal((await leader.get(flow, "k"))!.status, "b");
});

testInMemory("Q19: a store that fails is asked again with pauses, not in a hot loop", async (world) => {
  let calls = 0;
  let isDown = false;
  const base = memoryStore();
  const down = <Value>(call: () => Promise<Value>) => {
    calls++;
    return isDown ? Promise.reject(new Error("away")) : call();
  };
  const store: Store = {
    ...base,
    limits: base.limits,
    shards: base.shards,
    read: (requests) => down(() => base.read(requests)),
    commit: (batches) => down(() => base.commit(batches)),
  };
  const flow = machine("flow").step("a", ["b"], () => "b").build();
  const engine = await world.started({ definitions: [flow], store });
  isDown = true;
  calls = 0;
  await world.advance(minute);
  assert.ok(calls < 600, `${calls} calls in a minute`);
  isDown = false;
  await engine.trigger(flow, "k");
  await world.advance(20_000);
  assert.equal((await engine.get(flow, "k"))!.status, "b");
});

testOnStores("Q20: of runs of one key in one millisecond the last one is the latest", async (world) => {
  const flow = machine("flow").callback("a", ["b"], () => "b").build();
  const engine = await world.started({ definitions: [flow] });
  const ids: string[] = [];
  for (let round = 0; round < 20; round++) {
    ids.push((await engine.trigger(flow, "k")).runId);
    await world.during(engine.cancel(flow, "k"));
    assert.equal((await engine.get(flow, "k"))!.runId, ids.at(-1));
  }
  assert.deepEqual(
    (await engine.list({ definition: "flow", limit: 50, order: "oldest" })).items.map((run) => run.runId),
    ids,
  );
});

testInMemory(
  "Q23: a run that moves to another store keeps its version, and goes on from there",
  async (world) => {
    const flow: Machine<{ n: number }, "a" | "b" | "c", "a" | "b"> = machine<{ n: number }>("flow")
      .step("a", ["b"], (run) => (run.data.n++, "b"))
      .callback("b", ["c"], () => "c")
      .build();
    const from = await world.started({ definitions: [flow] });
    await from.trigger(flow, "k", { data: { n: 0 } });
    await world.settle();
    const lines = await Array.fromAsync(from.admin.export());
    const to = await world.started({ definitions: [flow], store: memoryStore({ shards: 2 }) });
    await world.during(to.admin.import(lines), 1_000);
    assert.equal((await to.get(flow, "k"))!.version, (await from.get(flow, "k"))!.version);
    await world.during(to.callback(flow as never, "k", "b" as never, undefined as never));
    assert.deepEqual([(await to.get(flow, "k"))!.status, (await to.get(flow, "k"))!.data.n], ["c", 1]);
    assert.deepEqual((await to.admin.verify()).findings, []);
  },
);
