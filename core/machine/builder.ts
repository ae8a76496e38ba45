/**
 * `machine()`: a typed state machine. Statuses are inferred from the steps; a handler can only answer with a status
 * its step lists, checked by the compiler first and by the engine second.
 *
 * @module
 */
import { type Duration, durationMs } from "../duration.ts";
import type { Definition } from "../engine/behaviour.ts";
import { checkStepOptions, type StepOptions, stepPolicy } from "../engine/step_options.ts";
import { PawlError } from "../errors.ts";
import type { StandardSchema } from "../standard_schema.ts";
import { machineBehaviour, type Step } from "./behaviour.ts";
import { machineData } from "./data.ts";
import { checkGraph, checkMachineName, checkStatus } from "./graph.ts";
import type { StepHandler } from "./run.ts";

/** Options of a machine. */
export interface MachineOptions<Data = unknown> {
  /** After how long a paused run is resumed by itself; default 1 h, `false`: never. As luno/workflow does. */
  readonly pauseRetry?: Duration | false;
  /** Defaults for its steps, field by field; above those of the engine, below those of each step. */
  readonly steps?: StepOptions;
  /**
   * What its data must satisfy, at every trigger and whenever a step saves it: a schema of zod, valibot, or any other
   * library with Standard Schema. Stored is what the schema makes of the data.
   */
  readonly schema?: StandardSchema<unknown, Data>;
  /** Of the data that this code writes; a whole number from 1, which is the default. */
  readonly version?: number;
  /**
   * Makes data of an older version into data of this one, when a step or a view first looks at it. It must not wait for
   * anything; a throw is a failed attempt. Annotate `data` with the type it had.
   */
  migrate?(data: unknown, from: number): Data;
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
   * @throws {PawlError} `INVALID_GRAPH`, or `INVALID_ARGUMENT` naming the option that is wrong.
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
 * @typeParam Data What a run carries; it must survive JSON. Left out, it is what the schema gives.
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
export function machine<Data = undefined>(
  name: string,
  options: MachineOptions<Data> = {},
): MachineBuilder<Data> {
  checkMachineName(name);
  const data = machineData(name, options);
  const pauseRetryMs = options.pauseRetry === false
    ? undefined
    : durationMs(options.pauseRetry ?? "1h", "pauseRetry");
  const defaults = { from: `machine("${name}", { steps })`, options: options.steps };
  checkStepOptions(defaults);
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
      const layer = { from: `step "${from}" of "${name}"`, options: own };
      stepPolicy(layer.from, [defaults, layer]);
      steps.set(from, { to: [...new Set(to)], handler, options: layer });
      return builder;
    },
    build() {
      checkGraph(name, steps);
      const settings = { name, layers: [defaults], pauseRetryMs, data };
      return { name, behaviour: machineBehaviour(settings, new Map(steps)) };
    },
  };
  return builder as unknown as MachineBuilder<Data>;
}
