import assert from "node:assert/strict";
import { type Labels, type LogLevel, machine } from "../../mod.ts";
import { memoryStreamer } from "../../adapters/streams/memory.ts";
import { EngineMetrics } from "../../core/engine/metrics.ts";
import { relayPolicy } from "../../core/engine/relay_policy.ts";
import {
  connectorProcess,
  deleteProcess,
  hookProcess,
  outboxProcess,
  stepProcess,
  timeoutProcess,
} from "../../core/engine/process_names.ts";
import { recordingTelemetry } from "../../core/testing/recording_telemetry.ts";
import { patient, testInMemory, testOnStores } from "./stores.ts";

const lag = "workflow_process_lag_seconds";
const lagAlert = "workflow_process_lag_alert";
const latency = "workflow_process_latency_seconds";
const errors = "workflow_process_error_count";

const labelsOf = (process: string): Labels => ({ workflow_name: "flow", process_name: process });

Deno.test("process names are those of luno", () => {
  assert.equal(stepProcess("orders", "paid"), "orders-paid-consumer-1-of-1");
  assert.equal(timeoutProcess("orders", "paid"), "orders-paid-timeout-consumer");
  assert.equal(connectorProcess("psp", "orders", 2, 3), "psp-connector-to-orders-consumer-2-of-3");
  assert.equal(hookProcess("orders", "paused"), "orders-paused-run-state-change-hook-consumer");
  assert.equal(outboxProcess("orders"), "orders-outbox-consumer");
  assert.equal(deleteProcess("orders"), "orders-delete-consumer");
});

testOnStores("timeouts are measured by their status, from when each was due", async (world) => {
  const telemetry = recordingTelemetry();
  const lines: [LogLevel, string, unknown][] = [];
  let failures = 1;
  const waiting = machine("flow")
    .timeout("open", ["shut"], { after: "1h" }, () => {
      if (failures-- > 0) throw new Error("no");
      return "shut";
    }, { name: "closing", retry: { initial: "1m", jitter: false }, lagAlert: "5m" })
    .build();
  const engine = world.engine({
    ...patient,
    definitions: [waiting],
    telemetry,
    logger: { log: (level, message, fields) => void lines.push([level, message, fields?.["timeout"]]) },
  });
  const { runId } = await world.during(engine.trigger(waiting, "k"));
  await world.advance(70 * 60_000);
  await world.during(engine.tick());
  const process = labelsOf(timeoutProcess("flow", "open"));
  assert.deepEqual(telemetry.told(lag, process), [0, 600]);
  assert.equal(telemetry.value(lagAlert, process), 1);
  assert.equal(telemetry.value(errors, process), 1);
  await world.advance(90_000);
  await world.during(engine.tick());
  assert.equal((await world.during(engine.get(waiting, "k")))?.status, "shut");
  assert.deepEqual(telemetry.told(lag, process), [0, 600, 30]);
  assert.equal(telemetry.value(lagAlert, process), 0);
  assert.equal(telemetry.told(latency, process).length, 1);
  assert.deepEqual(lines, [["warn", "A timeout failed; it is tried again", "closing"]]);
  assert.equal(telemetry.spans[1]?.start.name, "flow open closing");
  assert.deepEqual(telemetry.spans.map(({ start }) => start.attributes["pawl.attempt"]), [1, 2]);
  assert.equal(telemetry.spans[1]?.start.attributes["pawl.step_id"], `${runId}:1:closing:0`);
  assert.equal(engine.states()[process["process_name"]!], "unknown");
});

testOnStores("hooks and deletions are measured as processes of their own", async (world) => {
  const telemetry = recordingTelemetry();
  const logged: unknown[] = [];
  let failures = 1;
  const hooked = machine<{ card: string }>("flow")
    .step("a", ["b"], () => "b")
    .onComplete((view) => {
      if (failures-- > 0) throw Object.assign(new TypeError(`no ${view.data.card}`), { code: "E_HOOK" });
    }, { retry: { initial: "1m", jitter: false } })
    .build();
  const engine = await world.started({
    definitions: [hooked],
    telemetry,
    logger: { log: (level, message, fields) => void logged.push({ level, message, ...fields }) },
  });
  const { runId } = await world.during(engine.trigger(hooked, "k", { data: { card: "4111" } }));
  await world.advance(61_000);
  const hooks = labelsOf(hookProcess("flow", "completed"));
  assert.equal(telemetry.value(errors, hooks), 1);
  assert.equal(telemetry.told(latency, hooks).length, 1);
  assert.equal(telemetry.told(lag, hooks).length, 3);
  assert.deepEqual(logged, [{
    level: "warn",
    message: "A hook failed",
    definition: "flow",
    runId,
    hook: "1",
    attempt: 1,
    error: "TypeError",
    code: "E_HOOK",
  }]);
  await world.during(engine.deleteData(hooked, "k"));
  await world.advance(1_000);
  assert.equal((await world.during(engine.get(hooked, "k")))?.runState, "deleted");
  const deletions = labelsOf(deleteProcess("flow"));
  assert.equal(telemetry.told(latency, deletions).length, 1);
  assert.equal(telemetry.value(errors, deletions), 0);
  const runStates = "workflow_run_state_changes";
  const change = (previous: string, current: string) =>
    telemetry.value(runStates, {
      workflow_name: "flow",
      previous_run_state: previous,
      current_run_state: current,
    });
  assert.equal(change("completed", "deletion-requested"), 1);
  assert.equal(change("deletion-requested", "deleted"), 1);
  assert.equal(engine.states()[hooks["process_name"]!], "running");
  assert.equal(engine.states()[deletions["process_name"]!], "running");
});

testInMemory("an erasure that fails is an error of the delete process", async (world) => {
  const telemetry = recordingTelemetry();
  let failures = 2;
  const scrubbed = machine<{ card: string }>("flow", {
    scrub: () => {
      if (failures-- > 0) throw new Error("no");
      return { card: "" };
    },
  }).step("a", ["b"], () => "b").build();
  const engine = await world.started({ definitions: [scrubbed], telemetry });
  await engine.trigger(scrubbed, "k", { data: { card: "4111" } });
  await world.settle();
  await engine.deleteData(scrubbed, "k");
  await world.advance(60_000);
  const deletions = labelsOf(deleteProcess("flow"));
  assert.equal(telemetry.value(errors, deletions), 2);
  assert.equal(telemetry.told(latency, deletions).length, 1);
});

testInMemory("the relay is measured: how far it is behind, its sends, and those that fail", async (world) => {
  const telemetry = recordingTelemetry();
  let isAway = true;
  const sent: string[] = [];
  const streamer = {
    send(_topic: string, events: readonly { readonly type: string }[]) {
      if (isAway) return Promise.reject(new Error("the broker is away"));
      sent.push(...events.map(({ type }) => type));
      return Promise.resolve();
    },
    receive: () => Promise.reject(new Error("nobody receives here")),
  };
  const told = machine("flow", { stream: true }).step("a", ["b"], () => "b").build();
  const silent = machine("silent").step("a", ["b"], () => "b").build();
  const streams = { streamer, retry: { initial: "1s", max: "5s" }, lagAlert: "30s" } as const;
  const limits = { heldRunsMax: 1 };
  const engine = await world.started({ definitions: [told, silent], telemetry, streams, limits });
  const process = labelsOf(outboxProcess("flow"));
  assert.deepEqual(telemetry.told(errors, process), [0], "known before anything happens");
  // What is held back is no lag; so there is more than may be.
  for (const key of ["k", "l", "m"]) await engine.trigger(told, key);
  await world.advance(20_000);
  const behind = telemetry.told(lag, process).at(-1)!;
  assert(behind > 10 && behind <= 20, `the lag is ${behind} s`);
  assert.equal(telemetry.value(lagAlert, process), 0);
  assert(telemetry.value(errors, process)! > 3);
  await world.advance(20_000);
  assert.equal(telemetry.value(lagAlert, process), 1);
  assert.equal(telemetry.told(latency, process).length, 0);
  isAway = false;
  await world.advance(10_000);
  assert.deepEqual(sent.toSorted(), ["a", "a", "a", "b", "b", "b"]);
  assert(telemetry.told(latency, process).length >= 2);
  assert.deepEqual([telemetry.value(lag, process), telemetry.value(lagAlert, process)], [0, 0]);
  assert.equal(engine.states()["flow-outbox-consumer"], "running");
  assert.equal(engine.states()["silent-outbox-consumer"], undefined);
  const unrelayed = await world.started({ definitions: [told] });
  assert.equal(unrelayed.states()["flow-outbox-consumer"], undefined);
});

Deno.test("the lag of a relay is that of the shard that is furthest behind, and goes with its shard", () => {
  const telemetry = recordingTelemetry();
  const policy = { ...relayPolicy({ streamer: memoryStreamer() }), lagAlertMs: 60_000 };
  const relay = new EngineMetrics(telemetry).relay("flow", policy);
  relay.lag(0, 90_000);
  relay.lag(1, 2_000);
  relay.lag(0, undefined);
  relay.lag(1, undefined);
  const process = labelsOf(outboxProcess("flow"));
  assert.deepEqual(telemetry.told(lag, process), [90, 90, 2, 0]);
  assert.deepEqual(telemetry.told(lagAlert, process), [1, 1, 0, 0]);
});
