/**
 * Cron expressions as recurrences, with time zones and a say in what happens when clocks are changed.
 *
 * @module
 */
import {
  every,
  type Occurrences,
  PawlError,
  type Recurrence,
  recurrence,
  type RecurrenceType,
  wallClock,
  type WallClockOptions,
} from "pawl";
import { readExpression } from "./expression.ts";

/** {@linkcode cron}: a function that makes recurrences, and the type that reads them. */
export interface CronType extends RecurrenceType {
  /**
   * What a cron expression says.
   *
   * @param expression Five fields, six with seconds first, `@daily` and the like, or `@every 15m`.
   * @param options Whose clock it means, and what happens when that is changed. If the expression names every hour,
   * `gap` is `skip` and `overlap` is `both` by default, else `first-valid` and `first`. `@every` needs no clock.
   * @returns The recurrence.
   * @throws {PawlError} `INVALID_RECURRENCE` with the place in the expression.
   */
  (expression: string, options?: WallClockOptions): Recurrence;
}

interface CronSpec extends WallClockOptions {
  readonly expression: string;
}

/**
 * Recurrences of cron expressions. Give it to the engine as well, so that it can read what is stored.
 *
 * @example
 * ```ts
 * import { cron } from "pawl/plugins/cron";
 * import assert from "node:assert/strict";
 * const nightly = cron("30 2 * * mon-fri", { timeZone: "Europe/London" });
 * assert.equal(nightly.next(new Date("2030-07-01T12:00:00Z")), Date.parse("2030-07-02T01:30:00Z"));
 * assert.throws(() => cron("0 25 * * *"), /at character 3, got hour "25", want 0 to 23/);
 * ```
 */
export const cron: CronType = /* @__PURE__ */ Object.assign(
  (expression: string, options: WallClockOptions = {}): Recurrence => {
    if (isElapsed(expression)) return wallClock(options) && recurrence(cron, { expression });
    const { isHourly } = readExpression(checkText(expression));
    const changes = isHourly ? { gap: "skip", overlap: "both" } as const : {};
    const { timeZone, gap, overlap } = wallClock({ ...changes, ...options });
    return recurrence(cron, { expression, timeZone, gap, overlap } satisfies CronSpec);
  },
  { type: "cron", parse: parseCron },
);

function parseCron(spec: unknown): Occurrences {
  const { expression, ...clock } = Object(spec) as CronSpec;
  if (isElapsed(expression)) return every(spanOf(expression));
  const { rule } = readExpression(checkText(expression));
  const occurrences = wallClock(clock).occurrences(rule);
  // The calendar repeats itself after 400 years, and croner looks that far and further.
  if (occurrences.next(Date.UTC(2000, 0, 1)) === undefined) {
    refuse(expression, "days that no calendar has", "at least one day that there is");
  }
  return occurrences;
}

const isElapsed = (expression: unknown) => typeof expression === "string" && /^\s*@every\b/i.test(expression);

function spanOf(expression: string): string {
  const [, before, span] = /^(\s*@every\s*)(.*?)\s*$/i.exec(expression)!;
  try {
    every(span!);
  } catch (cause) {
    const place = `at character ${before!.length + 1}`;
    refuse(expression, `${place} "${span}"`, `a duration such as "15m" or "1h30m"`, cause);
  }
  return span!;
}

function checkText(expression: unknown): string {
  return typeof expression === "string"
    ? expression
    : refuse(expression, "no text", `text such as "0 2 * * *"`);
}

function refuse(expression: unknown, seen: string, wished: string, cause?: unknown): never {
  throw new PawlError(
    "INVALID_RECURRENCE",
    `Cannot read cron ${JSON.stringify(expression)}: got ${seen}, want ${wished}`,
    { cause },
  );
}
