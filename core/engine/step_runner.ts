/**
 * One attempt of user code, of a step, a timer or a callback: data in, a landing out.
 *
 * @module
 */
import { PawlError } from "../errors.ts";
import { type AttemptSignal, Call, type Code } from "./attempt_call.ts";
import { jsonText } from "../json.ts";
import type { Landing } from "../parts/landing.ts";
import type { Payload, RunError, RunRecord, RunTimer } from "../parts/run_record.ts";
import type { Behaviour, Definition, EnteringCall, StepResult } from "./behaviour.ts";
import { keyNumberMax } from "../store/key.ts";
import { type EngineContext, openPayload } from "./context.ts";
import { writeData } from "./data_rules.ts";

/**
 * Runs user code once for a record, and never throws: what fails is a landing too.
 *
 * @param context The engine.
 * @param definition The run's definition.
 * @param record The record it starts from.
 * @param end Ends the attempt from outside.
 * @param code Which code.
 * @returns What it came to; a plain value where nothing had to be waited for.
 */
export function attemptCode(
  context: EngineContext,
  definition: Definition,
  record: RunRecord,
  end: AttemptSignal,
  code: Code,
): Landing | Promise<Landing> {
  const { trace } = context;
  // Looked at before a closure is made: without spans a step pays nothing for them.
  if (!trace) return attempt(context, definition, record, end, code);
  const run = () => attempt(context, definition, record, end, code);
  return trace(record, code, run, () => end.thrown);
}

function attempt(
  context: EngineContext,
  definition: Definition,
  record: RunRecord,
  end: AttemptSignal,
  code: Code,
): Landing | Promise<Landing> {
  try {
    const landing = runCode(context, definition, record, end, code);
    return landing instanceof Promise ? landing.catch((error) => failed(context, error, end)) : landing;
  } catch (error) {
    return failed(context, error, end);
  }
}

/**
 * Runs user code once for a record.
 *
 * @throws What the code throws.
 */
export function runCode(
  context: EngineContext,
  definition: Definition,
  record: RunRecord,
  end: AttemptSignal,
  code: Code,
): Landing | Promise<Landing> {
  const text = openPayload(context, record);
  return typeof text === "string"
    ? call(context, definition, new Call(definition.behaviour.data, record, text, end, code), end, code)
    : text.then((opened) =>
      call(context, definition, new Call(definition.behaviour.data, record, opened, end, code), end, code)
    );
}

function call(
  context: EngineContext,
  { behaviour }: Definition,
  made: Call,
  end: AttemptSignal,
  code: Code,
): Landing | Promise<Landing> {
  const result = code.run(behaviour, made);
  const land = (value: StepResult) => landing(context, behaviour, made, value);
  const landed = result instanceof Promise ? result.then(land) : land(result);
  return landed instanceof Promise && code.timeoutMs > 0
    ? withTimeout(context, landed, code.timeoutMs, end)
    : landed;
}

function landing(
  context: EngineContext,
  behaviour: Behaviour,
  made: Call,
  result: StepResult,
): Landing | Promise<Landing> {
  const answer = answerOf(context, behaviour, made, result);
  if (!made.touched) return answer;
  const data = made.readData();
  const text = textOf(context, behaviour, data);
  // What was only looked at is not saved: neither shown to the schema again, nor written over what a callback saved.
  if (text !== undefined && made.isUnchanged(text)) return answer;
  const sealed = writeData(context, behaviour.data, data, `land ${made.what}`, text);
  // Not spread for the common answer: it would give each step's landing a shape of its own.
  const land = (payload: Payload): Landing =>
    answer.kind === "move" && !answer.timers
      ? { kind: "move", to: answer.to, payload }
      : { ...answer, payload };
  return sealed instanceof Promise ? sealed.then(land) : land(sealed);
}

/** The data as JSON text; with a schema, which may make JSON of what is none, `undefined` instead of a refusal. */
function textOf(context: EngineContext, { data: { schema } }: Behaviour, data: unknown): string | undefined {
  try {
    return jsonText(data, "data", context.limits.payloadBytesMax);
  } catch (error) {
    if (schema) return undefined;
    throw error;
  }
}

/** Where the code leads, with the timers that begin there. */
function answerOf(
  context: EngineContext,
  behaviour: Behaviour,
  made: Call,
  result: StepResult,
): Exclude<Landing, { readonly kind: "error" }> {
  if (result.kind === "rearm") return { kind: "rearm", at: context.clock.now() + result.afterMs };
  if (result.kind !== "move" || !behaviour.timers) return result;
  const timers = timersOf(context, behaviour, result.to, {
    runId: made.runId,
    definition: made.definition,
    key: made.key,
    createdAt: made.createdAt,
    readData: () => made.peekData(),
  });
  return timers ? { kind: "move", to: result.to, timers } : result;
}

/**
 * The timers of a run that enters a status.
 *
 * @returns None for most statuses: `undefined`.
 * @throws What the functions that set them throw, or `INVALID_ARGUMENT` for a time that is none.
 */
export function timersOf(
  context: EngineContext,
  { timers }: Behaviour,
  status: string,
  entering: EnteringCall,
): readonly RunTimer[] | undefined {
  const wishes = timers?.(status, entering, context.clock.now());
  if (!wishes || wishes.length === 0) return undefined;
  return wishes.map(({ name, at }) => {
    if (Number.isSafeInteger(at) && at >= 0 && at <= keyNumberMax) return { name, at, attempt: 0, round: 0 };
    throw new PawlError(
      "INVALID_ARGUMENT",
      `Cannot set timer "${name}" of "${entering.definition}" at status "${status}": got ${at}, want a valid Date`,
    );
  });
}

function failed(context: EngineContext, error: unknown, end: AttemptSignal): Landing {
  end.thrown = error;
  return { kind: "error", error: runError(error, context.limits.messageLengthMax) };
}

/** What is kept of a thrown value. */
export function runError(error: unknown, lengthMax: number): RunError {
  if (!(error instanceof Error)) return { name: "Error", message: wordsOf(error).slice(0, lengthMax) };
  const code = (error as { code?: unknown }).code;
  return {
    name: wordsOf(error.name).slice(0, 100),
    message: wordsOf(error.message).slice(0, lengthMax),
    ...(typeof code === "string" && { code: code.slice(0, 100) }),
  };
}

/** Anything can be thrown, also what refuses to be text. */
function wordsOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return "a thrown value that has no text";
  }
}

/** The code that ran too long goes on unheard: JavaScript cannot stop it, so its signal asks it to stop. */
export function withTimeout<Result>(
  context: EngineContext,
  result: Promise<Result>,
  timeoutMs: number,
  end: AttemptSignal,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const cancel = context.clock.after(timeoutMs, () => {
      const error = new PawlError("STEP_TIMEOUT", `Step timed out after ${timeoutMs} ms`);
      end.abort(error);
      reject(error);
    });
    result.then(resolve, reject).finally(cancel);
  });
}
