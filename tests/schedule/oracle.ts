/**
 * A second opinion on recurrences, plain and slow: it walks from minute to minute, reads what `Intl` says that the
 * clock shows, and asks a rule whether it means that.
 *
 * @module
 */

/** What a rule says, as a question about each minute. */
export interface OracleRule {
  /** Whether any minute of a day of the clock may be meant: only to pass over days faster. */
  mayBeOn(day: number): boolean;
  /**
   * The seconds meant of a minute.
   *
   * @param shown The minute as the clock shows it, in minutes since 1970 of a clock in UTC that shows the same.
   * @param minute The minute itself, in minutes since 1970; a minute that is skipped has none.
   */
  secondsOf(shown: number, minute: number | undefined): readonly number[];
  /** Whether every minute that the clock shows counts, skipped and repeated ones being no matter. */
  readonly isElapsed?: boolean;
}

/** Whose clock, and what about its changes. */
export interface OracleClock {
  readonly timeZone: string;
  readonly gap: "skip" | "first-valid";
  readonly overlap: "first" | "both";
}

const formats = new Map<string, Intl.DateTimeFormat>();
const hours = new Map<string, readonly number[]>();

function shownByIntl(timeZone: string, minute: number): number {
  let format = formats.get(timeZone);
  if (!format) {
    format = new Intl.DateTimeFormat("en-GB", {
      timeZone,
      dateStyle: "short",
      timeStyle: "medium",
      hourCycle: "h23",
    });
    formats.set(timeZone, format);
  }
  const of = Object.fromEntries(
    format.formatToParts(minute * 60_000).map(({ type, value }) => [type, Number(value)]),
  );
  return Date.UTC(of.year!, of.month! - 1, of.day, of.hour, of.minute) / 60_000;
}

/** What the clock shows in a minute, in minutes since 1970 of a clock in UTC that shows the same. */
export function shownAt(timeZone: string, minute: number): number {
  const hour = Math.floor(minute / 60);
  const key = `${timeZone} ${hour}`;
  let shown = hours.get(key);
  if (!shown) {
    const [first, last] = [shownByIntl(timeZone, hour * 60), shownByIntl(timeZone, hour * 60 + 59)];
    const isPlain = last - first === 59;
    shown = Array.from({ length: 60 }, (_, i) => isPlain ? first + i : shownByIntl(timeZone, hour * 60 + i));
    if (hours.size > 200_000) hours.clear();
    hours.set(key, shown);
  }
  return shown[minute - hour * 60]!;
}

/** The minutes at which the clocks of a zone are changed, by `Intl`. */
export function changesOf(timeZone: string, from: number, to: number): number[] {
  const changes: number[] = [];
  const offset = (minute: number) => shownAt(timeZone, minute) - minute;
  for (let minute = from / 60_000; minute < to / 60_000; minute += 360) {
    if (offset(minute) === offset(minute + 360)) continue;
    for (let at = minute + 1; at <= minute + 360; at++) {
      if (offset(at) !== offset(at - 1)) changes.push(at * 60_000);
    }
  }
  return changes;
}

const dayOf = (shown: number) => Math.floor(shown / 1_440);

/**
 * All occurrences of a span of time.
 *
 * @param rule What is meant.
 * @param clock By whose clock.
 * @param from An instant; nothing is told of what is before.
 * @param to An instant; nothing is told of it or of what comes later.
 */
export function* occurrencesOf(
  rule: OracleRule,
  clock: OracleClock,
  from: number,
  to: number,
): Generator<number> {
  const [first, last] = [Math.floor(from / 60_000) - 2 * 1_440, Math.ceil(to / 60_000)];
  let before = shownAt(clock.timeZone, first - 1);
  let latest = before;
  for (let minute = first; minute < last; minute++) {
    const after = shownAt(clock.timeZone, minute + 1_440);
    if (minute % 1_440 === 0 && Math.abs(after - before) < 4_320) {
      let isNear = false;
      for (let day = dayOf(before) - 1; day <= dayOf(after) + 1; day++) isNear ||= rule.mayBeOn(day);
      if (!isNear) {
        minute += 1_439;
        before = shownAt(clock.timeZone, minute);
        latest = Math.max(latest, before);
        continue;
      }
    }
    const shown = shownAt(clock.timeZone, minute);
    const found = new Set<number>();
    for (let skipped = before + 1; skipped < shown; skipped++) {
      const isMeant = !rule.isElapsed && rule.secondsOf(skipped, undefined).length > 0;
      if (isMeant && clock.gap === "first-valid") found.add(minute * 60_000);
    }
    const isRepeated = shown <= latest;
    if (rule.isElapsed || !isRepeated || clock.overlap === "both") {
      for (const second of rule.secondsOf(shown, minute)) found.add(minute * 60_000 + second * 1_000);
    }
    for (const instant of [...found].sort((a, b) => a - b)) {
      if (instant >= from && instant < to) yield instant;
    }
    [before, latest] = [shown, Math.max(latest, shown)];
  }
}

/** The first of a sequence. */
export function firstOf<T>(values: Iterable<T>): T | undefined {
  for (const value of values) return value;
  return undefined;
}
