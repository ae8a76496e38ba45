/**
 * `machine()`: a typed state machine. Statuses are inferred from the steps; a handler can only answer with a status
 * its step lists, checked by the compiler first and by the engine second.
 *
 * @module
 */
import { type Duration, durationMs } from "../duration.ts";
import type { Definition } from "../engine/behaviour.ts";
import { PawlError } from "../errors.ts";
import type { StepPolicy } from "../parts/run_change.ts";
import { machineBehaviour, type Step } from "./behaviour.ts";
import { checkGraph, checkMachineName, checkStatus } from "./graph.ts";
import type { StepHandler } from "./run.ts";

/** How failed attempts are repeated: exponential backoff, then pause if `pauseAfterErrors` says so. */
export interface RetryOptions {
  /** Wait before the second attempt; default 1 s. */
  readonly initial?: Duration;
  /** Longest wait; default 5 min. */
  readonly max?: Duration;
  /** Growth per attempt; default 2. */
  readonly factor?: number;
  /** Spread each wait over its upper half, so that many failures do not come back as one; default true. */
  readonly jitter?: boolean;
}

/** Options of one step. */
export interface StepOptions {
  /** Attempts of this step that one engine runs at once; default: no bound but the engine's. */
  readonly concurrency?: number;
  /** Failed attempts in a row after which the run is paused; default 0: it is retried for ever. */
  readonly pauseAfterErrors?: number;
  /** How failed attempts are repeated. */
  readonly retry?: RetryOptions;
  /** Wait between entering the status and starting the step; default 0. */
  readonly lag?: Duration;
  /** Longest one attempt may take before it counts as failed with `STEP_TIMEOUT`; default: no limit. */
  readonly timeout?: Duration;
  /** How late a step may start before its metric `workflow_process_lag_alert` is 1; default 30 min + `lag`, 0: never. */
  readonly lagAlert?: Duration;
}

/** Options of a machine. */
export interface MachineOptions {
  /** After how long a paused run is resumed by itself; default 1 h, `false`: never. As luno/workflow does. */
  readonly pauseRetry?: Duration | false;
  /** Defaults for its steps, field by field. */
  readonly steps?: StepOptions;
}

/** A built machine: give it to `createEngine` and name it in the verbs. */
export interface Machine<Data, Status extends string = string, Start extends string = Status>
  extends Definition<Data, Status, Start> {}

/** The data of a machine. */
export type DataOf<M> = M extends Machine<infer Data, infer _S, infer _T> ? Data : unknown;
/** The statuses of a machine. */
export type StatusOf<M> = M extends Machine<infer _D, infer Status, infer _T> ? Status : string;
/** The statuses of a machine that have a step: where a run can start. */
export type StartStatusOf<M> = M extends Machine<infer _D, infer _S, infer Start> ? Start : string;

/** Gathers the steps of a machine. */
export interface MachineBuilder<Data, Status extends string = never, StartStatus extends string = never> {
  /**
   * Adds the step that runs while a run is at `from`.
   *
   * @param from The status; it may have one step.
   * @param to The statuses its handler may answer with.
   * @param handler User code; it runs at least once per visit, and its result lands exactly once.
   * @param options Concurrency, retries, lag.
   * @returns The builder, which knows these statuses now.
   */
  step<const From extends string, const To extends readonly [string, ...string[]]>(
    from: From extends StartStatus ? never : From,
    to: To,
    handler: StepHandler<Data, To[number]>,
    options?: StepOptions,
  ): MachineBuilder<Data, Status | From | To[number], StartStatus | From>;
  /**
   * Checks the graph and closes the builder.
   *
   * @returns The machine.
   * @throws {PawlError} `INVALID_GRAPH` naming what is wrong.
   */
  build(): Machine<Data, Status, StartStatus>;
}

/**
 * Begins a state machine.
 *
 * @typeParam Data What a run carries; it must survive JSON.
 * @param name Unique within a store; the name stored runs are found by.
 * @param options Defaults for its steps and for paused runs.
 * @returns A builder.
 *
 * @example
 * ```ts
 * import { machine } from "pawl";
 * const orders = machine<{ cents: number; receipt?: string }>("orders")
 *   .step("placed", ["paid", "declined"], (run) => {
 *     if (run.data.cents > 100_000) return "declined";
 *     run.data.receipt = `receipt for ${run.stepId}`;
 *     return "paid";
 *   })
 *   .step("paid", ["shipped"], () => "shipped")
 *   .build();
 * console.assert(orders.name === "orders");
 * ```
 */
export function machine<Data = undefined>(name: string, options: MachineOptions = {}): MachineBuilder<Data> {
  checkMachineName(name);
  const pauseRetryMs = options.pauseRetry === false
    ? undefined
    : durationMs(options.pauseRetry ?? "1h", "pauseRetry");
  const steps = new Map<string, Step>();
  const builder = {
    step(from: string, to: readonly string[], handler: Step["handler"], own: StepOptions = {}) {
      checkStatus(name, from);
      to.forEach((each) => checkStatus(name, each));
      if (steps.has(from)) {
        throw new PawlError(
          "INVALID_GRAPH",
          `Cannot add step to "${name}": status "${from}" has one already`,
        );
      }
      if (typeof handler !== "function") {
        throw new PawlError(
          "INVALID_GRAPH",
          `Cannot add step "${from}" to "${name}": its handler is no function`,
        );
      }
      const merged = { ...options.steps, ...own, retry: { ...options.steps?.retry, ...own.retry } };
      steps.set(from, {
        to: [...new Set(to)],
        handler,
        policy: stepPolicy(merged, `step "${from}" of "${name}"`),
      });
      return builder;
    },
    build() {
      checkGraph(name, steps);
      return { name, behaviour: machineBehaviour(name, new Map(steps), pauseRetryMs) };
    },
  };
  return builder as unknown as MachineBuilder<Data>;
}

/** Fills in the defaults and refuses what contradicts itself. */
function stepPolicy(options: StepOptions, what: string): StepPolicy {
  const { retry = {} } = options;
  const retryInitialMs = durationMs(retry.initial ?? "1s", `retry.initial of ${what}`);
  const lagMs = durationMs(options.lag ?? 0, `lag of ${what}`);
  const policy: StepPolicy = {
    retryInitialMs,
    retryMaxMs: durationMs(retry.max ?? Math.max(300_000, retryInitialMs), `retry.max of ${what}`),
    retryFactor: retry.factor ?? 2,
    retryJitter: retry.jitter ?? true,
    pauseAfterErrors: wholeNumber(options.pauseAfterErrors ?? 0, `pauseAfterErrors of ${what}`),
    lagMs,
    concurrency: wholeNumber(options.concurrency ?? 0, `concurrency of ${what}`),
    timeoutMs: durationMs(options.timeout ?? 0, `timeout of ${what}`),
    lagAlertMs: durationMs(options.lagAlert ?? 1_800_000 + lagMs, `lagAlert of ${what}`),
  };
  if (!(policy.retryFactor >= 1 && policy.retryFactor <= 100)) {
    throw new PawlError(
      "INVALID_ARGUMENT",
      `Cannot use retry.factor of ${what}: got ${retry.factor}, want 1 to 100`,
    );
  }
  if (policy.retryMaxMs < policy.retryInitialMs) {
    throw new PawlError(
      "INVALID_ARGUMENT",
      `Cannot use retry of ${what}: max (${policy.retryMaxMs} ms) is below initial (${policy.retryInitialMs} ms)`,
    );
  }
  return policy;
}

function wholeNumber(value: number, what: string): number {
  if (Number.isInteger(value) && value >= 0) return value;
  throw new PawlError(
    "INVALID_ARGUMENT",
    `Cannot use ${what}: got ${value}, want a whole number of 0 or more`,
  );
}
