import type { WallClockRule } from "pawl";
import { RRuleTemporal } from "rrule-temporal";
import { writeMoment } from "./moment.ts";
import { type Frequency, type RuleParts, weekdays } from "./rule_parts.ts";

/**
 * Periods in a row without any occurrence after which no more is looked for. The calendar repeats itself after 400 years, which
 * are as many periods, or 4,800 months. 20,000 days are more than those between 29 Februaries that are Mondays. Of
 * shorter periods, those of a day that cannot be are passed over at once.
 */
const periodsMax: Readonly<Record<Frequency, number>> = {
  YEARLY: 402,
  MONTHLY: 4_802,
  WEEKLY: 20_000,
  DAILY: 20_000,
  HOURLY: 5_000,
  MINUTELY: 5_000,
  SECONDLY: 5_000,
};
/** Offsets of one zone, over all of history. */
const offsetsMax = 64;

/** How long a period of elapsed time is. */
export const elapsedMs: Readonly<Record<string, number>> = {
  SECONDLY: 1_000,
  MINUTELY: 60_000,
  HOURLY: 3_600_000,
};

/** Where a rule begins. */
export interface RuleStart {
  /** As the clock shows it. */
  readonly time: number;
  readonly instant: number;
}

/**
 * The times of a rule, without its bounds and exceptions.
 *
 * The library computes in UTC, which no clock change can confuse. Rules of a day and more name times of a clock, so
 * that is all there is to it. Rules of hours, minutes and seconds go by elapsed time: with every offset they are the
 * rule that begins at the same instant, as a clock with that offset shows it.
 *
 * @param parts What it says.
 * @param start Where it begins.
 * @returns The rule for a clock.
 */
export function clockRule(parts: RuleParts, start: RuleStart): WallClockRule {
  const isElapsed = parts.frequency in elapsedMs;
  const rules = new Map<number, (time: number) => number | undefined>();
  return {
    isElapsed,
    next(time, offset) {
      const from = isElapsed ? start.instant + offset : start.time;
      let next = rules.get(from);
      if (!next) {
        if (rules.size >= offsetsMax) rules.clear();
        rules.set(from, next = ruleFrom(parts, from));
      }
      return next(time);
    },
  };
}

function ruleFrom(parts: RuleParts, from: number): (time: number) => number | undefined {
  // Without BYDAY, the library would take the weekday of wherever it begins to look.
  const weekday = weekdays[new Date(from).getUTCDay()];
  const byDay = /BYWEEKNO/.test(parts.text) && !/BYDAY/.test(parts.text) ? `;BYDAY=${weekday}` : "";
  const rule = new RRuleTemporal({
    rruleString: `DTSTART:${writeMoment(from)}\nRRULE:${parts.text}${byDay}`,
    maxIterations: periodsMax[parts.frequency],
  });
  // What is far away, or never comes, is dear to find and asked for again from every change of the clock before it.
  let asked = Infinity;
  let answer: number | undefined;
  return (time) => {
    const isKnown = time >= asked && (answer === undefined || time < answer);
    if (!isKnown) [asked, answer] = [time, nextWithin(rule, time)];
    return answer;
  };
}

function nextWithin(rule: RRuleTemporal, time: number): number | undefined {
  try {
    return rule.next(new Date(time))?.epochMilliseconds;
  } catch (error) {
    if (error instanceof Error && /^Maximum (iterations|candidate)/.test(error.message)) return undefined;
    throw error;
  }
}
