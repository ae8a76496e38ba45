/**
 * One attempt of one step: user code in, a landing out. Never throws.
 *
 * @module
 */
import { PawlError } from "../errors.ts";
import { jsonText } from "../json.ts";
import type { Landing } from "../parts/run_change.ts";
import type { Payload, RunError, RunRecord } from "../parts/run_record.ts";
import type { Definition, StepCall, StepResult } from "./behaviour.ts";
import { type EngineContext, openPayload, sealPayload } from "./context.ts";
import { traceAttempt } from "./trace_attempt.ts";

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

class Call implements StepCall {
  readonly #record: RunRecord;
  readonly #text: string;
  readonly #end: AttemptSignal;
  #data: unknown;
  touched = false;

  constructor(record: RunRecord, text: string, end: AttemptSignal) {
    this.#record = record;
    this.#text = text;
    this.#end = end;
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
    return `${this.#record.id}:${this.#record.visit}`;
  }
  get attempt() {
    return this.#record.attempt + 1;
  }
  get createdAt() {
    return new Date(this.#record.createdAt);
  }
  get signal() {
    return this.#end.signal;
  }

  readData(): unknown {
    if (!this.touched) this.writeData(JSON.parse(this.#text));
    return this.#data;
  }

  writeData(data: unknown): void {
    this.touched = true;
    this.#data = data;
  }
}

/**
 * Runs user code once for a record.
 *
 * @param context The engine.
 * @param definition The run's definition.
 * @param record The record it starts from.
 * @param end Ends the attempt from outside.
 * @returns What it came to; a plain value where nothing had to be waited for.
 */
export function runStep(
  context: EngineContext,
  definition: Definition,
  record: RunRecord,
  end: AttemptSignal,
): Landing | Promise<Landing> {
  const { telemetry } = context;
  // Looked at before a closure is made: without spans a step pays nothing for them.
  if (!telemetry?.span) return attempt(context, definition, record, end);
  return traceAttempt(telemetry, record, () => attempt(context, definition, record, end), () => end.thrown);
}

function attempt(
  context: EngineContext,
  definition: Definition,
  record: RunRecord,
  end: AttemptSignal,
): Landing | Promise<Landing> {
  try {
    const text = openPayload(context, record);
    return typeof text === "string"
      ? call(context, definition, record, text, end)
      : text.then((opened) => call(context, definition, record, opened, end)).catch((error) =>
        failed(context, error, end)
      );
  } catch (error) {
    return failed(context, error, end);
  }
}

function call(
  context: EngineContext,
  definition: Definition,
  record: RunRecord,
  text: string,
  end: AttemptSignal,
): Landing | Promise<Landing> {
  const made = new Call(record, text, end);
  const timeoutMs = definition.behaviour.policy(record.status)?.timeoutMs ?? 0;
  try {
    const result = definition.behaviour.run(made);
    if (!(result instanceof Promise)) return landing(context, made, result);
    const bounded = timeoutMs > 0 ? withTimeout(context, result, timeoutMs, end) : result;
    return bounded.then((value) => landing(context, made, value)).catch((error) =>
      failed(context, error, end)
    );
  } catch (error) {
    return failed(context, error, end);
  }
}

function landing(context: EngineContext, made: Call, result: StepResult): Landing | Promise<Landing> {
  if (!made.touched) return result;
  const text = jsonText(made.readData(), "data", context.limits.payloadBytesMax);
  const sealed = sealPayload(context, text);
  const land = (payload: Payload): Landing =>
    result.kind === "move" ? { kind: "move", to: result.to, payload } : { ...result, payload };
  return sealed instanceof Promise ? sealed.then(land) : land(sealed);
}

function failed(context: EngineContext, error: unknown, end: AttemptSignal): Landing {
  end.thrown = error;
  return { kind: "error", error: runError(error, context.limits.messageLengthMax) };
}

/** What is kept of a thrown value. */
function runError(error: unknown, lengthMax: number): RunError {
  if (!(error instanceof Error)) return { name: "Error", message: String(error).slice(0, lengthMax) };
  const code = (error as { code?: unknown }).code;
  return {
    name: String(error.name).slice(0, 100),
    message: String(error.message).slice(0, lengthMax),
    ...(typeof code === "string" && { code: code.slice(0, 100) }),
  };
}

/** The code that ran too long goes on unheard: JavaScript cannot stop it, so its signal asks it to stop. */
function withTimeout(
  context: EngineContext,
  result: Promise<StepResult>,
  timeoutMs: number,
  end: AttemptSignal,
): Promise<StepResult> {
  return new Promise((resolve, reject) => {
    const cancel = context.clock.after(timeoutMs, () => {
      const error = new PawlError("STEP_TIMEOUT", `Step timed out after ${timeoutMs} ms`);
      end.abort(error);
      reject(error);
    });
    result.then(resolve, reject).finally(cancel);
  });
}
