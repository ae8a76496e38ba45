/**
 * When something recurs: what a schedule is stored with, and how that is made into times again.
 *
 * @module
 */
import { type Duration, durationMs } from "../duration.ts";
import { PawlError } from "../errors.ts";

/** Times that follow from a rule. */
export interface Recurrence {
  /** The kind of rule; with `spec`, what is stored. */
  readonly type: string;
  /** The rule as text. */
  readonly spec: string;
  /**
   * @param after Any time.
   * @returns The first time strictly after it; `undefined`: there is none.
   */
  next(after: Date): Date | undefined;
}

/** Makes stored rules of one type into times again. */
export interface RecurrenceType {
  /** The type of its rules. */
  readonly type: string;
  /** Reads a rule's `spec`. */
  parse(spec: string): Recurrence;
}

/** Options of {@linkcode every}. */
export interface EveryOptions {
  /** Shifts the times: `every("1d", { phase: "2h" })` is 02:00 UTC each day. */
  readonly phase?: Duration;
}

/**
 * Times that are a duration apart, counted from 1970-01-01T00:00:00Z.
 *
 * @param duration From one to the next.
 * @param options `phase`.
 * @returns The recurrence.
 * @throws {PawlError} `INVALID_DURATION`, or `INVALID_ARGUMENT` for a duration of zero.
 *
 * @example
 * ```ts
 * import { every } from "pawl";
 * const hourly = every("1h", { phase: "15m" });
 * console.assert(hourly.next(new Date("2030-01-01T10:20Z"))?.toISOString() === "2030-01-01T11:15:00.000Z");
 * ```
 */
export function every(duration: Duration, options: EveryOptions = {}): Recurrence {
  const ms = durationMs(duration, "every");
  const phase = durationMs(options.phase ?? 0, "phase");
  if (ms < 1) throw new PawlError("INVALID_ARGUMENT", `Cannot recur every ${duration}: want 1 ms or more`);
  return {
    type: "every",
    spec: JSON.stringify({ ms, phase: phase % ms }),
    next: (after) => new Date((Math.floor((Number(after) - phase) / ms) + 1) * ms + phase),
  };
}

/** Reads what {@linkcode every} has written. */
export const everyType: RecurrenceType = {
  type: "every",
  parse(spec) {
    const { ms, phase } = Object(JSON.parse(spec)) as { ms: number; phase: number };
    return every(ms, { phase });
  },
};
