/**
 * The types of a machine and of its builder: what the compiler knows of statuses, data and payloads.
 *
 * @module
 */
import type { Duration } from "../duration.ts";
import type { Definition } from "../engine/behaviour.ts";
import type { ConnectorEvent } from "../engine/connector.ts";
import type { RunView } from "../engine/run_view.ts";
import type { StepOptions } from "../engine/step_options.ts";
import type { StreamEvent } from "../ports/event_streamer.ts";
import type { ConnectorApi, ConnectorHandler, ConnectorOptions, ConnectorSource } from "./connector.ts";
import type { StandardSchema } from "../standard_schema.ts";
import type {
  AsyncAnswer,
  CallbackHandler,
  StepHandler,
  StepRun,
  TimeoutAnswer,
  TimeoutAt,
  TimeoutHandler,
} from "./run.ts";

/** Options of a timeout: those of a step, but `lag` and `lock`. */
export interface TimeoutOptions extends Omit<StepOptions, "lag" | "lock"> {
  /**
   * Its name among the timeouts of its status; runs remember it. Default: the statuses it leads to, so give one to keep
   * the timers of stored runs when those change.
   */
  readonly name?: string;
}

/** Options of a hook; what is not given comes from the `steps` of its machine and engine, but for its `timeout`: 5 min. */
export interface HookOptions
  extends Pick<StepOptions, "concurrency" | "retry" | "timeout" | "needs" | "lagAlert"> {
  /** Its name among the hooks of its kind; default: its number. */
  readonly name?: string;
  /** Failed attempts after which it is parked until somebody retries it; default 10, 0: it is retried for ever. */
  readonly parkAfterErrors?: number;
}

/** User code that hears of a change of a run's state, and sees the run as it was then. Throwing is a failed attempt. */
export type HookHandler<Data> = (
  run: RunView<Data>,
  context: {
    /** Aborted when the attempt times out, or its engine loses the run's shard. */
    readonly signal: AbortSignal;
  },
) => unknown;

/** Options of a machine. */
export interface MachineOptions<Data = unknown> {
  /** After how long a paused run is resumed by itself; default 1 h, `false`: never. As luno/workflow does. */
  readonly pauseRetry?: Duration | false;
  /** Defaults for its steps, callbacks and timeouts, field by field; above those of the engine, below those of each. */
  readonly steps?: StepOptions<Data>;
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
  /**
   * How long a finished run is kept, with its history, before it is removed; default: for ever. It counts for runs that end
   * under code that has it. A run is not removed before its hooks have run to their end, or are parked.
   */
  readonly keepFinished?: Duration;
  /** Tell `engine.streams`, and the relay if there is one, of each transition: one row more per transition. Default false. */
  readonly stream?: boolean;
  /** What is left of the data after `engine.deleteData`; default: nothing, `null`. */
  scrub?(data: Data): Data | Promise<Data>;
}

/** A built machine: give it to `createEngine` and name it in the verbs. */
export interface Machine<
  Data,
  Status extends string = string,
  Start extends string = Status,
  Payloads = unknown,
> extends Definition<Data, Status, Start, Payloads> {}

/** The data of a machine. */
export type DataOf<M> = M extends Definition<infer Data, infer _S, infer _T, infer _P> ? Data : unknown;
/** The statuses of a machine. */
export type StatusOf<M> = M extends Definition<infer _D, infer Status, infer _T, infer _P> ? Status : string;
/** The statuses of a machine that lead somewhere: where a run can start. */
export type StartStatusOf<M> = M extends Definition<infer _D, infer _S, infer Start, infer _P> ? Start
  : string;

/** The payload that callbacks of a status take: that of the first one declared. */
export type PayloadOf<Payloads, From extends string, Own> = From extends keyof Payloads ? Payloads[From]
  : Own;

/** Gathers what a machine consists of. */
export interface MachineBuilder<
  Data,
  Status extends string = never,
  Stepped extends string = never,
  Start extends string = never,
  Payloads = unknown,
> {
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
    from: From extends Stepped ? never : From,
    to: To,
    handler: (run: StepRun<Data, To[number]>) => AsyncAnswer<To[number]>,
    options?: StepOptions<Data>,
  ): MachineBuilder<Data, Status | From | To[number], Stepped | From, Start | From, Payloads>;
  /** The same for a handler that may give a promise or not. */
  step<const From extends string, const To extends readonly [string, ...string[]]>(
    from: From extends Stepped ? never : From,
    to: To,
    handler: StepHandler<Data, To[number]>,
    options?: StepOptions<Data>,
  ): MachineBuilder<Data, Status | From | To[number], Stepped | From, Start | From, Payloads>;
  /**
   * Adds a callback: code that `engine.callback` runs in its caller when the outside world answers a run that is at
   * `from`. A status may have several, of one payload type; they are asked in order until one does not skip.
   *
   * @param from The status.
   * @param to The statuses its handler may answer with.
   * @param handler User code; what it throws reaches the caller, and nothing is written.
   * @returns The builder.
   */
  callback<const From extends string, const To extends readonly string[], Payload>(
    from: From,
    to: To,
    handler: (
      run: StepRun<Data, To[number]>,
      payload: PayloadOf<Payloads, From, Payload>,
    ) => AsyncAnswer<To[number]>,
  ): MachineBuilder<
    Data,
    Status | From | To[number],
    Stepped,
    Start | From,
    Payloads & Readonly<Record<From, PayloadOf<Payloads, From, Payload>>>
  >;
  /** The same for a handler that may give a promise or not. */
  callback<const From extends string, const To extends readonly string[], Payload>(
    from: From,
    to: To,
    handler: CallbackHandler<Data, To[number], PayloadOf<Payloads, From, Payload>>,
  ): MachineBuilder<
    Data,
    Status | From | To[number],
    Stepped,
    Start | From,
    Payloads & Readonly<Record<From, PayloadOf<Payloads, From, Payload>>>
  >;
  /**
   * Adds a timeout: a timer that begins when a run enters `from`, in the same commit, and ends when it leaves. A status
   * may have several, each with a function of its own. As in luno/workflow, but that each timer belongs to one run.
   *
   * @param from The status.
   * @param to The statuses its handler may answer with.
   * @param at When it is due: `{ after: "7d" }`, `{ at: date }`, or a function of the run; `undefined` from it: never.
   * @param handler User code. `run.skip()` ends the timer, `{ rearm: "1h" }` sets it again.
   * @param options Name, concurrency, retries, timeout.
   * @returns The builder.
   *
   * @example
   * ```ts
   * import assert from "node:assert/strict";
   * import { machine } from "pawl";
   * import { testEngine } from "pawl/testing";
   * const bills = machine("bills")
   *   .callback("sent", ["paid"], () => "paid")
   *   .timeout("sent", ["overdue"], { after: "14d" }, () => "overdue")
   *   .build();
   * await using t = await testEngine({ definitions: [bills] });
   * await t.engine.trigger(bills, "b-1");
   * await t.advance("14d");
   * assert.equal((await t.engine.get(bills, "b-1"))?.status, "overdue");
   * ```
   */
  timeout<const From extends string, const To extends readonly string[]>(
    from: From,
    to: To,
    at: TimeoutAt<Data>,
    handler: (run: StepRun<Data, To[number]>) => AsyncAnswer<To[number], TimeoutAnswer<To[number]>>,
    options?: TimeoutOptions,
  ): MachineBuilder<Data, Status | From | To[number], Stepped, Start | From, Payloads>;
  /** The same for a handler that may give a promise or not. */
  timeout<const From extends string, const To extends readonly string[]>(
    from: From,
    to: To,
    at: TimeoutAt<Data>,
    handler: TimeoutHandler<Data, To[number]>,
    options?: TimeoutOptions,
  ): MachineBuilder<Data, Status | From | To[number], Stepped, Start | From, Payloads>;
  /**
   * Adds a connector: code that hands events from outside to the runs of this machine, each at least once. Put it after
   * the steps and callbacks whose statuses its handler names.
   *
   * @param name Unique among the machine's connectors; it names the cursor, so do not change it.
   * @param source A topic, a function that opens a receiver, or deliveries of your own.
   * @param handler User code. Throwing is a failed attempt; the event is tried again until it is done, or parked.
   * @param options Shards, lag, retries, parking.
   * @returns The builder.
   * @throws {PawlError} `INVALID_GRAPH`, or `INVALID_ARGUMENT` naming the option that is wrong.
   */
  connector<Event extends ConnectorEvent = StreamEvent>(
    name: string,
    source: ConnectorSource<Event>,
    handler: ConnectorHandler<ConnectorApi<Data, Status, Start, Payloads>, Event>,
    options?: ConnectorOptions,
  ): this;
  /**
   * Adds a hook for runs that have reached a terminal status. Any number may be added of each kind.
   *
   * @param handler User code; it runs at least once, after the commit that it hears of, beside the run.
   * @param options Name, retries, parking.
   * @returns The builder.
   */
  onComplete(handler: HookHandler<Data>, options?: HookOptions): this;
  /**
   * Adds a hook for runs that were paused, by whomever.
   *
   * @param handler User code, as for `onComplete`.
   * @param options Name, retries, parking.
   * @returns The builder.
   */
  onPause(handler: HookHandler<Data>, options?: HookOptions): this;
  /**
   * Adds a hook for paused runs that go on.
   *
   * @param handler User code, as for `onComplete`.
   * @param options Name, retries, parking.
   * @returns The builder.
   */
  onResume(handler: HookHandler<Data>, options?: HookOptions): this;
  /**
   * Adds a hook for runs that were cancelled.
   *
   * @param handler User code, as for `onComplete`.
   * @param options Name, retries, parking.
   * @returns The builder.
   */
  onCancel(handler: HookHandler<Data>, options?: HookOptions): this;
  /**
   * Adds a hook for runs that have failed, by `run.fail(reason)`.
   *
   * @param handler User code, as for `onComplete`.
   * @param options Name, retries, parking.
   * @returns The builder.
   */
  onFail(handler: HookHandler<Data>, options?: HookOptions): this;
  /**
   * Adds a hook for runs whose data was deleted; it sees what is left.
   *
   * @param handler User code, as for `onComplete`.
   * @param options Name, retries, parking.
   * @returns The builder.
   */
  onDelete(handler: HookHandler<Data>, options?: HookOptions): this;
  /**
   * Checks the graph and closes the builder.
   *
   * @returns The machine.
   * @throws {PawlError} `INVALID_GRAPH` naming what is wrong.
   */
  build(): Machine<Data, Status, Start, Payloads>;
}
