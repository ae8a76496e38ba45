/**
 * One attempt of user code from its own side: what it is told of its run, its data, and the signal that ends it.
 *
 * @module
 */
import type { StepPolicy } from "../parts/run_change.ts";
import { type RunRecord, type RunTimer, tokensByName } from "../parts/run_record.ts";
import { type DataRules, readData } from "./data_rules.ts";
import type { Behaviour, HeldLockView, StepCall, StepResult } from "./behaviour.ts";

/** The end of an attempt from outside: made only when user code asks for its signal. */
export class AttemptSignal {
  #controller: AbortController | undefined;
  #reason: unknown;
  /** What its code threw, as it was thrown: a trace wants the stack that a record does not keep. */
  thrown: unknown;

  /** The signal handed to user code. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    return this.#controller.signal;
  }

  /** Whether user code has asked for the signal. */
  get isListening(): boolean {
    return this.#controller !== undefined;
  }

  /** Aborts the attempt; its code may listen or not. */
  abort(reason: unknown): void {
    this.#reason = reason;
    this.#controller?.abort(reason);
  }
}

/** Which user code to run. */
export interface Code {
  /** Whose it is. */
  readonly kind: "step" | "timer" | "callback";
  /** Runs it. */
  run(behaviour: Behaviour, call: StepCall): StepResult | Promise<StepResult>;
  /** What its `stepId` ends in; absent: nothing, as a step's. */
  readonly name?: string;
  /** Which timer's it is; absent: none's. */
  readonly timer?: string;
  /** Failed attempts before this one. */
  readonly attempt: number;
  /** Longest it may take, in milliseconds; 0: no limit. */
  readonly timeoutMs: number;
  /** When it was to start. */
  readonly dueAt: number;
}

/** The code of the status's step. */
export function stepCode(policy: StepPolicy | undefined, attempt: number, dueAt: number): Code {
  return { kind: "step", run: runOf, attempt, timeoutMs: policy?.timeoutMs ?? 0, dueAt };
}

const runOf = (behaviour: Behaviour, call: StepCall) => behaviour.run(call);

/** The code of one of the status's timers. */
export function timerCode(policy: StepPolicy | undefined, timer: RunTimer): Code {
  return {
    kind: "timer",
    run: (known, call) => known.fire!(call, timer.name),
    name: `${timer.name}:${timer.round}`,
    timer: timer.name,
    attempt: timer.attempt,
    timeoutMs: policy?.timeoutMs ?? 0,
    dueAt: timer.at,
  };
}

/** The call of one attempt. */
export class Call implements StepCall {
  readonly #rules: DataRules;
  readonly #record: RunRecord;
  readonly #text: string;
  readonly #end: AttemptSignal;
  readonly #code: Code;
  #data: unknown;
  /** Whether the data was looked at: only then can it have changed. */
  touched = false;

  /**
   * @param rules What its definition says of its data.
   * @param record The run it starts from.
   * @param text Its data, as JSON text.
   * @param end Ends it from outside.
   * @param code Which code.
   */
  constructor(rules: DataRules, record: RunRecord, text: string, end: AttemptSignal, code: Code) {
    this.#rules = rules;
    this.#record = record;
    this.#text = text;
    this.#end = end;
    this.#code = code;
  }

  get runId() {
    return this.#record.id;
  }
  get definition() {
    return this.#record.definition;
  }
  get key() {
    return this.#record.key;
  }
  get status() {
    return this.#record.status;
  }
  get stepId() {
    const { name } = this.#code;
    return `${this.#record.id}:${this.#record.visit}${name === undefined ? "" : `:${name}`}`;
  }
  get attempt() {
    return this.#code.attempt + 1;
  }
  get createdAt() {
    return new Date(this.#record.createdAt);
  }
  get dueAt() {
    return new Date(this.#code.dueAt);
  }
  get signal() {
    return this.#end.signal;
  }
  get lock() {
    return this.#code.kind === "step" ? heldLock(this.#record) : undefined;
  }

  /** What it is called in errors. */
  get what(): string {
    return `${this.#code.kind} "${this.status}" of "${this.definition}"`;
  }

  /** Whether this is the text of the data as it is stored, by code of the same version. */
  isUnchanged(text: string): boolean {
    return text === this.#text && this.#record.dataVersion === this.#rules.version;
  }

  /** The data as the code left it, or as it was. */
  peekData(): unknown {
    return this.touched ? this.#data : readData(this.#rules, this.#record, this.#text);
  }

  readData(): unknown {
    if (!this.touched) this.writeData(readData(this.#rules, this.#record, this.#text));
    return this.#data;
  }

  writeData(data: unknown): void {
    this.touched = true;
    this.#data = data;
  }
}

function heldLock({ lock }: RunRecord): HeldLockView | undefined {
  if (!lock?.tokens) return undefined;
  const { namespace, wants, tokens: [token] } = lock;
  return { namespace, name: wants[0]!.name, token: token!, tokens: tokensByName(lock) };
}
