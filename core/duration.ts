import { PawlError } from "./errors.ts";

/**
 * A span of time: milliseconds as a number, or text such as `"250ms"`, `"5s"`, `"90m"`, `"1h30m"`, `"3d"`, `"2w"`.
 * A day is 24 hours; calendar days belong to recurrences.
 */
export type Duration = number | string;

const unitsMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** One hundred years: longer than any timer that means something, far inside the range of a `Date`. */
const durationMsMax = 100 * 365 * 86_400_000;

/**
 * Milliseconds of a duration.
 *
 * @param duration Milliseconds, or text.
 * @param name The option it came from, for the error message.
 * @returns Whole milliseconds, zero or more.
 * @throws {PawlError} `INVALID_DURATION` when it is negative, not finite, over 100 years, or unreadable.
 */
export function durationMs(duration: Duration, name = "duration"): number {
  const ms = typeof duration === "number" ? duration : textMs(duration);
  if (!Number.isFinite(ms) || ms < 0 || ms > durationMsMax) {
    throw new PawlError(
      "INVALID_DURATION",
      `Cannot read ${name}: got ${JSON.stringify(duration)}, want milliseconds from 0 to 100 years, ` +
        `or text such as "250ms", "5s", "1h30m" or "3d"`,
    );
  }
  return Math.round(ms);
}

function textMs(text: unknown): number {
  if (typeof text !== "string" || !/^(\d+(\.\d+)?(ms|s|m|h|d|w))+$/.test(text)) return NaN;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d|w)/g)) {
    total += Number(amount) * unitsMs[unit!]!;
  }
  return total;
}
