import { type Occurrences, type WallClock, wallClock, type WallClockRule } from "pawl";
import { clockRule, elapsedMs, type RuleStart } from "./clock_rule.ts";
import { type Moment, readMoment } from "./moment.ts";
import { readParts, type RuleParts } from "./rule_parts.ts";
import { type Line, type Piece, RuleText, split } from "./rule_text.ts";

/** What a text says: a rule, where it begins, and dates beside it. */
export interface RuleSet {
  readonly text: RuleText;
  readonly parts: RuleParts;
  readonly start?: Moment;
  readonly excluded: readonly Moment[];
  readonly added: readonly Moment[];
}

const dayMs = 86_400_000;
/** Occurrences that are counted one by one to find the last of a `COUNT`. */
const countMax = 10_000;

/**
 * Reads a text.
 *
 * @param source Lines of iCalendar, or one rule.
 * @returns What it says.
 * @throws {PawlError} `INVALID_RECURRENCE` with the place in the text.
 */
export function readRuleSet(source: string): RuleSet {
  const text = new RuleText(source);
  const lines = text.lines();
  for (const { name } of lines) {
    if (!/^(DTSTART|RRULE|EXDATE|RDATE)$/i.test(name.text)) {
      text.refuse(name, `"${name.text}"`, "DTSTART, RRULE, EXDATE or RDATE");
    }
  }
  const named = (name: string) => lines.filter((line) => line.name.text.toUpperCase() === name);
  const only = (name: string): Line | undefined => {
    const [line, second] = named(name);
    if (second) text.refuse(second.name, `a second ${name}`, "one");
    return line;
  };
  const [rule, startLine] = [only("RRULE"), only("DTSTART")];
  if (!rule) return text.refuse({ text: "", at: 0 }, "no rule", `one such as "FREQ=DAILY"`);
  const parts = readParts(text, rule.value);
  if (startLine && parts.start) text.refuse(startLine.name, "a second DTSTART", "one");
  const start = startLine ? readMoment(text, startLine.value, zoneOf(text, startLine)) : parts.start;
  const moments = (name: string) =>
    named(name).flatMap((line) =>
      split(line.value, ",").map((piece) => readMoment(text, piece, zoneOf(text, line)))
    );
  return { text, parts, ...(start && { start }), excluded: moments("EXDATE"), added: moments("RDATE") };
}

function zoneOf(text: RuleText, line: Line): Piece | undefined {
  for (const [name, value] of line.params) {
    const isKnown = name === "TZID" || name === "VALUE" && /^DATE(-TIME)?$/i.test(value.text);
    if (!isKnown) text.refuse(value, `${name}=${value.text}`, "TZID, VALUE=DATE or VALUE=DATE-TIME");
  }
  return line.params.get("TZID");
}

/** A set as a clock shows it. */
export class ClockSet {
  readonly #set: RuleSet;
  readonly #clock: WallClock;
  readonly #start: RuleStart;
  readonly #rule: WallClockRule;

  /**
   * @param set What a text says.
   * @param start Where it begins.
   * @param clock Whose times it names.
   */
  constructor(set: RuleSet, start: Moment, clock: WallClock) {
    this.#set = set;
    this.#clock = clock;
    const instant = this.#instantOf(start);
    this.#start = { instant, time: start.isUtc ? clock.timeAt(instant) : start.time };
    this.#rule = clockRule(set.parts, this.#start);
  }

  /**
   * The last occurrence of the rule by its `COUNT`. It is found once, and stored, so that telling the next does not
   * count them all again.
   */
  lastByCount(): number | undefined {
    const { parts: { count, frequency, interval, hasBy }, text } = this.#set;
    if (count === undefined) return undefined;
    const period = elapsedMs[frequency];
    if (period && !hasBy) return this.#start.instant + (count - 1) * interval * period;
    if (count > countMax) {
      text.refuse(
        { text: "", at: 0 },
        `COUNT=${count}`,
        `at most ${countMax} with this FREQ and BY parts, or UNTIL`,
      );
    }
    const rule = this.#clock.occurrences(this.#rule);
    let last = this.#before();
    for (let i = 0; i < count; i++) {
      const next = rule.next(last);
      if (next === undefined) break;
      last = next;
    }
    return last;
  }

  /**
   * All that occurs: what the rule says up to its end, with dates added, and dates excluded.
   *
   * @param lastByCount The last by its `COUNT`.
   */
  occurrences(lastByCount = Infinity): Occurrences {
    const { parts: { until }, excluded, added } = this.#set;
    const last = Math.min(lastByCount, until ? this.#endOf(until) : Infinity);
    const rule = this.#clock.occurrences(this.#withoutExcluded());
    const without = new Set(excluded.map((moment) => this.#instantOf(moment)));
    const days = daysOf(excluded);
    const more = added.map((moment) => this.#instantOf(moment)).sort((a, b) => a - b)
      .filter((instant) => !without.has(instant) && !days.has(dayOf(this.#clock.timeAt(instant))));
    const ofRule = (after: number) => {
      let next = rule.next(Math.max(after, this.#before()));
      while (next !== undefined && next <= last && without.has(next)) next = rule.next(next);
      return next !== undefined && next <= last ? next : undefined;
    };
    return {
      next(after) {
        const [next, extra] = [ofRule(Number(after)), more.find((instant) => instant > Number(after))];
        return next === undefined || extra === undefined ? next ?? extra : Math.min(next, extra);
      },
    };
  }

  /** The rule but for times and days that are excluded as its own clock shows them, in a gap or twice as they may be. */
  #withoutExcluded(): WallClockRule {
    const { excluded } = this.#set;
    const rule = this.#rule;
    const days = daysOf(excluded);
    const own = excluded.filter((moment) => !moment.isUtc && !moment.isDate && this.#isOwnZone(moment));
    const times = new Set(rule.isElapsed ? [] : own.map((moment) => moment.time));
    return {
      ...rule,
      next(time, offset) {
        let next = rule.next(time, offset);
        while (next !== undefined) {
          const day = dayOf(next);
          if (days.has(day)) next = rule.next((day + 1) * dayMs - 1, offset);
          else if (times.has(next)) next = rule.next(next, offset);
          else break;
        }
        return next;
      },
    };
  }

  /** An instant that the rule begins after. A local time that is skipped may count for less than a day before. */
  #before(): number {
    const isInstant = this.#rule.isElapsed || this.#set.start?.isUtc;
    return this.#start.instant - (isInstant ? 1 : dayMs);
  }

  #isOwnZone(moment: Moment): boolean {
    return (moment.timeZone ?? this.#clock.timeZone) === this.#clock.timeZone;
  }

  #instantOf(moment: Moment): number {
    if (moment.isUtc) return moment.time;
    const clock = this.#isOwnZone(moment) ? this.#clock : wallClock({ timeZone: moment.timeZone! });
    return clock.instantOf(moment.time);
  }

  /** A date alone means all of its day. */
  #endOf(until: Moment): number {
    return this.#instantOf(until.isDate ? { ...until, time: until.time + dayMs - 1 } : until);
  }
}

const dayOf = (time: number) => Math.floor(time / dayMs);
const daysOf = (moments: readonly Moment[]) =>
  new Set(moments.filter((moment) => moment.isDate).map((moment) => dayOf(moment.time)));
