/**
 * What a step's handler is given, and what it may answer.
 *
 * @module
 */
import type { Duration } from "../duration.ts";
import type { HeldLockView, StepCall, StepResult } from "../engine/behaviour.ts";

/** An answer other than a status; made by the methods of {@linkcode StepRun}. */
export interface Control {
  /** For the compiler only: a control cannot be made by hand. */
  readonly control: never;
}

/** What a handler may answer: one of its step's statuses, or a control. */
export type StepAnswer<To extends string> = To | Control;

/** User code of a step. Throwing is a failed attempt: its data changes are dropped and it is tried again. */
export type StepHandler<Data, To extends string> = (
  run: StepRun<Data, To>,
) => StepAnswer<To> | Promise<StepAnswer<To>>;

/**
 * What an async handler gives, for the compiler: TypeScript before 6 takes the only answer of an async function for any
 * `string`, unless a promise is all that it may give. Nobody gives the second half; with it, the answer of a function that is
 * not async, for which this is tried first, stays the status that it is.
 */
export type AsyncAnswer<To extends string, Answer = StepAnswer<To>> =
  | Promise<Answer>
  | (To & Pick<Promise<Answer>, "then">);

/**
 * User code of a callback: what the outside world answers a run that waits for it. Throwing reaches the caller, and
 * nothing is written.
 */
export type CallbackHandler<Data, To extends string, Payload> = (
  run: StepRun<Data, To>,
  payload: Payload,
) => StepAnswer<To> | Promise<StepAnswer<To>>;

/** What a timeout's handler may answer: `skip` ends the timer, `{ rearm: "1h" }` sets it again. */
export type TimeoutAnswer<To extends string> = StepAnswer<To> | { readonly rearm: Duration };

/** User code of a timeout. Throwing is a failed attempt, tried again. */
export type TimeoutHandler<Data, To extends string> = (
  run: StepRun<Data, To>,
) => TimeoutAnswer<To> | Promise<TimeoutAnswer<To>>;

/** A run that enters a status, as the function that sets its timer sees it. */
export interface EnteringRun<Data = unknown> {
  /** Its data as it enters; not to be changed. */
  readonly data: Data;
  /** The run. */
  readonly runId: string;
  /** Its key. */
  readonly key: string;
  /** When the run was triggered. */
  readonly createdAt: Date;
}

/** When a timeout is due: so long after the run enters the status, at a time, or as a function says; `undefined`: never. */
export type TimeoutAt<Data> =
  | { readonly after: Duration }
  | { readonly at: Date }
  | ((run: EnteringRun<Data>, now: Date) => Date | undefined);

/** One attempt of a step, callback or timeout, from the handler's side. */
export interface StepRun<Data = unknown, To extends string = string> {
  /** A fresh copy of the run's data; change it freely, it is saved with the answer. */
  data: Data;
  /** The run. */
  readonly runId: string;
  /** Its key. */
  readonly key: string;
  /** The status it is at. */
  readonly status: string;
  /** Stable over retries and crashes: hand it to the outside world as the idempotency key. */
  readonly stepId: string;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** When the run was triggered. */
  readonly createdAt: Date;
  /** When this attempt was to start: long ago when no engine was there, as over a weekend in which a tab was closed. */
  readonly dueAt: Date;
  /** The lock of the step's option `lock`, with its token; `undefined` without one, and in callbacks and timeouts. */
  readonly lock: HeldLockView | undefined;
  /** Aborted when the run is cancelled or moved on, its lock is lost, the attempt times out, the engine stops, or its lease is lost. */
  readonly signal: AbortSignal;
  /**
   * Moves to a status; keeps its literal type in handlers that are declared apart from their step.
   *
   * @param status One of those the step lists.
   * @returns The same status.
   */
  to<const Status extends To>(status: Status): Status;
  /**
   * Saves the data and leaves the run where it is, until something else moves it.
   *
   * @returns What the handler is to return.
   */
  skip(): Control;
  /**
   * Saves the data and runs the status's step again, as a new visit with a new `stepId`; timers stay as they are.
   *
   * @returns What the handler is to return.
   */
  repeat(): Control;
  /**
   * Saves the data and pauses the run at this status.
   *
   * @param reason Why; operators see it.
   * @returns What the handler is to return.
   */
  pause(reason: string): Control;
  /**
   * Saves the data and ends the run as cancelled.
   *
   * @param reason Why.
   * @returns What the handler is to return.
   */
  cancel(reason: string): Control;
  /**
   * Saves the data and ends the run as failed.
   *
   * @param reason Why.
   * @returns What the handler is to return.
   */
  fail(reason: string): Control;
}

/** A control as the behaviour reads it. */
export class MachineControl {
  /** What to do. */
  readonly result: StepResult;

  /**
   * @param result What to do.
   */
  constructor(result: StepResult) {
    this.result = result;
  }
}

/** The run object of one attempt: a thin face over the engine's call. */
export class MachineRun implements StepRun {
  readonly #call: StepCall;
  readonly #reasonMax = 2_000;

  /**
   * @param call The engine's call.
   */
  constructor(call: StepCall) {
    this.#call = call;
  }

  get data(): unknown {
    return this.#call.readData();
  }
  set data(data: unknown) {
    this.#call.writeData(data);
  }
  get runId(): string {
    return this.#call.runId;
  }
  get key(): string {
    return this.#call.key;
  }
  get status(): string {
    return this.#call.status;
  }
  get stepId(): string {
    return this.#call.stepId;
  }
  get attempt(): number {
    return this.#call.attempt;
  }
  get createdAt(): Date {
    return this.#call.createdAt;
  }
  get dueAt(): Date {
    return this.#call.dueAt;
  }
  get signal(): AbortSignal {
    return this.#call.signal;
  }
  get lock(): HeldLockView | undefined {
    return this.#call.lock;
  }
  to<Status extends string>(status: Status): Status {
    return status;
  }
  skip(): Control {
    return this.#control({ kind: "skip" });
  }
  repeat(): Control {
    return this.#control({ kind: "repeat" });
  }
  pause(reason: string): Control {
    return this.#control({ kind: "pause", reason: this.#cut(reason) });
  }
  cancel(reason: string): Control {
    return this.#control({ kind: "cancel", reason: this.#cut(reason) });
  }
  fail(reason: string): Control {
    return this.#control({ kind: "fail", reason: this.#cut(reason) });
  }

  #cut(reason: string): string {
    return String(reason).slice(0, this.#reasonMax);
  }

  #control(result: StepResult): Control {
    return new MachineControl(result) as unknown as Control;
  }
}
