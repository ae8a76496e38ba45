/**
 * A handler's unit test: a run without an engine, and its answer as plain data.
 *
 * @module
 */
import type { Definition, HeldLockView, StepCall } from "../engine/behaviour.ts";
import { PawlError } from "../errors.ts";
import { durationMs } from "../duration.ts";
import { jsonText } from "../json.ts";
import { defaultLimits } from "../limits.ts";
import { MachineControl, MachineRun, type StepRun } from "../machine/run.ts";

/** What a stub of a run is; all but the data has a default. */
export type RunStubOptions<Data> =
  & {
    /** Default: `"key"`. */
    readonly key?: string;
    /** Default: 30 zeros. */
    readonly runId?: string;
    /** Default: `"status"`, or the machine's first status. */
    readonly status?: string;
    /** Default: `runId:1`. */
    readonly stepId?: string;
    /** Default: 1. */
    readonly attempt?: number;
    /** Default: 2026-01-01T00:00:00Z. */
    readonly createdAt?: Date;
    /** Default: `createdAt`. */
    readonly dueAt?: Date;
    /** The lock that it holds; default: none. */
    readonly lock?: HeldLockView;
    /** Default: one that is never aborted. */
    readonly signal?: AbortSignal;
  }
  & (undefined extends Data ? { readonly data?: Data } : { readonly data: Data });

/** A handler of a step, callback or timeout, for its types only. */
export type HandlerOf<Data, To extends string> = (run: StepRun<Data, To>, payload: never) => unknown;

/**
 * A run to call a handler with, outside of any engine. Its data is a copy, as in an engine, and holds afterwards what the
 * handler has made of it.
 *
 * @typeParam Data The data of the run.
 * @typeParam To The statuses the handler may answer with.
 * @param options What the handler sees.
 * @returns The run.
 * @throws {PawlError} `NOT_JSON` for data that no run can have.
 *
 * @example
 * ```ts
 * import type { StepHandler } from "pawl";
 * import { readAnswer, runStub } from "pawl/testing";
 * const pay: StepHandler<{ cents: number; receipt?: string }, "paid" | "declined"> = (run) => {
 *   if (run.data.cents < 0) return run.pause("who owes whom?");
 *   run.data.receipt = `receipt for ${run.stepId}`;
 *   return run.data.cents > 100_000 ? "declined" : "paid";
 * };
 * const run = runStub(pay, { data: { cents: 4_200 } });
 * console.assert(await pay(run) === "paid");
 * console.assert(run.data.receipt !== undefined);
 * const odd = await pay(runStub(pay, { data: { cents: -1 } }));
 * console.assert(readAnswer(odd).kind === "pause");
 * ```
 */
export function runStub<Data, To extends string = string>(options: RunStubOptions<Data>): StepRun<Data, To>;
/**
 * The same, with the types of a machine or of a handler.
 *
 * @param of The machine or the handler.
 * @param options What the handler sees.
 * @returns The run.
 */
export function runStub<Data, To extends string>(
  of: Definition<Data, To> | HandlerOf<Data, To>,
  options: RunStubOptions<NoInfer<Data>>,
): StepRun<Data, To>;
export function runStub(
  ...given: [options: RunStubOptions<unknown>] | [of: unknown, options: RunStubOptions<unknown>]
): StepRun {
  const of = given.length === 2 ? given[0] as Partial<Definition> : undefined;
  const { data, runId = "0".repeat(30), ...options } = given.length === 2 ? given[1] : given[0];
  let held: unknown = JSON.parse(jsonText(data, "data of a stub", defaultLimits.payloadBytesMax));
  const { createdAt = new Date(Date.UTC(2026, 0, 1)) } = options;
  const call: StepCall = {
    definition: of?.behaviour ? of.name! : "stub",
    key: options.key ?? "key",
    runId,
    status: options.status ?? of?.behaviour?.start ?? "status",
    stepId: options.stepId ?? `${runId}:1`,
    attempt: options.attempt ?? 1,
    createdAt,
    dueAt: options.dueAt ?? createdAt,
    lock: options.lock,
    signal: options.signal ?? new AbortController().signal,
    readData: () => held,
    writeData: (next) => held = next,
  };
  return new MachineRun(call);
}

/** What a handler has answered. */
export type HandlerAnswer =
  | { readonly kind: "move"; readonly to: string }
  | { readonly kind: "skip" | "repeat" }
  | { readonly kind: "rearm"; readonly afterMs: number }
  | { readonly kind: "pause" | "cancel" | "fail"; readonly reason: string };

/**
 * Reads what a handler has answered: a status, or what a control such as `run.pause(reason)` asks for.
 *
 * @param answer The answer, awaited.
 * @returns It as plain data, to be compared with `deepEqual`.
 * @throws {PawlError} `INVALID_ARGUMENT` when it is no answer; an engine takes that for a failed attempt.
 *
 * @example
 * ```ts
 * import { readAnswer, runStub } from "pawl/testing";
 * const run = runStub<{ n: number }>({ data: { n: 1 } });
 * console.assert(JSON.stringify(readAnswer(run.pause("later"))) === '{"kind":"pause","reason":"later"}');
 * console.assert(JSON.stringify(readAnswer("done")) === '{"kind":"move","to":"done"}');
 * ```
 */
export function readAnswer(answer: unknown): HandlerAnswer {
  if (typeof answer === "string") return { kind: "move", to: answer };
  if (answer instanceof MachineControl) return answer.result;
  const { rearm } = Object(answer) as { rearm?: unknown };
  if (rearm !== undefined) return { kind: "rearm", afterMs: durationMs(rearm as number, "rearm") };
  const seen = answer instanceof Promise
    ? "a promise; await it first"
    : JSON.stringify(answer) ?? String(answer);
  throw new PawlError(
    "INVALID_ARGUMENT",
    `Cannot read answer: got ${seen}; want a status, { rearm }, or a control such as run.pause(reason)`,
  );
}
