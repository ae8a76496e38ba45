import assert from "node:assert/strict";
import {
  type Engine,
  joinTelemetry,
  type Labels,
  machine,
  type RunState,
  type StepRun,
  type Telemetry,
} from "../../mod.ts";
import { latencyBuckets } from "../../core/engine/instruments.ts";
import { seededRandom } from "../../core/ports/random.ts";
import { type RecordingTelemetry, recordingTelemetry } from "../../core/testing/recording_telemetry.ts";
import { gate, patient, testInMemory, testOnStores } from "./stores.ts";

const stepOf = (status: string, workflow = "flow"): Labels => ({
  workflow_name: workflow,
  process_name: `${workflow}-${status}-consumer-1-of-1`,
});

const stateChange = (previous: string, current: string): Labels => ({
  workflow_name: "flow",
  previous_run_state: previous,
  current_run_state: current,
});

const lag = "workflow_process_lag_seconds";
const lagAlert = "workflow_process_lag_alert";
const latency = "workflow_process_latency_seconds";
const errors = "workflow_process_error_count";
const skipped = "workflow_process_skipped_events_count";
const runStates = "workflow_run_state_changes";
const states = "workflow_process_states";

const minute = 60_000;
const flow = machine("flow")
  .step("a", ["b"], () => "b")
  .step("b", ["c"], () => "c", { lag: "10s" })
  .step("c", ["d"], () => "d")
  .build();

testOnStores("lag is measured from each step's own due time, not from an earlier one", async (world) => {
  const telemetry = recordingTelemetry();
  const client = world.engine({ definitions: [flow], work: false });
  await world.during(client.trigger(flow, "k"));
  await world.advance(40 * minute);
  const worker = await world.started({ definitions: [flow], telemetry });
  await world.settle();
  // After the first value, which only makes the series known.
  assert.deepEqual(telemetry.told(lag, stepOf("a")), [0, 2_400]);
  assert.deepEqual(telemetry.told(lagAlert, stepOf("a")), [0, 1]);
  await world.advance(12_000);
  assert.equal((await world.during(worker.get(flow, "k")))?.status, "d");
  assert.deepEqual(telemetry.told(lagAlert, stepOf("b")), [0, 0]);
  assert.deepEqual(telemetry.told(lag, stepOf("b")), [0, 0]);
  assert.deepEqual(telemetry.told(lag, stepOf("c")), [0, 0]);
});

testInMemory("lag of a step that is due at once is measured from when its run came there", async (world) => {
  const telemetry = recordingTelemetry();
  const slow = gate();
  const two = machine("flow").step("a", ["b"], async () => {
    await slow.promise;
    return "b";
  }).step("b", ["c"], () => "c").build();
  const engine = await world.started({ definitions: [two], telemetry });
  await engine.trigger(two, "k");
  await world.advance(90_000);
  slow.resolve();
  await world.settle();
  assert.equal((await engine.get(two, "k"))?.status, "c");
  // The work row still says when the first step was due, 90 s ago.
  assert.deepEqual(telemetry.told(lag, stepOf("b")), [0, 0]);
  assert.deepEqual(telemetry.told(latency, stepOf("a")), [90]);
});

testInMemory("lag of a retry is measured from when it was due", async (world) => {
  const telemetry = recordingTelemetry();
  const failing = machine("flow").step("a", ["b"], (run) => {
    if (run.attempt === 1) throw new Error("no");
    return "b";
  }, { retry: { initial: "1m", jitter: false } }).build();
  const engine = world.engine({ ...patient, definitions: [failing], telemetry });
  await engine.trigger(failing, "k");
  await world.during(engine.tick());
  assert.deepEqual(telemetry.told(lag, stepOf("a")), [0, 0]);
  await world.advance(5 * minute);
  await world.during(engine.tick());
  assert.deepEqual(telemetry.told(lag, stepOf("a")), [0, 0, 240]);
  assert.equal(telemetry.value(errors, stepOf("a")), 1);
  assert.equal(telemetry.told(latency, stepOf("a")).length, 1);
});

testInMemory("lag after a take-over counts the time in which nobody worked", async (world) => {
  const telemetry = recordingTelemetry();
  const stuck = gate();
  let starts = 0;
  const hanging = machine("flow").step("a", ["b"], async () => {
    if (++starts === 1) await stuck.promise;
    return "b";
  }).build();
  const first = world.mortal({ definitions: [hanging] });
  await world.during(first.engine.start());
  await world.during(first.engine.trigger(hanging, "k"));
  const triggeredAt = world.clock.now();
  first.kill();
  const second = await world.started({ definitions: [hanging], telemetry });
  await world.advance(30_000);
  const run = await world.during(second.get(hanging, "k"));
  assert.equal(run?.status, "b");
  assert.deepEqual(telemetry.told(lag, stepOf("a")), [0, (run.updatedAt.getTime() - triggeredAt) / 1_000]);
  assert(telemetry.value(lag, stepOf("a"))! >= 10);
  stuck.resolve();
});

testInMemory("lagAlert is raised above its threshold, by default 30 min and the lag", async (world) => {
  const step = () => "z" as const;
  const alerts = machine("flow", { steps: { lagAlert: "1m" } })
    .step("own", ["z"], step, { lagAlert: "5s" })
    .step("shared", ["z"], step)
    .step("never", ["z"], step, { lagAlert: 0 })
    .build();
  const defaults = machine("defaults").step("plain", ["z"], step).step("lagging", ["z"], step, { lag: "1h" })
    .build();
  const policy = (status: string) => defaults.behaviour.policy(status)?.lagAlertMs;
  assert.deepEqual([policy("plain"), policy("lagging")], [30 * minute, 90 * minute]);

  const alertsAfter = async (ms: number) => {
    const telemetry = recordingTelemetry();
    const engine = world.engine({ ...patient, definitions: [alerts], telemetry });
    for (const startAt of ["own", "shared", "never"] as const) {
      await world.during(engine.trigger(alerts, `${startAt} ${ms}`, { startAt }));
    }
    await world.advance(ms);
    await world.during(engine.tick());
    return ["own", "shared", "never"].map((status) => telemetry.value(lagAlert, stepOf(status)));
  };
  assert.deepEqual(await alertsAfter(5_000), [0, 0, 0]);
  assert.deepEqual(await alertsAfter(5_001), [1, 0, 0]);
  assert.deepEqual(await alertsAfter(minute + 1), [1, 1, 0]);
});

testInMemory("lag is never less than zero, though an engine's clock be behind another's", async (world) => {
  const telemetry = recordingTelemetry();
  const held = gate();
  let isHeld = true;
  const two = machine("flow").step("a", ["b"], () => "b").step("b", ["c"], async () => {
    if (isHeld) await held.promise;
    return "c";
  }).build();
  const behind = world.engine({ definitions: [two], telemetry });
  await world.during(behind.trigger(two, "k"));
  const ahead = await world.started({
    definitions: [two],
    clock: { ...world.clock, now: () => world.clock.now() + minute },
  });
  await world.settle();
  assert.equal((await world.during(ahead.get(two, "k")))?.status, "b");
  await world.during(ahead.stop({ grace: 0 }));
  isHeld = false;
  await world.during(behind.tick());
  assert.equal((await world.during(behind.get(two, "k")))?.status, "c");
  assert.deepEqual(telemetry.told(lag, stepOf("b")), [0, 0]);
  held.resolve();
});

testOnStores("errors, skips and late results are counted by process and reason", async (world) => {
  const telemetry = recordingTelemetry();
  const slow = gate();
  const mixed = machine("flow", { pauseRetry: false })
    .step("failing", ["z"], () => {
      throw new Error("no");
    }, { pauseAfterErrors: 3, retry: { initial: "1s", jitter: false } })
    .step("skipping", ["z"], (run) => run.skip())
    .step("slow", ["z"], async () => {
      await slow.promise;
      return "z";
    })
    .build();
  const engine = await world.started({ definitions: [mixed], telemetry });
  for (const startAt of ["failing", "skipping", "slow"] as const) {
    await world.during(engine.trigger(mixed, startAt, { startAt }));
  }
  await world.advance(10_000);
  await world.during(engine.cancel(mixed, "slow"));
  slow.resolve();
  await world.settle();
  assert.equal(telemetry.value(errors, stepOf("failing")), 3);
  assert.equal(telemetry.value(errors, stepOf("skipping")), 0);
  assert.deepEqual(telemetry.told(latency, stepOf("failing")), []);
  assert.equal(telemetry.told(latency, stepOf("skipping")).length, 1);
  assert.deepEqual(telemetry.series(skipped), [
    { ...stepOf("skipping"), reason: "next value specified skip" },
    { ...stepOf("slow"), reason: "run has moved on" },
  ]);
  assert.equal(telemetry.value(runStates, stateChange("initiated", "paused")), 1);
  assert.equal(telemetry.value(runStates, stateChange("initiated", "running")), 1);
  assert.equal(telemetry.value(runStates, stateChange("initiated", "cancelled")), 1);
  assert.equal(telemetry.value(runStates, stateChange("unknown", "initiated")), 3);
});

testInMemory("a result that another owner's fence refuses is counted as not stored", async (world) => {
  const telemetry = recordingTelemetry();
  const slow = gate();
  let starts = 0;
  const hanging = machine("flow").step("a", ["b"], async () => {
    if (++starts === 1) await slow.promise;
    return "b";
  }).build();
  const zombie = world.mortal({ definitions: [hanging], telemetry });
  await world.during(zombie.engine.start());
  await world.during(zombie.engine.trigger(hanging, "k"));
  await world.settle();
  zombie.freeze();
  await world.advance(20_000);
  const next = await world.started({ definitions: [hanging] });
  await world.advance(20_000);
  assert.equal((await world.during(next.get(hanging, "k")))?.status, "b");
  slow.resolve();
  zombie.wake();
  await world.advance(1_000);
  assert.deepEqual(telemetry.series(skipped), [{ ...stepOf("a"), reason: "result not stored" }]);
  assert.deepEqual(telemetry.told(latency, stepOf("a")), []);
  await world.during(zombie.engine.stop({ grace: 0 }), 1_000);
});

testInMemory("statuses that a redeploy took away are counted as skips of their process", async (world) => {
  const before = machine("flow").step("gone", ["kept"], (run) => run.pause("wait")).step(
    "kept",
    ["z"],
    (run) => run.pause("wait"),
  ).build();
  const old = await world.started({ definitions: [before] });
  await world.during(old.trigger(before, "g"));
  await world.settle();
  await world.during(old.stop());
  const after = machine("flow").step("kept", ["z"], () => "z").build();
  const telemetry = recordingTelemetry();
  const engine = await world.started({ ...patient, definitions: [after], telemetry });
  await world.advance(61 * minute);
  const view = await world.during(engine.list({ definition: "flow" }));
  assert.equal(view.items[0]?.runState, "stalled");
  assert.equal(
    telemetry.value(skipped, { ...stepOf("gone"), reason: "status unknown to the code" }),
    1,
  );
  // The automatic resume was due after an hour.
  const retry = { workflow_name: "flow", process_name: "flow-paused-records-retry-consumer" };
  assert.deepEqual(telemetry.told(lag, retry), [0, 0]);
});

/** The changes of run state that a run's history tells of. */
async function changesOf(engine: Engine, runId: string): Promise<string[]> {
  let previous: RunState | "unknown" = "unknown";
  const changes: string[] = [];
  for (const { runState } of await engine.history({ runId })) {
    if (runState !== previous) changes.push(`${previous} ${runState}`);
    previous = runState;
  }
  return changes;
}

testOnStores("run state changes are counted as the histories of all runs tell them", async (world) => {
  const telemetry = recordingTelemetry();
  const random = seededRandom(7);
  const answer = (run: StepRun<undefined, "a" | "b" | "z">) => {
    const chance = random.float();
    if (chance < 0.1) throw new Error("no");
    if (chance < 0.2) return run.pause("wait");
    if (chance < 0.25) return run.cancel("enough");
    if (chance < 0.3) return run.fail("broken");
    if (chance < 0.35) return run.skip();
    return chance < 0.6 ? "a" : chance < 0.8 ? "b" : "z";
  };
  const wild = machine("flow", { pauseRetry: "30s" })
    .step("a", ["a", "b", "z"], answer, { pauseAfterErrors: 2 })
    .step("b", ["a", "b", "z"], answer, { pauseAfterErrors: 2 })
    .build();
  const engines = [
    await world.started({ definitions: [wild], telemetry }),
    await world.started({ definitions: [wild], telemetry }),
  ];
  const atFirst = telemetry.series(runStates);
  const nameOf = (labels: Labels) => `${labels["previous_run_state"]} ${labels["current_run_state"]}`;
  const runIds: string[] = [];
  for (let n = 0; n < 60; n++) {
    const engine = engines[n % 2]!;
    runIds.push((await world.during(engine.trigger(wild, `k${n}`), 5_000)).runId);
    if (random.float() < 0.3) await world.during(engine.pause(wild, `k${n}`).catch(() => {}), 5_000);
    if (random.float() < 0.1) await world.during(engine.cancel(wild, `k${n}`).catch(() => {}), 5_000);
  }
  await world.advance(40_000);
  const told = new Map<string, number>();
  const known = new Set(atFirst.map(nameOf));
  for (const runId of runIds) {
    for (const change of await world.during(changesOf(engines[0]!, runId), 5_000)) {
      told.set(change, (told.get(change) ?? 0) + 1);
    }
  }
  const counted = new Map(
    telemetry.series(runStates).map((labels) => [
      nameOf(labels),
      telemetry.value(runStates, labels),
    ]),
  );
  // Each change that may come is known from the start: else its first rise would not be seen.
  assert.deepEqual([...told.keys()].filter((change) => !known.has(change)), []);
  const risen = [...counted].filter(([, count]) => count! > 0);
  assert.deepEqual(new Map(risen.sort()), new Map([...told].sort()));
  assert(told.has("initiated running") && told.has("paused running") && told.has("running failed"));
});

testInMemory("states() follows an engine through its life, and so does its metric", async (world) => {
  const telemetry = recordingTelemetry();
  const engine = world.engine({ definitions: [flow], telemetry });
  const names = [
    "flow-a-consumer-1-of-1",
    "flow-b-consumer-1-of-1",
    "flow-c-consumer-1-of-1",
    "flow-delete-consumer",
    "flow-paused-records-retry-consumer",
  ];
  const all = (state: string) => Object.fromEntries(names.map((name) => [name, state]));
  assert.deepEqual(engine.states(), all("unknown"));
  assert.equal(telemetry.value(states, stepOf("a")), 0);
  await world.during(engine.start());
  assert.deepEqual(engine.states(), all("running"));
  assert.equal(telemetry.value(states, stepOf("a")), 2);
  // The memory store has one shard of each definition, so a second engine waits for its share.
  const second = recordingTelemetry();
  const idle = await world.started({ definitions: [flow], telemetry: second });
  assert.deepEqual(new Set(Object.values(idle.states())), new Set(["idle"]));
  assert.equal(second.value(states, stepOf("a")), 3);
  await world.during(engine.stop());
  assert.deepEqual(engine.states(), all("shutdown"));
  assert.deepEqual(telemetry.told(states, stepOf("a")).at(-1), 1);
  await world.advance(20_000);
  assert.deepEqual(new Set(Object.values(idle.states())), new Set(["running"]));
  assert.equal(second.value(states, stepOf("a")), 2);
});

testInMemory(
  "states() of engines that do not work, or only tick, is unknown between their ticks",
  async (world) => {
    const held = gate();
    const slow = machine("flow").step("a", ["b"], async () => {
      await held.promise;
      return "b";
    }).build();
    const client = await world.started({ definitions: [slow], work: false, telemetry: recordingTelemetry() });
    assert.equal(client.states()["flow-a-consumer-1-of-1"], "unknown");
    await world.during(client.stop());
    assert.equal(client.states()["flow-a-consumer-1-of-1"], "unknown");
    const telemetry = recordingTelemetry();
    const ticker = world.engine({ definitions: [slow], telemetry });
    await world.during(ticker.trigger(slow, "k"));
    const tick = ticker.tick({ budgetMs: 1_000 });
    await world.settle();
    assert.equal(ticker.states()["flow-a-consumer-1-of-1"], "running");
    held.resolve();
    await world.during(tick, 2_000);
    assert.equal(ticker.states()["flow-a-consumer-1-of-1"], "unknown");
    assert.deepEqual(telemetry.told(states, stepOf("a")), [0, 2, 0]);
  },
);

testInMemory("states() of an engine whose shard was taken over is idle", async (world) => {
  const telemetry = recordingTelemetry();
  const zombie = world.mortal({ definitions: [flow], telemetry });
  await world.during(zombie.engine.start());
  zombie.freeze();
  await world.advance(20_000);
  const next = await world.started({ definitions: [flow] });
  await world.advance(20_000);
  assert.equal(next.states()["flow-a-consumer-1-of-1"], "running");
  zombie.wake();
  await world.advance(2_000);
  assert.equal(zombie.engine.states()["flow-a-consumer-1-of-1"], "idle");
  assert.equal(telemetry.value(states, stepOf("a")), 3);
  await world.during(zombie.engine.stop({ grace: 0 }), 1_000);
});

testInMemory("spans tell of each attempt, with what was thrown and without the key", async (world) => {
  const telemetry = recordingTelemetry();
  const thrown = Object.assign(new Error("no"), { code: "E_NO" });
  const twice = machine("flow").step("a", ["b"], (run) => {
    if (run.attempt === 1) throw thrown;
    return "b";
  }, { retry: { initial: "1s" } }).build();
  const engine = await world.started({ definitions: [twice], telemetry });
  const { runId } = await engine.trigger(twice, "ann@example.org");
  await world.advance(2_000);
  assert.equal(telemetry.spans.length, 2);
  const [first, second] = telemetry.spans;
  assert.equal(first!.start.name, "flow a");
  assert.deepEqual(first!.start.attributes, {
    "pawl.definition": "flow",
    "pawl.status": "a",
    "pawl.run_id": runId,
    "pawl.step_id": `${runId}:1`,
    "pawl.attempt": 1,
  });
  assert.equal(first!.end?.error, thrown);
  assert.deepEqual(first!.end?.attributes, { "pawl.result": "error", "pawl.error_code": "E_NO" });
  assert.equal(second!.start.attributes["pawl.attempt"], 2);
  assert.deepEqual(second!.end, { attributes: { "pawl.result": "move", "pawl.to": "b" } });
  assert.equal(second!.start.runId, runId);
  assert.equal(second!.start.key, "ann@example.org");
});

testInMemory("spans surround the code of their attempt, and end when it has ended", async (world) => {
  const events: string[] = [];
  let active: string | undefined;
  const telemetry: Telemetry = {
    ...recordingTelemetry(),
    span: ({ name }) => ({
      run(body) {
        active = name;
        const value = body();
        active = undefined;
        return value;
      },
      end: () => events.push("end"),
    }),
  };
  const held = gate();
  const slow = machine("flow").step("a", ["b"], async () => {
    events.push(`begin in ${active}`);
    await held.promise;
    events.push("done");
    return "b";
  }).build();
  const engine = await world.started({ definitions: [slow], telemetry });
  await engine.trigger(slow, "k");
  await world.settle();
  assert.deepEqual(events, ["begin in flow a"]);
  held.resolve();
  await world.settle();
  assert.deepEqual(events, ["begin in flow a", "done", "end"]);
});

testInMemory("a timeout ends its span with the timeout", async (world) => {
  const telemetry = recordingTelemetry();
  const endless = machine("flow").step("a", ["b"], () => new Promise<"b">(() => {}), { timeout: "5s" })
    .build();
  const engine = await world.started({ definitions: [endless], telemetry });
  await engine.trigger(endless, "k");
  await world.advance(5_000);
  assert.equal((telemetry.spans[0]?.end?.error as { code?: string }).code, "STEP_TIMEOUT");
});

for (const where of ["add", "set", "record", "span", "run before", "run after", "end"]) {
  testInMemory(`a telemetry that throws in ${where} costs no step and is told of once`, async (world) => {
    const fail = (here: string) => {
      if (here === where) throw new Error(`telemetry: ${here}`);
    };
    const telemetry: Telemetry = {
      counter: () => ({ add: () => fail("add") }),
      gauge: () => ({ set: () => fail("set") }),
      histogram: () => ({ record: () => fail("record") }),
      span() {
        fail("span");
        return {
          run(body) {
            fail("run before");
            const value = body();
            fail("run after");
            return value;
          },
          end: () => fail("end"),
        };
      },
    };
    const lines: string[] = [];
    let calls = 0;
    const counting = machine("flow").step("a", ["b"], () => {
      calls++;
      return "b";
    }).build();
    const logger = { log: (level: string, message: string) => void lines.push(`${level} ${message}`) };
    const engine = await world.started({ definitions: [counting], telemetry, logger });
    for (const key of ["1", "2"]) await world.during(engine.trigger(counting, key));
    await world.settle();
    assert.equal((await engine.get(counting, "1"))?.status, "b");
    assert.equal(calls, 2);
    assert.deepEqual(lines, [
      "error The telemetry failed; measurements are lost, and this is not told again",
    ]);
  });
}

testInMemory("joinTelemetry() tells each of all, and runs the code of a span once", async (world) => {
  const each = [recordingTelemetry(), recordingTelemetry()] as const;
  const { span: _, ...metricsOnly } = recordingTelemetry();
  let calls = 0;
  const counting = machine("flow").step("a", ["b"], () => {
    calls++;
    return "b";
  }).build();
  const telemetry = joinTelemetry(each[0], metricsOnly, each[1]);
  const engine = await world.started({ definitions: [counting], telemetry });
  await engine.trigger(counting, "k");
  await world.settle();
  assert.equal(calls, 1);
  for (const { spans, value, told } of [...each]) {
    assert.equal(spans.length, 1);
    assert.equal(spans[0]?.end?.attributes["pawl.to"], "b");
    assert.equal(value(runStates, stateChange("initiated", "completed")), 1);
    assert.equal(told(latency, stepOf("a")).length, 1);
  }
  assert.equal(metricsOnly.value(runStates, stateChange("initiated", "completed")), 1);
  assert.equal(joinTelemetry(metricsOnly).span, undefined);
});

Deno.test("latency buckets keep every bound that luno's dashboards use, and rise", () => {
  for (const bound of [0.01, 0.1, 1, 5, 10, 60, 300]) assert(latencyBuckets.includes(bound));
  assert.deepEqual([...latencyBuckets].sort((a, b) => a - b), latencyBuckets);
});

testInMemory("all metrics have luno's names and labels", async (world) => {
  const telemetry: RecordingTelemetry = recordingTelemetry();
  await world.started({ definitions: [flow], telemetry });
  const of = (name: string) => telemetry.instruments.get(name)?.labels;
  const usual = ["workflow_name", "process_name"];
  for (const name of [lag, lagAlert, states, latency, errors]) assert.deepEqual(of(name), usual);
  assert.deepEqual(of(skipped), [...usual, "reason"]);
  assert.deepEqual(of(runStates), ["workflow_name", "previous_run_state", "current_run_state"]);
  assert.equal(telemetry.instruments.size, 7);
});
