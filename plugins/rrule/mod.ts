/**
 * Rules of iCalendar (RFC 5545) as recurrences, with time zones and a say in what happens when clocks are changed.
 *
 * @module
 */
import {
  type Occurrences,
  PawlError,
  type Recurrence,
  recurrence,
  type RecurrenceType,
  wallClock,
  type WallClockOptions,
} from "pawl";
import { type Moment, writeMoment } from "./moment.ts";
import { ClockSet, readRuleSet } from "./rule_set.ts";

/** Options of {@linkcode rrule}. */
export interface RruleOptions extends WallClockOptions {
  /** Where a rule begins that has no `DTSTART`; the second after now by default. */
  readonly start?: Date;
}

/** {@linkcode rrule}: a function that makes recurrences, and the type that reads them. */
export interface RruleType extends RecurrenceType {
  /**
   * What a rule of iCalendar says.
   *
   * @param text `FREQ=...` alone, with `DTSTART=...` as one of its parts, or lines of `DTSTART`, `RRULE`, `EXDATE` and
   * `RDATE`.
   * @param options Whose clock it means, if no `TZID` tells, and what happens when that is changed: nothing at times
   * that are skipped, and once at those that are shown twice, by default. Rules of hours, minutes and seconds go by
   * elapsed time.
   * @returns The recurrence.
   * @throws {PawlError} `INVALID_RECURRENCE` with the place in the text.
   */
  (text: string, options?: RruleOptions): Recurrence;
}

interface RruleSpec extends WallClockOptions {
  readonly text: string;
  /** The last occurrence by `COUNT`. */
  readonly last?: number;
}

/**
 * Recurrences of iCalendar's rules. Give it to the engine as well, so that it can read what is stored.
 *
 * @example
 * ```ts
 * import { rrule } from "pawl/plugins/rrule";
 * import assert from "node:assert/strict";
 * const lastFriday = rrule("DTSTART;TZID=Europe/London:20300101T090000\nRRULE:FREQ=MONTHLY;BYDAY=-1FR");
 * assert.equal(lastFriday.next(new Date("2030-06-01T00:00:00Z")), Date.parse("2030-06-28T08:00:00Z"));
 * assert.throws(() => rrule("FREQ=DAILY;INTERVAL=0.25"), /at character 21, got "0.25", want a whole number/);
 * ```
 */
export const rrule: RruleType = /* @__PURE__ */ Object.assign(
  (text: string, options: RruleOptions = {}): Recurrence => {
    const { start, ...given } = options;
    const set = readRuleSet(checkText(text));
    const { timeZone, gap, overlap } = wallClock({ ...byDefault, ...given, ...zoneOf(set.start, given) });
    const pinned = set.start ? text : `DTSTART:${writeMoment(pinOf(start))}\n${text}`;
    const spec: RruleSpec = { text: pinned, timeZone, gap, overlap };
    const last = clockSetOf(spec).lastByCount();
    // The same rule again would begin at another time: by its text it is known to be the same.
    const asGiven = set.start || start ? undefined : { text, timeZone, gap, overlap };
    return recurrence(rrule, last === undefined ? spec : { ...spec, last }, asGiven);
  },
  { type: "rrule", parse: parseRrule },
);

/** As RFC 5545 has it: a time that is not there is no occurrence. */
const byDefault = { gap: "skip", overlap: "first" } as const;

function clockSetOf({ text, last: _, ...options }: RruleSpec): ClockSet {
  const set = readRuleSet(checkText(text));
  const { start = set.text.refuse({ text: "", at: 0 }, "a stored rule without DTSTART", "one with it") } =
    set;
  return new ClockSet(set, start, wallClock({ ...byDefault, ...options }));
}

function parseRrule(stored: unknown): Occurrences {
  const spec = Object(stored) as RruleSpec;
  const clockSet = clockSetOf(spec);
  const { text, last = clockSet.lastByCount() } = spec;
  if (last !== undefined && !Number.isSafeInteger(last)) {
    refuse(text, `last ${JSON.stringify(last)}`, "milliseconds since 1970");
  }
  const occurrences = clockSet.occurrences(last);
  if (occurrences.next(-Infinity) === undefined) {
    refuse(text, "a rule that never occurs", "one with at least one occurrence");
  }
  return occurrences;
}

/** The zone of a `TZID`, of the options, or UTC; a start in UTC leaves it to the options whose clock is read. */
function zoneOf(start: Moment | undefined, { timeZone }: WallClockOptions): { readonly timeZone: string } {
  const named = start?.timeZone;
  if (named !== undefined && timeZone !== undefined && named !== timeZone) {
    refuse(`TZID=${named}`, `the time zone "${timeZone}" beside it`, "one of them, or both the same");
  }
  return { timeZone: named ?? timeZone ?? "UTC" };
}

/** After now, so that the first of a `COUNT` is still to come. */
function pinOf(start: Date | undefined): number {
  if (start === undefined) return (Math.floor(Date.now() / 1_000) + 1) * 1_000;
  const time = start instanceof Date ? start.getTime() : NaN;
  return Number.isNaN(time) ? refuse("", `start ${String(start)}`, "a valid Date") : time;
}

function checkText(text: unknown): string {
  return typeof text === "string" ? text : refuse(text, "no text", `text such as "FREQ=DAILY"`);
}

function refuse(text: unknown, seen: string, wished: string): never {
  throw new PawlError(
    "INVALID_RECURRENCE",
    `Cannot read rrule ${JSON.stringify(text)}: got ${seen}, want ${wished}`,
  );
}
