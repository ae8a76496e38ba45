/**
 * `machine()`: a typed state machine. Statuses are inferred from the steps; a handler can only answer with a status
 * its step lists, checked by the compiler first and by the engine second.
 *
 * @module
 */
import { type Duration, durationMs } from "../duration.ts";
import type { Definition, Hook, Transition } from "../engine/behaviour.ts";
import type { RunView } from "../engine/run_view.ts";
import { PawlError } from "../errors.ts";
import type { HookKind } from "../parts/chore.ts";
import type { StepPolicy } from "../parts/run_change.ts";
import { type Callback, type DueTime, machineBehaviour, type Step, type Timeout } from "./behaviour.ts";
import { checkGraph, checkMachineName, checkStatus } from "./graph.ts";
import type { CallbackHandler, StepHandler, TimeoutAt, TimeoutHandler } from "./run.ts";

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
}

/** Options of a timeout: those of a step, but `lag`. */
export interface TimeoutOptions extends Omit<StepOptions, "lag"> {
  /**
   * Its name among the timeouts of its status; runs remember it. Default: the statuses it leads to, so give one to keep
   * the timers of stored runs when those change.
   */
  readonly name?: string;
}

/** Options of a hook. */
export interface HookOptions extends Pick<StepOptions, "concurrency" | "retry" | "timeout"> {
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
export interface MachineOptions<Data = never> {
  /** After how long a paused run is resumed by itself; default 1 h, `false`: never. As luno/workflow does. */
  readonly pauseRetry?: Duration | false;
  /** Defaults for its steps, field by field. */
  readonly steps?: StepOptions;
  /** How long a finished run is kept, with its history, before it is removed; default: for ever. */
  readonly keepFinished?: Duration;
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
   */
  step<const From extends string, const To extends readonly [string, ...string[]]>(
    from: From extends Stepped ? never : From,
    to: To,
    handler: StepHandler<Data, To[number]>,
    options?: StepOptions,
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
   */
  timeout<const From extends string, const To extends readonly string[]>(
    from: From,
    to: To,
    at: TimeoutAt<Data>,
    handler: TimeoutHandler<Data, To[number]>,
    options?: TimeoutOptions,
  ): MachineBuilder<Data, Status | From | To[number], Stepped, Start | From, Payloads>;
  /** Adds a hook for runs that have reached a terminal status. Any number may be added of each kind. */
  onComplete(handler: HookHandler<Data>, options?: HookOptions): this;
  /** Adds a hook for runs that were paused, by whomever. */
  onPause(handler: HookHandler<Data>, options?: HookOptions): this;
  /** Adds a hook for paused runs that go on. */
  onResume(handler: HookHandler<Data>, options?: HookOptions): this;
  /** Adds a hook for runs that were cancelled. */
  onCancel(handler: HookHandler<Data>, options?: HookOptions): this;
  /** Adds a hook for runs that have failed, by `run.fail(reason)`. */
  onFail(handler: HookHandler<Data>, options?: HookOptions): this;
  /** Adds a hook for runs whose data was deleted; it sees what is left. */
  onDelete(handler: HookHandler<Data>, options?: HookOptions): this;
  /**
   * Checks the graph and closes the builder.
   *
   * @returns The machine.
   * @throws {PawlError} `INVALID_GRAPH` naming what is wrong.
   */
  build(): Machine<Data, Status, Start, Payloads>;
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
export function machine<Data = undefined>(
  name: string,
  options: MachineOptions<Data> = {},
): MachineBuilder<Data> {
  checkMachineName(name);
  return new Builder(name, options as MachineOptions<unknown>) as unknown as MachineBuilder<Data>;
}

/** The builder without its types. */
class Builder {
  readonly #name: string;
  readonly #options: MachineOptions<unknown>;
  readonly #pauseRetryMs: number | undefined;
  readonly #keepFinishedMs: number | undefined;
  readonly #transitions: Transition[] = [];
  readonly #steps = new Map<string, Step>();
  readonly #callbacks = new Map<string, Callback[]>();
  readonly #timeouts = new Map<string, Timeout[]>();
  readonly #hooks = new Map<HookKind, Hook[]>();

  constructor(name: string, options: MachineOptions<unknown>) {
    this.#name = name;
    this.#options = options;
    const { pauseRetry = "1h", keepFinished } = options;
    this.#pauseRetryMs = pauseRetry === false ? undefined : durationMs(pauseRetry, "pauseRetry");
    this.#keepFinishedMs = keepFinished === undefined ? undefined : durationMs(keepFinished, "keepFinished");
  }

  step(from: string, to: readonly string[], handler: Step["handler"], own: StepOptions = {}): this {
    if (this.#steps.has(from)) throw this.#refused(`step`, `status "${from}" has one already`);
    this.#edges("step", from, to, handler);
    const policy = this.#policy(own, `step "${from}"`);
    this.#steps.set(from, { to: [...new Set(to)], handler, policy });
    return this;
  }

  callback(from: string, to: readonly string[], handler: Callback["handler"]): this {
    this.#edges("callback", from, to, handler);
    addTo(this.#callbacks, from, { to: [...to], handler });
    return this;
  }

  timeout(
    from: string,
    to: readonly string[],
    at: TimeoutAt<unknown>,
    handler: Timeout["handler"],
    { name, ...own }: TimeoutOptions = {},
  ): this {
    const known = (this.#timeouts.get(from) ?? []).map((each) => each.name);
    if (name !== undefined && known.includes(name)) {
      throw this.#refused("timeout", `status "${from}" has one named "${name}" already`);
    }
    if ("lag" in own) {
      throw this.#refused("timeout", `a timeout of "${from}" has lag; delay the timer itself`);
    }
    const due = this.#dueTime(from, at);
    this.#edges(
      "timeout",
      from,
      to,
      handler,
      typeof at === "object" && "after" in at ? `after ${at.after}` : undefined,
    );
    const unique = name ?? numbered(to.join(" or ") || "timeout", known);
    const policy = this.#policy({ ...own, lag: 0 }, `timeout "${unique}" of "${from}"`);
    addTo(this.#timeouts, from, { name: unique, to: [...to], at: due, handler, policy });
    return this;
  }

  onComplete(handler: HookHandler<unknown>, options?: HookOptions): this {
    return this.#hook("complete", handler, options);
  }
  onPause(handler: HookHandler<unknown>, options?: HookOptions): this {
    return this.#hook("pause", handler, options);
  }
  onResume(handler: HookHandler<unknown>, options?: HookOptions): this {
    return this.#hook("resume", handler, options);
  }
  onCancel(handler: HookHandler<unknown>, options?: HookOptions): this {
    return this.#hook("cancel", handler, options);
  }
  onFail(handler: HookHandler<unknown>, options?: HookOptions): this {
    return this.#hook("fail", handler, options);
  }
  onDelete(handler: HookHandler<unknown>, options?: HookOptions): this {
    return this.#hook("delete", handler, options);
  }

  build(): Definition {
    checkGraph(this.#name, this.#transitions);
    const behaviour = machineBehaviour({
      name: this.#name,
      transitions: [...this.#transitions],
      steps: new Map(this.#steps),
      callbacks: new Map(this.#callbacks),
      timeouts: new Map(this.#timeouts),
      hooks: new Map(this.#hooks),
      pauseRetryMs: this.#pauseRetryMs,
      keepFinishedMs: this.#keepFinishedMs,
      scrub: this.#options.scrub,
    });
    return { name: this.#name, behaviour };
  }

  #hook(kind: HookKind, handler: HookHandler<unknown>, { name, ...own }: HookOptions = {}): this {
    const known = (this.#hooks.get(kind) ?? []).map((each) => each.name);
    const what = `${kind} hook`;
    if (typeof handler !== "function") throw this.#refused(what, "its handler is no function");
    if (name !== undefined && known.includes(name)) throw this.#refused(what, `there is one named "${name}"`);
    const { parkAfterErrors = 10, ...rest } = own;
    const policy = this.#policy({ ...rest, lag: 0, pauseAfterErrors: parkAfterErrors }, what);
    const run = (view: RunView, signal: AbortSignal) => handler(view, { signal });
    addTo(this.#hooks, kind, { name: name ?? String(known.length + 1), policy, run });
    return this;
  }

  #edges(
    by: Transition["by"],
    from: string,
    to: readonly string[],
    handler: unknown,
    label?: string,
  ): void {
    checkStatus(this.#name, from);
    to.forEach((each) => checkStatus(this.#name, each));
    if (typeof handler !== "function") throw this.#refused(`${by} "${from}"`, "its handler is no function");
    this.#transitions.push({ from, to: [...new Set(to)], by, ...(label !== undefined && { label }) });
  }

  #dueTime(from: string, at: TimeoutAt<unknown>): DueTime {
    if (typeof at === "function") return at;
    const { after, at: date } = Object(at) as { after?: Duration; at?: unknown };
    if (after !== undefined) return { afterMs: durationMs(after, `after of a timeout of "${from}"`) };
    if (date instanceof Date && !Number.isNaN(date.getTime())) return { atMs: date.getTime() };
    throw this.#refused(
      "timeout",
      `its time at "${from}" is none; give { after }, { at: Date } or a function`,
    );
  }

  #policy(own: StepOptions, what: string): StepPolicy {
    const { steps } = this.#options;
    const merged = { ...steps, ...own, retry: { ...steps?.retry, ...own.retry } };
    return stepPolicy(merged, `${what} of "${this.#name}"`);
  }

  #refused(what: string, why: string): PawlError {
    return new PawlError("INVALID_GRAPH", `Cannot add ${what} to "${this.#name}": ${why}`);
  }
}

function addTo<Key, Item>(map: Map<Key, Item[]>, key: Key, item: Item): void {
  map.set(key, [...map.get(key) ?? [], item]);
}

/** The name, or the name with the first number that makes it new. */
function numbered(name: string, known: readonly string[]): string {
  if (!known.includes(name)) return name;
  let number = 2;
  while (known.includes(`${name} ${number}`)) number++;
  return `${name} ${number}`;
}

/** Fills in the defaults and refuses what contradicts itself. */
function stepPolicy(options: StepOptions, what: string): StepPolicy {
  const { retry = {} } = options;
  const retryInitialMs = durationMs(retry.initial ?? "1s", `retry.initial of ${what}`);
  const policy: StepPolicy = {
    retryInitialMs,
    retryMaxMs: durationMs(retry.max ?? Math.max(300_000, retryInitialMs), `retry.max of ${what}`),
    retryFactor: retry.factor ?? 2,
    retryJitter: retry.jitter ?? true,
    pauseAfterErrors: wholeNumber(options.pauseAfterErrors ?? 0, `pauseAfterErrors of ${what}`),
    lagMs: durationMs(options.lag ?? 0, `lag of ${what}`),
    concurrency: wholeNumber(options.concurrency ?? 0, `concurrency of ${what}`),
    timeoutMs: durationMs(options.timeout ?? 0, `timeout of ${what}`),
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
