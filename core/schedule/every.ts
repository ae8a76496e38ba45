import { type Duration, durationMs } from "../duration.ts";
import { PawlError } from "../errors.ts";
import {
  instantOf,
  lastInstant,
  type Occurrences,
  type Recurrence,
  recurrence,
  type RecurrenceType,
} from "./recurrence.ts";

/** Options of {@linkcode every}. */
export interface EveryOptions {
  /**
   * How long after midnight UTC of 1 January 1970, and so after each multiple of the duration, it occurs; less than
   * the duration, and 0 by default.
   */
  readonly phase?: Duration;
  /** Nothing occurs before. */
  readonly start?: Date;
  /** Nothing occurs after; an occurrence at this very instant is the last. */
  readonly end?: Date;
}

/** {@linkcode every}: a function that makes recurrences, and the type that reads them. */
export interface Every extends RecurrenceType {
  /**
   * Something that happens again after each span of time, whatever a clock on the wall shows.
   *
   * @param duration The span: at least a millisecond.
   * @param options Phase, start and end.
   * @returns The recurrence.
   * @throws {PawlError} `INVALID_DURATION` or `INVALID_RECURRENCE` naming what is wrong.
   */
  (duration: Duration, options?: EveryOptions): Recurrence;
}

interface EverySpec {
  readonly everyMs: number;
  readonly phaseMs: number;
  readonly start?: number;
  readonly end?: number;
}

/**
 * Something that happens again after each span of time, whatever a clock on the wall shows. Occurrences are counted
 * from 1970 on and not from when it was made, so making it again, or later, moves none of them.
 *
 * @example
 * ```ts
 * import { every } from "pawl";
 * import assert from "node:assert/strict";
 * const quarter = every("15m", { phase: "5m" });
 * assert.equal(quarter.next(Date.UTC(2030, 0, 1, 12, 0)), Date.UTC(2030, 0, 1, 12, 5));
 * assert.equal(quarter.next(Date.UTC(2030, 0, 1, 12, 5)), Date.UTC(2030, 0, 1, 12, 20));
 * ```
 */
export const every: Every = /* @__PURE__ */ Object.assign(
  (duration: Duration, options: EveryOptions = {}): Recurrence => {
    const { phase = 0, start, end, ...others } = options;
    const [stray] = Object.keys(others);
    if (stray !== undefined) refuse(`option "${stray}"`, "phase, start or end");
    const spec: EverySpec = {
      everyMs: durationMs(duration, "duration of every()"),
      phaseMs: durationMs(phase, "phase of every()"),
      ...(start !== undefined && { start: timeOf("start", start) }),
      ...(end !== undefined && { end: timeOf("end", end) }),
    };
    return recurrence(every, spec);
  },
  { type: "every", parse: parseEvery },
);

function parseEvery(stored: unknown): Occurrences {
  const { everyMs, phaseMs, start, end } = checkSpec(stored);
  const first = start ?? -lastInstant;
  const last = end ?? lastInstant;
  return {
    next(after) {
      const from = Math.max(instantOf(after) + 1, first);
      const next = Math.ceil((from - phaseMs) / everyMs) * everyMs + phaseMs;
      return next <= last ? next : undefined;
    },
  };
}

function checkSpec(stored: unknown): EverySpec {
  const { everyMs, phaseMs, start, end } = Object(stored) as Readonly<Record<keyof EverySpec, unknown>>;
  if (!isWhole(everyMs) || everyMs < 1) return refuse(`every ${String(everyMs)} ms`, "at least 1 ms");
  if (!isWhole(phaseMs) || phaseMs < 0 || phaseMs >= everyMs) {
    return refuse(
      `a phase of ${String(phaseMs)} ms`,
      `0 or more, and less than the ${everyMs} ms of the duration`,
    );
  }
  for (const bound of [start, end]) {
    if (bound !== undefined && !isWhole(bound)) {
      return refuse(`a bound of ${String(bound)}`, "whole milliseconds");
    }
  }
  return { everyMs, phaseMs, start, end } as EverySpec;
}

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value);

function timeOf(name: string, date: Date): number {
  const time = date instanceof Date ? date.getTime() : NaN;
  return Number.isNaN(time) ? refuse(`${name} ${String(date)}`, "a valid Date") : time;
}

function refuse(seen: string, wished: string): never {
  throw new PawlError(
    "INVALID_RECURRENCE",
    `Cannot make a recurrence with every(): got ${seen}, want ${wished}`,
  );
}
