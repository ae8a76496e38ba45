/**
 * A span of time as a line: where a time is on it, and the round times that mark it.
 *
 * @module
 */
import { durationText } from "./time_text.ts";

/** A span; `to` is after `from`. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** A mark of the line. */
export interface Tick {
  /** 0 to 100, from the left. */
  readonly percent: number;
  /** How long after the begin. */
  readonly text: string;
}

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** Distances that read well; above the last, whole multiples of it. */
const steps: readonly number[] = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((count) => count * second),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * minute),
  ...[1, 2, 3, 6, 12].map((count) => count * hour),
  ...[1, 2, 7, 14, 30, 90, 180, 365].map((count) => count * day),
];

/** A span that has a length, whatever it is made of. */
export function spanOf(from: number, to: number): Span {
  return { from, to: Math.max(to, from + 1) };
}

/**
 * Where a time is.
 *
 * @returns 0 to 100, also for what is outside.
 */
export function percentOf(at: number, { from, to }: Span): number {
  return Math.min(100, Math.max(0, ((at - from) / (to - from)) * 100));
}

/**
 * Marks at round distances from the begin.
 *
 * @param span The line.
 * @param countMax How many at most, beside the one at the begin.
 */
export function ticksOf(span: Span, countMax: number): readonly Tick[] {
  const length = span.to - span.from;
  const last = steps.at(-1)!;
  const step = steps.find((each) => length / each <= countMax) ?? last * Math.ceil(length / countMax / last);
  const count = Math.floor(length / step);
  return Array.from({ length: count + 1 }, (_, n) => ({
    percent: percentOf(span.from + n * step, span),
    text: n === 0 ? "0" : durationText(n * step),
  }));
}
