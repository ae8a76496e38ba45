/**
 * Options of a step: where each comes from, what it may be, and what becomes of it. Each option is taken from the
 * highest layer that gives it: the step's own, its machine's, its engine's, and last Pawl's defaults.
 *
 * @module
 */
import { type Duration, durationMs } from "../duration.ts";
import { PawlError } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { StepPolicy } from "../parts/run_change.ts";
import type { StepLock } from "./lock_wish.ts";

/** How failed attempts are repeated: exponential backoff, then pause if `pauseAfterErrors` says so. */
export interface RetryOptions {
  /** Wait before the second attempt; default 1 s, or `max` if that is shorter. */
  readonly initial?: Duration;
  /** Longest wait; default 5 min, or `initial` if that is longer. */
  readonly max?: Duration;
  /** Growth per attempt, 1 to 100; default 2. */
  readonly factor?: number;
  /** Spread each wait over its upper half, so that many failures do not come back as one; default true. */
  readonly jitter?: boolean;
}

/** How often a step may start. */
export interface RateLimit {
  /** Starts in any span of `per`, 1 to 100,000. */
  readonly limit: number;
  /** The span; 1 ms or more. */
  readonly per: Duration;
}

/** A run whose step is about to ask for its lock. */
export interface LockingRun<Data = unknown> {
  /** Its data; not to be changed. */
  readonly data: Data;
  /** The run. */
  readonly runId: string;
  /** Its key. */
  readonly key: string;
  /** Where it is. */
  readonly status: string;
  /** When it was triggered. */
  readonly createdAt: Date;
}

/** Says which lock a run's step needs. Throwing is a failed attempt of the step. */
export type StepLockOf<Data> = (
  run: LockingRun<Data>,
) => string | StepLock | Promise<string | StepLock>;

/** Options of one step. */
export interface StepOptions<Data = never> {
  /** Attempts of this step that one engine runs at once; default 0: no bound but the engine's. */
  readonly concurrency?: number;
  /** Attempts of this step that one engine starts in any span of time, retries included; default `false`: no bound. */
  readonly rateLimit?: RateLimit | false;
  /** Failed attempts in a row after which the run is paused; default 0: it is retried for ever. */
  readonly pauseAfterErrors?: number;
  /** How failed attempts are repeated. */
  readonly retry?: RetryOptions;
  /** Wait between entering the status and starting the step; default 0. */
  readonly lag?: Duration;
  /** Longest one attempt may take before it counts as failed with `STEP_TIMEOUT`; default 0: no limit. */
  readonly timeout?: Duration;
  /**
   * `network`: while the engine's platform is offline, the step is not started, and an attempt that fails does not count as
   * one; default `nothing`.
   */
  readonly needs?: "network" | "nothing";
  /**
   * A lock that is granted before the handler starts, and given back by whatever ends the visit: its name, more of it, or
   * a function that says so. A run that waits for it costs nothing. Default: none.
   */
  readonly lock?: string | StepLock | StepLockOf<Data>;
  /** How late it may start before its metric `workflow_process_lag_alert` is 1; default 30 min + `lag`, 0: never. */
  readonly lagAlert?: Duration;
}

/** Options with the place where they were given. */
export interface OptionLayer {
  /** For error messages, such as `step "paid" of "orders"`. */
  readonly from: string;
  /** What was given there; `undefined`: nothing. */
  readonly options: StepOptions | undefined;
}

/** Longest list of start times that an engine keeps for a step. */
const rateLimitMax = 100_000;

/** Reads a value that was given, or says what it should have been. */
type Read = (value: unknown, name: string, from: string) => unknown;

const readers: Readonly<Record<string, Read>> = {
  concurrency: wholeNumber,
  rateLimit: rate,
  pauseAfterErrors: wholeNumber,
  "retry.initial": milliseconds,
  "retry.max": milliseconds,
  "retry.factor": factor,
  "retry.jitter": flag,
  lag: milliseconds,
  timeout: milliseconds,
  needs,
  lock,
  lagAlert: milliseconds,
};

/** The names that options may have, in the order of the documentation. */
function optionNames(): readonly string[] {
  return [...new Set(Object.keys(readers).map((name) => name.split(".")[0]!))];
}

/** A value of an option, with the layer that gave it. */
interface Given {
  readonly value: unknown;
  readonly from: string;
}

/**
 * Refuses what no step can use, at the place where it is written.
 *
 * @param layer The options.
 * @param usable Names that mean something there; default: all.
 * @throws {PawlError} `INVALID_ARGUMENT` or `INVALID_DURATION`, naming option, layer, value and wish.
 */
export function checkStepOptions(layer: OptionLayer, usable?: readonly string[]): void {
  readOptions(layer, usable);
}

/**
 * What a layer gives, read.
 *
 * @param layer The options.
 * @param usable Names that mean something there; default: all.
 * @returns Values by name, such as `retry.max`; times in milliseconds.
 * @throws {PawlError} `INVALID_ARGUMENT` or `INVALID_DURATION`, naming option, layer, value and wish.
 */
export function readOptions(layer: OptionLayer, usable?: readonly string[]): ReadonlyMap<string, unknown> {
  const read = ([name, { value, from }]: [string, Given]) =>
    [name, readers[name]!(value, name, from)] as const;
  return new Map([...given(layer, usable)].map(read));
}

/**
 * The policy of a step, merged field by field. Defaults bend to what is given, so only what is written can contradict
 * itself.
 *
 * @param what The step, for error messages.
 * @param layers What was given, the lowest first.
 * @param limits The engine's; absent: not known yet.
 * @returns The policy, with a value in every field.
 * @throws {PawlError} `INVALID_ARGUMENT` or `INVALID_DURATION`, naming option, layer, value and wish.
 */
export function stepPolicy(
  what: string,
  layers: readonly OptionLayer[],
  limits?: Pick<Limits, "runsInFlightMax">,
): StepPolicy {
  const merged = new Map<string, Given>();
  for (const layer of layers) for (const [name, value] of given(layer)) merged.set(name, value);
  const read = <Value>(name: string, otherwise: Value): Value => {
    const found = merged.get(name);
    return found ? readers[name]!(found.value, name, found.from) as Value : otherwise;
  };
  const max = read<number | undefined>("retry.max", undefined);
  const initial = read("retry.initial", Math.min(1_000, max ?? Infinity));
  const lagMs = read("lag", 0);
  const policy: StepPolicy = {
    retryInitialMs: initial,
    retryMaxMs: max ?? Math.max(300_000, initial),
    retryFactor: read("retry.factor", 2),
    retryJitter: read("retry.jitter", true),
    pauseAfterErrors: read("pauseAfterErrors", 0),
    lagMs,
    concurrency: read("concurrency", 0),
    timeoutMs: read("timeout", 0),
    lagAlertMs: read("lagAlert", 1_800_000 + lagMs),
    rateLimit: read<StepPolicy["rateLimit"]>("rateLimit", undefined),
    needsNetwork: read("needs", false),
    lock: read<unknown>("lock", undefined),
  };
  const said = (name: string) => `${show(merged.get(name)!.value)} (${merged.get(name)!.from})`;
  if (policy.retryMaxMs < policy.retryInitialMs) {
    throw new PawlError(
      "INVALID_ARGUMENT",
      `Cannot use retry of ${what}: max is ${said("retry.max")}, below initial, which is ` +
        `${said("retry.initial")}; want initial up to max`,
    );
  }
  if (limits && policy.concurrency > limits.runsInFlightMax) {
    throw new PawlError(
      "INVALID_ARGUMENT",
      `Cannot use concurrency of ${what}: got ${said("concurrency")}, want at most the engine's ` +
        `limits.runsInFlightMax, ${limits.runsInFlightMax}, or 0 for no bound of its own`,
    );
  }
  return policy;
}

/** What a layer gives, flat; a field that is `undefined` is not given. */
function given(
  { options, from }: OptionLayer,
  usable: readonly string[] = optionNames(),
): Map<string, Given> {
  const found = new Map<string, Given>();
  if (options === undefined) return found;
  const take = (fields: unknown, prefix: string, names: readonly string[]) => {
    const where = prefix === "" ? "options" : prefix.slice(0, -1);
    if (typeof fields !== "object" || fields === null || Array.isArray(fields)) {
      throw refused(where, from, fields, "an object");
    }
    for (const [name, value] of Object.entries(fields)) {
      if (!names.includes(name)) {
        throw refused(prefix + name, from, value, `one of the options ${names.join(", ")}`);
      }
      if (value === undefined) continue;
      if (prefix === "" && name === "retry") take(value, "retry.", retryNames());
      else found.set(prefix + name, { value, from });
    }
  };
  take(options, "", usable);
  return found;
}

function retryNames(): readonly string[] {
  return Object.keys(readers).flatMap((name) => name.startsWith("retry.") ? [name.slice(6)] : []);
}

function milliseconds(value: unknown, name: string, from: string): number {
  return durationMs(value as Duration, `${name} of ${from}`);
}

function wholeNumber(value: unknown, name: string, from: string): number {
  if (Number.isSafeInteger(value) && value as number >= 0) return value as number;
  throw refused(name, from, value, "a whole number of 0 or more");
}

function factor(value: unknown, name: string, from: string): number {
  if (typeof value === "number" && value >= 1 && value <= 100) return value;
  throw refused(name, from, value, "a number from 1 to 100");
}

function flag(value: unknown, name: string, from: string): boolean {
  if (typeof value === "boolean") return value;
  throw refused(name, from, value, "true or false");
}

function needs(value: unknown, name: string, from: string): boolean {
  if (value === "network" || value === "nothing") return value === "network";
  throw refused(name, from, value, '"network" or "nothing"');
}

function lock(value: unknown, name: string, from: string): unknown {
  const isText = typeof value === "string" && value !== "";
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  if (isText || isObject || typeof value === "function") return value;
  throw refused(name, from, value, "a name, an object with a name, or a function that answers one");
}

function rate(value: unknown, name: string, from: string): StepPolicy["rateLimit"] {
  if (value === false) return undefined;
  const { limit, per, ...others } = Object(value) as Record<string, unknown>;
  if (limit === undefined || per === undefined || Object.keys(others).length > 0) {
    throw refused(name, from, value, `{ limit, per } such as { limit: 10, per: "1s" }, or false`);
  }
  if (!Number.isInteger(limit) || limit as number < 1 || limit as number > rateLimitMax) {
    throw refused(`${name}.limit`, from, limit, `a whole number from 1 to ${rateLimitMax}`);
  }
  const perMs = milliseconds(per, `${name}.per`, from);
  if (perMs < 1) throw refused(`${name}.per`, from, per, "1 ms or more");
  return { limit: limit as number, perMs };
}

function refused(name: string, from: string, value: unknown, wish: string): PawlError {
  return new PawlError("INVALID_ARGUMENT", `Cannot use ${name} of ${from}: got ${show(value)}, want ${wish}`);
}

/** A value as an error shows it. */
function show(value: unknown): string {
  try {
    return (typeof value === "number" ? String(value) : JSON.stringify(value) ?? String(value)).slice(0, 100);
  } catch {
    return String(value).slice(0, 100);
  }
}
