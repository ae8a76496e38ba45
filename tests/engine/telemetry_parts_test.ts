import assert from "node:assert/strict";
import { type Labels, type LogLevel, machine } from "../../mod.ts";
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
