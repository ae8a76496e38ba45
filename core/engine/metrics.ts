/**
 * What an engine measures. All of it is reached through `context.metrics?.`: without a telemetry there is none, and
 * not even the arguments are made.
 *
 * @module
 */
import type { ErrorKind, HookKind } from "../parts/chore.ts";
import type { Change } from "../parts/run_change.ts";
import type { RunState } from "../parts/run_record.ts";
import type { Labels, Telemetry } from "../ports/telemetry.ts";
import type { Definition } from "./behaviour.ts";
import { type Instruments, instrumentsOf } from "./instruments.ts";
import {
  deleteProcess,
  hookProcess,
  hookStates,
  outboxProcess,
  pauseRetryProcess,
  processesOf,
  stepProcess,
  timeoutProcess,
} from "./process_names.ts";
import { RelayMeter } from "./relay_meter.ts";
import type { RelayPolicy } from "./relay_policy.ts";

/**
 * What a process of an engine is doing. `running`: the engine owns a shard of its definition; `idle`: it owns none and
 * waits for its share; `shutdown`: it was stopped; `unknown`: it was never started, or does not work.
 */
export type ProcessState = "unknown" | "shutdown" | "running" | "idle";

const stateNumbers: Readonly<Record<ProcessState, number>> = { unknown: 0, shutdown: 1, running: 2, idle: 3 };

/**
 * The changes of run state that there are. A counter that is first seen at 1 has not risen as far as Prometheus knows,
 * so an alert would pass over the first pause of all.
 */
const runStateChanges: readonly (readonly [before: RunState | undefined, after: readonly RunState[]])[] = [
  [undefined, ["initiated"]],
  ["initiated", ["running", "paused", "stalled", "completed", "failed", "cancelled"]],
  ["running", ["paused", "stalled", "completed", "failed", "cancelled"]],
  ["paused", ["running", "completed", "failed", "cancelled"]],
  ["stalled", ["running", "cancelled"]],
  ["completed", ["deletion-requested"]],
  ["failed", ["deletion-requested"]],
  ["cancelled", ["deletion-requested"]],
  ["deletion-requested", ["deleted"]],
];

/** When work that has no options of its own is late. */
const lagAlertMs = 1_800_000;

/** Why work changed nothing; luno/workflow's words as far as it has them. */
export type SkipReason =
  | "filtered out"
  | "next value specified skip"
  | "record not found"
  | "record stopped"
  | "unable to unmarshal object"
  | "run has moved on"
  | "result not stored"
  | "status unknown to the code"
  | "status without step";

/** The measurements of one process; get one with {@linkcode EngineMetrics.process}. */
export class ProcessMeter {
  readonly #instruments: Instruments;
  readonly #labels: Labels;
  readonly #alertMs: number;
  readonly #skips = new Map<SkipReason, Labels>();

  /**
   * @param instruments What to measure with.
   * @param definition The definition's name.
   * @param process The process's name, from `process_names.ts`.
   * @param alertMs Lag above which the alert is raised; 0: never.
   */
  constructor(instruments: Instruments, definition: string, process: string, alertMs: number) {
    this.#instruments = instruments;
    this.#labels = { workflow_name: definition, process_name: process };
    this.#alertMs = alertMs;
  }

  /** Makes its series known before anything happens, so that the first error is seen as a rise. */
  begin(): void {
    this.started(0);
    this.#instruments.errors.add(0, this.#labels);
  }

  /** Work is started, so much later than it fell due. `alertMs`: where the work has an alert of its own. */
  started(lagMs: number, alertMs: number = this.#alertMs): void {
    // A clock that was set back must not show work as early.
    const late = Math.max(0, lagMs);
    this.#instruments.lag.set(late / 1_000, this.#labels);
    this.#instruments.lagAlert.set(alertMs > 0 && late > alertMs ? 1 : 0, this.#labels);
  }

  /** Work is done and stored. */
  done(ms: number): void {
    this.#instruments.latency.record(Math.max(0, ms) / 1_000, this.#labels);
  }

  /** Work has failed; it may be tried again. */
  failed(): void {
    this.#instruments.errors.add(1, this.#labels);
  }

  /** Work came to nothing. */
  skipped(reason: SkipReason): void {
    let labels = this.#skips.get(reason);
    if (!labels) this.#skips.set(reason, labels = { ...this.#labels, reason });
    this.#instruments.skipped.add(1, labels);
  }

  /**
   * An attempt of a step has ended.
   *
   * @param ms How long it took, storing included.
   * @param change What was stored of it; absent: nothing, as it was not this engine's to store any more.
   */
  landed(ms: number, change: Change | undefined): void {
    const kind = change?.event?.kind;
    if (kind === "error") return this.failed();
    if (kind === undefined) return this.skipped("result not stored");
    if (kind === "late") return this.skipped("run has moved on");
    if (kind === "skip") this.skipped("next value specified skip");
    this.done(ms);
  }

  /** What the process is doing. */
  state(state: ProcessState): void {
    this.#instruments.states.set(stateNumbers[state], this.#labels);
  }
}

/** The measurements of one engine. */
export class EngineMetrics {
  readonly #instruments: Instruments;
  readonly #meters = new Map<string, ProcessMeter>();
  readonly #steps = new Map<string, Map<string, ProcessMeter>>();
  readonly #relays = new Map<string, RelayMeter>();
  readonly #runStates = new Map<string, Labels>();

  /**
   * @param telemetry Where they go.
   */
  constructor(telemetry: Telemetry) {
    this.#instruments = instrumentsOf(telemetry);
  }

  /**
   * The meter of a process.
   *
   * @param definition The definition's name.
   * @param process Its name, from `process_names.ts`.
   * @param alertMs Lag above which its alert is raised; 0: never. Only the first call of a process decides it.
   * @returns The same for the same names.
   */
  process(definition: string, process: string, alertMs = 0): ProcessMeter {
    const id = JSON.stringify([definition, process]);
    const known = this.#meters.get(id);
    if (known) return known;
    const meter = new ProcessMeter(this.#instruments, definition, process, alertMs);
    this.#meters.set(id, meter);
    return meter;
  }

  /** The meter of a status's step. */
  step({ name, behaviour }: Definition, status: string): ProcessMeter {
    let steps = this.#steps.get(name);
    if (!steps) this.#steps.set(name, steps = new Map<string, ProcessMeter>());
    let meter = steps.get(status);
    if (!meter) {
      meter = this.process(name, stepProcess(name, status), behaviour.policy(status)?.lagAlertMs);
      steps.set(status, meter);
    }
    return meter;
  }

  /** The meter of a status's timeouts; each start says its own alert. */
  timeouts({ name }: Definition, status: string): ProcessMeter {
    return this.process(name, timeoutProcess(name, status));
  }

  /** The meter of the hooks of a kind; each start says its own alert. */
  hooks({ name }: Definition, kind: HookKind | ErrorKind): ProcessMeter {
    return this.process(name, hookProcess(name, hookStates[kind]));
  }

  /** The meter of the erasure and the removal of finished runs. */
  deletion({ name }: Definition): ProcessMeter {
    return this.process(name, deleteProcess(name), lagAlertMs);
  }

  /** The meter of the automatic resume of paused runs; its alert is luno/workflow's three times the wait. */
  pauseRetry({ name, behaviour }: Definition): ProcessMeter {
    return this.process(name, pauseRetryProcess(name), 3 * (behaviour.pauseRetryMs ?? 0));
  }

  /** The meter of the relay of a definition. */
  relay(definition: string, { lagAlertMs }: RelayPolicy): RelayMeter {
    let meter = this.#relays.get(definition);
    if (!meter) {
      meter = new RelayMeter(this.process(definition, outboxProcess(definition), lagAlertMs));
      this.#relays.set(definition, meter);
    }
    return meter;
  }

  /**
   * Makes the series of a definition known before anything happens.
   *
   * @param definition The definition.
   * @param relay How the engine relays its stream, if it does.
   */
  begin(definition: Definition, relay: RelayPolicy | undefined): void {
    if (relay && definition.behaviour.stream) this.relay(definition.name, relay);
    for (const status of definition.behaviour.statuses) {
      if (definition.behaviour.policy(status)) this.step(definition, status);
    }
    this.pauseRetry(definition);
    this.deletion(definition);
    for (const process of processesOf(definition, relay !== undefined)) {
      this.process(definition.name, process).begin();
    }
    for (const [before, after] of runStateChanges) {
      for (const state of after) {
        this.#instruments.runStates.add(0, this.#runStateLabels(definition.name, before, state));
      }
    }
  }

  /** A run was written; counted when its state became another. `before`: absent for a new run. */
  runState(definition: string, before: RunState | undefined, after: RunState): void {
    if (before === after) return;
    this.#instruments.runStates.add(1, this.#runStateLabels(definition, before, after));
  }

  #runStateLabels(definition: string, before: RunState | undefined, after: RunState): Labels {
    const id = JSON.stringify([definition, before, after]);
    let labels = this.#runStates.get(id);
    if (!labels) {
      labels = {
        workflow_name: definition,
        previous_run_state: before ?? "unknown",
        current_run_state: after,
      };
      this.#runStates.set(id, labels);
    }
    return labels;
  }
}
