import fc from "fast-check";
import type { OracleRule } from "./oracle.ts";

/** A rule before it is written. */
export interface RruleProgram {
  readonly frequency: string;
  readonly interval: number;
  readonly weekStart?: number;
  readonly months?: readonly number[];
  readonly weeks?: readonly number[];
  readonly yearDays?: readonly number[];
  readonly monthDays?: readonly number[];
  readonly weekdays?: readonly { readonly day: number; readonly which?: number }[];
  readonly hours?: readonly number[];
  readonly minutes?: readonly number[];
  readonly seconds?: readonly number[];
  readonly places?: readonly number[];
}

const weekdays = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"];

/** The rule as it is written. */
export function writeRule(program: RruleProgram): string {
  const list = (name: string, values: readonly (number | string)[] | undefined) =>
    values ? [`${name}=${values.join(",")}`] : [];
  return [
    `FREQ=${program.frequency}`,
    ...list("INTERVAL", program.interval > 1 ? [program.interval] : undefined),
    ...list("WKST", program.weekStart === undefined ? undefined : [weekdays[program.weekStart]!]),
    ...list("BYMONTH", program.months),
    ...list("BYWEEKNO", program.weeks),
    ...list("BYYEARDAY", program.yearDays),
    ...list("BYMONTHDAY", program.monthDays),
    ...list("BYDAY", program.weekdays?.map(({ day, which }) => `${which ?? ""}${weekdays[day]}`)),
    ...list("BYHOUR", program.hours),
    ...list("BYMINUTE", program.minutes),
    ...list("BYSECOND", program.seconds),
    ...list("BYSETPOS", program.places),
  ].join(";");
}

const elapsed: Readonly<Record<string, number>> = { SECONDLY: 1, MINUTELY: 60, HOURLY: 3_600 };

interface CalendarDay {
  readonly day: number;
  readonly year: number;
  readonly month: number;
  readonly date: number;
  readonly weekday: number;
  readonly daysOfMonth: number;
  readonly dayOfYear: number;
  readonly daysOfYear: number;
}

const dayNumber = (year: number, month: number, date: number) => Date.UTC(year, month - 1, date) / 86_400_000;

function calendarDay(day: number): CalendarDay {
  const at = new Date(day * 86_400_000);
  const [year, month, date] = [at.getUTCFullYear(), at.getUTCMonth() + 1, at.getUTCDate()];
  const first = dayNumber(year, 1, 1);
  return {
    day,
    year,
    month,
    date,
    weekday: at.getUTCDay(),
    daysOfMonth: dayNumber(year, month + 1, 1) - dayNumber(year, month, 1),
    dayOfYear: day - first + 1,
    daysOfYear: dayNumber(year + 1, 1, 1) - first,
  };
}

/** A value counted from the front or, negative, from the end of so many. */
const isAmong = (values: readonly number[], value: number, of: number) =>
  values.includes(value) || values.includes(value - of - 1);

/** Which week of which number of weeks a day is in, by its own year's weeks or those it shares with a neighbour. */
function weekOf(at: CalendarDay, weekStart: number) {
  const firstWeek = (year: number) => {
    const fourth = dayNumber(year, 1, 4);
    return fourth - (calendarDay(fourth).weekday - weekStart + 7) % 7;
  };
  const own = [at.year + 1, at.year, at.year - 1].find((year) => at.day >= firstWeek(year))!;
  const start = firstWeek(own);
  const of = (firstWeek(own + 1) - start) / 7;
  return { year: own, start, week: Math.floor((at.day - start) / 7) + 1, of };
}

/** Which of its weekday a day is, from both ends, in the month or the year. */
function isWhich(which: number, at: CalendarDay, inMonth: boolean): boolean {
  const [before, after] = inMonth
    ? [at.date - 1, at.daysOfMonth - at.date]
    : [at.dayOfYear - 1, at.daysOfYear - at.dayOfYear];
  return which === Math.floor(before / 7) + 1 || which === -(Math.floor(after / 7) + 1);
}

/** Where a rule begins: as the clock shows it, and as an instant, both in seconds. */
export interface OracleStart {
  readonly shown: number;
  readonly instant: number;
}

/** What a rule means, without its bounds. */
export function rruleOracle(program: RruleProgram, start: OracleStart): OracleRule {
  const { frequency, interval, weekStart = 1 } = program;
  const first = calendarDay(Math.floor(start.shown / 86_400));
  const unit = elapsed[frequency];

  const isInPeriod = (at: CalendarDay): boolean => {
    // A year that is named by its weeks is made of them; the first is the one that the calendar shows.
    const yearOf = (day: CalendarDay) => program.weeks ? weekOf(day, weekStart).year : day.year;
    const weekNumber = (day: CalendarDay) =>
      Math.floor((day.day - (day.weekday - weekStart + 7) % 7 + 7) / 7);
    const passed = {
      DAILY: at.day - first.day,
      WEEKLY: weekNumber(at) - weekNumber(first),
      MONTHLY: (at.year - first.year) * 12 + at.month - first.month,
      YEARLY: yearOf(at) - first.year,
    }[frequency];
    return passed === undefined || passed % interval === 0;
  };

  const isDay = (at: CalendarDay): boolean => {
    const { months, weeks, yearDays, monthDays } = program;
    const inMonth = frequency === "MONTHLY" || months !== undefined;
    if (months && !months.includes(at.month)) return false;
    if (yearDays && !isAmong(yearDays, at.dayOfYear, at.daysOfYear)) return false;
    if (monthDays && !isAmong(monthDays, at.date, at.daysOfMonth)) return false;
    if (weeks) {
      const { week, of } = weekOf(at, weekStart);
      if (!isAmong(weeks, week, of)) return false;
    }
    const isNamed = ({ day, which }: { readonly day: number; readonly which?: number }) =>
      day === at.weekday && (which === undefined || isWhich(which, at, inMonth));
    if (program.weekdays && !program.weekdays.some(isNamed)) return false;
    if (unit || frequency === "DAILY" || program.weekdays || yearDays || monthDays) return true;
    if (frequency === "WEEKLY" || weeks) return at.weekday === first.weekday;
    return at.date === first.date &&
      (frequency === "MONTHLY" || months !== undefined || at.month === first.month);
  };

  const days = new Map<number, boolean>();
  const mayBeOn = (day: number): boolean => {
    const known = days.get(day);
    if (known !== undefined) return known;
    const at = calendarDay(day);
    const may = isInPeriod(at) && isDay(at);
    days.set(day, may);
    return may;
  };

  /** Seconds of the day that a rule of days or more names. */
  const pad = (values: readonly number[] | undefined, own: number) => values ?? [own];
  const times = pad(program.hours, Math.floor(start.shown / 3_600) % 24).flatMap((hour) =>
    pad(program.minutes, Math.floor(start.shown / 60) % 60).flatMap((minute) =>
      pad(program.seconds, start.shown % 60).map((second) => hour * 3_600 + minute * 60 + second)
    )
  ).sort((a, b) => a - b);

  const chosen = new Map<string, ReadonlySet<number>>();
  /** All that the period of a day names, of which `BYSETPOS` chooses. */
  const chosenIn = (at: CalendarDay): ReadonlySet<number> => {
    const weeks = weekOf(at, weekStart);
    const from = {
      DAILY: at.day,
      WEEKLY: at.day - (at.weekday - weekStart + 7) % 7,
      MONTHLY: at.day - at.date + 1,
      YEARLY: program.weeks ? weeks.start : at.day - at.dayOfYear + 1,
    }[frequency]!;
    const length = {
      DAILY: 1,
      WEEKLY: 7,
      MONTHLY: at.daysOfMonth,
      YEARLY: program.weeks ? weeks.of * 7 : at.daysOfYear,
    }[frequency]!;
    const key = `${from}`;
    const known = chosen.get(key);
    if (known) return known;
    const all = Array.from({ length }, (_, i) => from + i).filter((day) => isDay(calendarDay(day)))
      .flatMap((day) => times.map((time) => day * 86_400 + time));
    const set = new Set(all.filter((_, i) => isAmong(program.places!, i + 1, all.length)));
    chosen.set(key, set);
    return set;
  };

  const ofDays = (shown: number): number[] => {
    const at = calendarDay(Math.floor(shown / 1_440));
    if (!mayBeOn(at.day)) return [];
    const minuteOfDay = shown % 1_440;
    return times.filter((time) => Math.floor(time / 60) === minuteOfDay)
      .filter((time) => at.day * 86_400 + time >= start.shown)
      .filter((time) => !program.places || chosenIn(at).has(at.day * 86_400 + time))
      .map((time) => time % 60);
  };

  const spans = new Map<string, readonly number[]>();
  const ofSpans = (shown: number, minute: number): number[] => {
    if (!mayBeOn(Math.floor(shown / 1_440))) return [];
    const begin = start.instant + (shown - minute) * 60;
    if (program.hours && !program.hours.includes(Math.floor(shown / 60) % 24)) return [];
    if (program.minutes && !program.minutes.includes(shown % 60)) return [];
    const own = unit === 1 ? Array.from({ length: 60 }, (_, i) => i) : [begin % 60];
    const candidates = [...program.seconds ?? own].sort((x, y) => x - y);
    const isMeant = (second: number): boolean => {
      if ((Math.floor(second / unit!) - Math.floor(begin / unit!)) % interval !== 0) return false;
      const [h, m, s] = [Math.floor(second / 3_600) % 24, Math.floor(second / 60) % 60, second % 60];
      if (program.hours && !program.hours.includes(h)) return false;
      if (!(program.minutes ?? [unit === 3_600 ? Math.floor(begin / 60) % 60 : m]).includes(m)) return false;
      return (program.seconds ?? [unit === 1 ? s : begin % 60]).includes(s);
    };
    const isChosen = (second: number): boolean => {
      if (!program.places) return true;
      const from = Math.floor(second / unit!) * unit!;
      const key = `${from} ${begin}`;
      const all = spans.get(key) ?? Array.from({ length: unit! }, (_, i) => from + i).filter(isMeant);
      spans.set(key, all);
      return isAmong(program.places, all.indexOf(second) + 1, all.length);
    };
    return candidates.map((s) => shown * 60 + s)
      .filter((second) => second >= begin && isMeant(second) && isChosen(second))
      .map((second) => second % 60);
  };
  return unit
    ? { isElapsed: true, mayBeOn, secondsOf: (shown, minute) => ofSpans(shown, minute!) }
    : { mayBeOn: (day) => day >= first.day && mayBeOn(day), secondsOf: ofDays };
}

const some = <T>(values: fc.Arbitrary<T>, maxLength = 3) =>
  fc.uniqueArray(values, { minLength: 1, maxLength, selector: (value) => JSON.stringify(value) });
const signed = (max: number) =>
  fc.integer({ min: 1, max }).chain((value) => fc.constantFrom(value, value, -value));

/** How often a rule occurs on a day, or in a shorter period, at most. */
function timesOf(
  frequency: string,
  [hours, minutes, seconds]: readonly (readonly number[] | undefined)[],
): number {
  const [perDay, perHour, perMinute] = [hours?.length ?? 1, minutes?.length ?? 1, seconds?.length ?? 1];
  const times = { SECONDLY: 1, MINUTELY: perMinute, HOURLY: perHour * perMinute }[frequency];
  return times ?? perDay * perHour * perMinute;
}

type Drawn =
  & { readonly [Name in keyof Omit<RruleProgram, "frequency" | "interval">]: RruleProgram[Name] | undefined }
  & Pick<RruleProgram, "frequency" | "interval">
  & { readonly numbered: RruleProgram["weekdays"] | undefined };

/** What is left of a rule without what the plugin refuses. */
function allowed({ numbered, places, ...drawn }: Drawn): RruleProgram {
  const isYearly = drawn.frequency === "YEARLY";
  const { weeks } = drawn;
  const yearDays = isYearly && weeks ? undefined : drawn.yearDays;
  const isByYearDay = isYearly && yearDays !== undefined;
  const monthDays = isByYearDay || weeks ? undefined : drawn.monthDays;
  const isPlain = weeks !== undefined || isYearly && monthDays !== undefined;
  const weekdays = isByYearDay ? undefined : isPlain ? drawn.weekdays : numbered ?? drawn.weekdays;
  const by = { months: drawn.months, weeks, yearDays, monthDays, weekdays };
  const times = [drawn.hours, drawn.minutes, drawn.seconds];
  const hasBy = [...Object.values(by), ...times].some((values) => values !== undefined);
  const isChosen = hasBy && places?.some((place) => Math.abs(place) <= timesOf(drawn.frequency, times));
  const all = { ...drawn, ...by, ...(isChosen && { places }) };
  return Object.fromEntries(
    Object.entries(all).filter(([, value]) => value !== undefined),
  ) as unknown as RruleProgram;
}

/** Any rule that the plugin takes: all that RFC 5545 gives a meaning. */
export const rrulePrograms: fc.Arbitrary<RruleProgram> = fc.constantFrom(
  "SECONDLY",
  "MINUTELY",
  "HOURLY",
  "DAILY",
  "WEEKLY",
  "MONTHLY",
  "YEARLY",
).chain((frequency) => {
  const isLong = frequency === "MONTHLY" || frequency === "YEARLY";
  const rarely = <T>(arbitrary: fc.Arbitrary<T>, isAllowed = true) =>
    isAllowed ? fc.option(arbitrary, { nil: undefined, freq: 2 }) : fc.constant(undefined);
  const weekday = fc.integer({ min: 0, max: 6 });
  const numbered = fc.record({ day: weekday, which: signed(5) });
  return fc.record({
    frequency: fc.constant(frequency),
    interval: fc.oneof(
      fc.constant(1),
      fc.integer({ min: 1, max: frequency in elapsed ? 100 : isLong ? 3 : 9 }),
    ),
    weekStart: rarely(weekday),
    months: rarely(some(fc.integer({ min: 1, max: 12 }), 6)),
    weeks: rarely(some(signed(53), 6), frequency === "YEARLY"),
    yearDays: rarely(some(signed(366), 9), frequency === "YEARLY" || frequency in elapsed),
    monthDays: rarely(some(signed(31), 9), frequency !== "WEEKLY"),
    weekdays: rarely(some(weekday.map((day) => ({ day }))), true),
    numbered: rarely(some(numbered), isLong),
    hours: rarely(some(fc.integer({ min: 0, max: 23 }), 4)),
    minutes: rarely(some(fc.integer({ min: 0, max: 59 }), 4)),
    seconds: rarely(some(fc.integer({ min: 0, max: 59 }))),
    places: rarely(some(signed(4))),
  }).map(allowed);
});
