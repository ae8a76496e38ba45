/**
 * What a step says of its lock, as it was given and as the engine asks for it.
 *
 * @module
 */
import { type Duration, durationMs } from "../duration.ts";
import { PawlError } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { LockWish } from "../parts/lock_change.ts";
import type { LockDemand } from "../parts/lock_ops.ts";
import { permitsMax } from "../parts/lock_record.ts";
import { checkName, checkOptionNames } from "./check_input.ts";

/** What of a lock is asked for: all of it unless `permits` or `mode` says otherwise. */
export interface LockShare {
  /** The lock is a semaphore with so many permits from now on, 1 to 1,000. */
  readonly permits?: number;
  /** How many of its permits are taken; default 1. */
  readonly weight?: number;
  /** The lock is a read-write lock: readers share it, a writer has it alone. */
  readonly mode?: "read" | "write";
}

/** A lock that a step needs. */
export interface StepLock extends LockShare {
  /** Its name; several: all of them at once, or none yet. */
  readonly name: string | readonly string[];
  /** Where its name is unique; default `default`. Only locks of one namespace can be asked for at once. */
  readonly namespace?: string;
  /** How long the run waits for it; 0: not at all; default: as long as it takes. */
  readonly timeout?: Duration;
  /**
   * What becomes of the run when it was not granted in time: `retry`, the default, is a failed attempt with
   * `LOCK_TIMEOUT`; `fail` ends the run; `skip` leaves it where it is, as `run.skip()` does.
   */
  readonly otherwise?: "retry" | "fail" | "skip";
  /** How long it is held at most before it is taken away; default: until the run leaves the status. */
  readonly hold?: Duration;
}

const optionNames: Readonly<Record<keyof StepLock, true>> = {
  name: true,
  namespace: true,
  permits: true,
  weight: true,
  mode: true,
  timeout: true,
  otherwise: true,
  hold: true,
};

/** The namespace of a lock that names none. */
export const defaultNamespace = "default";

/**
 * @param given What a step's `lock` is, or answered.
 * @param limits The engine's.
 * @returns What to ask for.
 * @throws {PawlError} `INVALID_ARGUMENT` or `INVALID_DURATION`.
 */
export function lockWish(given: unknown, limits: Limits): LockWish {
  if (typeof given === "string") return lockWish({ name: given }, limits);
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw refused("lock", given, `a name, or { name, namespace, ... }`);
  }
  checkOptionNames("a step's lock", given, optionNames);
  const { name, namespace = defaultNamespace, timeout, otherwise = "retry", hold, ...share } =
    given as StepLock;
  checkName(namespace, "lock namespace", limits.nameLengthMax);
  if (!["retry", "fail", "skip"].includes(otherwise)) {
    throw refused("lock.otherwise", otherwise, `"retry", "fail" or "skip"`);
  }
  return {
    namespace,
    wants: lockDemands(name, share, limits),
    ...(timeout !== undefined && { timeoutMs: durationMs(timeout, "lock.timeout") }),
    ...(otherwise !== "retry" && { otherwise }),
    ...(hold !== undefined && { holdMs: holdMsOf(hold) }),
  };
}

/** The shortest hold: it must outlive a renewal, or a poll. */
const holdMsMin = 1_000;

/**
 * @param hold How long a lock is to be held.
 * @returns It in milliseconds.
 * @throws {PawlError} `INVALID_ARGUMENT` or `INVALID_DURATION`.
 */
export function holdMsOf(hold: Duration): number {
  const ms = durationMs(hold, "hold");
  if (ms >= holdMsMin) return ms;
  throw refused("hold", hold, `${holdMsMin} ms or more`);
}

/** Locks of one request at most: all of them are looked at in one batch. */
const namesMax = 16;

/**
 * @param name One lock, or several.
 * @param share What of them.
 * @param limits The engine's.
 * @returns What to ask for, in order of names.
 * @throws {PawlError} `INVALID_ARGUMENT`.
 */
export function lockDemands(
  name: string | readonly string[],
  share: LockShare,
  limits: Limits,
): readonly LockDemand[] {
  const names = typeof name === "string" ? [name] : name;
  if (!Array.isArray(names) || names.length === 0 || names.length > namesMax) {
    throw refused("lock name", name, `text, or a list of 1 to ${namesMax} names`);
  }
  for (const each of names) checkName(each, "lock name", limits.nameLengthMax);
  const kind = kindOf(share);
  return [...new Set(names as readonly string[])].sort().map((each) => ({ name: each, ...kind }));
}

function kindOf({ permits, weight, mode }: LockShare): Omit<LockDemand, "name"> {
  if (mode !== undefined) {
    if (mode !== "read" && mode !== "write") throw refused("lock mode", mode, `"read" or "write"`);
    if (permits !== undefined || weight !== undefined) {
      throw refused("lock mode", mode, "no permits or weight beside it");
    }
    return { kind: "readWrite", capacity: permitsMax, weight: mode === "read" ? 1 : 0 };
  }
  if (permits === undefined) {
    if (weight !== undefined) throw refused("lock weight", weight, "permits beside it");
    return { kind: "mutex", capacity: 1, weight: 0 };
  }
  const isCount = (value: unknown, most: number) =>
    Number.isInteger(value) && value as number >= 1 && value as number <= most;
  if (!isCount(permits, permitsMax)) {
    throw refused("lock permits", permits, `a whole number from 1 to ${permitsMax}`);
  }
  if (weight !== undefined && !isCount(weight, permits)) {
    throw refused("lock weight", weight, `a whole number from 1 to its permits, ${permits}`);
  }
  return { kind: "semaphore", capacity: permits, weight: weight ?? 1 };
}

function refused(name: string, value: unknown, wish: string): PawlError {
  const seen = typeof value === "number" ? String(value) : JSON.stringify(value) ?? String(value);
  return new PawlError("INVALID_ARGUMENT", `Cannot use ${name}: got ${seen.slice(0, 100)}, want ${wish}`);
}
