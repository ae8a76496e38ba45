import { type Moment, readMoment } from "./moment.ts";
import { type Piece, type RuleText, split } from "./rule_text.ts";

/** How often a rule's period comes. */
export type Frequency = "SECONDLY" | "MINUTELY" | "HOURLY" | "DAILY" | "WEEKLY" | "MONTHLY" | "YEARLY";

/** What a rule says, but for where it begins. */
export interface RuleParts {
  readonly frequency: Frequency;
  readonly interval: number;
  readonly count?: number;
  readonly until?: Moment;
  /** `DTSTART` as a part of the rule, which RFC 5545 does not know and older programs write. */
  readonly start?: Moment;
  /** Whether a `BY...` part narrows or widens it. */
  readonly hasBy: boolean;
  /** What is left of it for the library: frequency, interval, week start and `BY...` parts. */
  readonly text: string;
}

const frequencies: readonly string[] = [
  "SECONDLY",
  "MINUTELY",
  "HOURLY",
  "DAILY",
  "WEEKLY",
  "MONTHLY",
  "YEARLY",
];
/** From Sunday on. */
export const weekdays: readonly string[] = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"];

interface NumberKind {
  readonly min: number;
  readonly max: number;
  /** Whether it may be counted from the end, with a minus. */
  readonly isSigned?: boolean;
}

const numbers: Readonly<Record<string, NumberKind>> = {
  BYSECOND: { min: 0, max: 59 },
  BYMINUTE: { min: 0, max: 59 },
  BYHOUR: { min: 0, max: 23 },
  BYMONTHDAY: { min: 1, max: 31, isSigned: true },
  BYYEARDAY: { min: 1, max: 366, isSigned: true },
  BYWEEKNO: { min: 1, max: 53, isSigned: true },
  BYMONTH: { min: 1, max: 12 },
  BYSETPOS: { min: 1, max: 366, isSigned: true },
};

const known: readonly string[] = [
  "FREQ",
  "INTERVAL",
  "COUNT",
  "UNTIL",
  "DTSTART",
  "WKST",
  "BYDAY",
  ...Object.keys(numbers),
];

type Parts = ReadonlyMap<string, Piece>;

/**
 * Reads the parts of a rule, and refuses what RFC 5545 gives no meaning.
 *
 * @param text Where they stand, for what is refused.
 * @param rule Such as `FREQ=MONTHLY;BYDAY=-1FR`, in any order.
 * @returns What it says.
 * @throws {PawlError} `INVALID_RECURRENCE` with the place in the text.
 */
export function readParts(text: RuleText, rule: Piece): RuleParts {
  const parts = new Map<string, Piece>();
  for (const piece of split(rule, ";").filter((each) => each.text.trim() !== "")) {
    const [name, value] = text.pair(piece);
    const key = name.text.toUpperCase();
    if (!known.includes(key)) text.refuse(name, `part "${name.text}"`, `one of ${known.join(", ")}`);
    if (parts.has(key)) text.refuse(name, `a second ${key}`, "one");
    parts.set(key, value);
  }
  const frequency = parts.get("FREQ") ?? text.refuse(rule, "a rule without FREQ", `one such as "FREQ=DAILY"`);
  checkName(text, frequency, frequencies);
  const weekStart = parts.get("WKST");
  if (weekStart) checkName(text, weekStart, weekdays);
  checkValues(text, parts);
  checkTogether(text, parts, frequency.text.toUpperCase());
  checkSize(text, parts, frequency.text.toUpperCase() as Frequency);
  const moment = (name: string) => parts.has(name) ? readMoment(text, parts.get(name)!) : undefined;
  const [until, start] = [moment("UNTIL"), moment("DTSTART")];
  const forLibrary = [...parts].filter(([name]) => !["COUNT", "UNTIL", "DTSTART"].includes(name));
  return {
    frequency: frequency.text.toUpperCase() as Frequency,
    interval: wholeOf(text, parts.get("INTERVAL")) ?? 1,
    ...(parts.has("COUNT") && { count: wholeOf(text, parts.get("COUNT"))! }),
    ...(until && { until }),
    ...(start && { start }),
    hasBy: [...parts.keys()].some((name) => name.startsWith("BY")),
    text: forLibrary.map(([name, value]) => `${name}=${value.text.toUpperCase()}`).join(";"),
  };
}

function checkName(text: RuleText, piece: Piece, names: readonly string[]): void {
  if (!names.includes(piece.text.toUpperCase())) {
    text.refuse(piece, `"${piece.text}"`, `one of ${names.join(", ")}`);
  }
}

function wholeOf(text: RuleText, piece: Piece | undefined): number | undefined {
  if (piece && !/^0*[1-9]\d{0,8}$/.test(piece.text)) {
    text.refuse(piece, `"${piece.text}"`, "a whole number from 1 to 999999999");
  }
  return piece && Number(piece.text);
}

function checkValues(text: RuleText, parts: Parts): void {
  for (const [name, { min, max, isSigned }] of Object.entries(numbers)) {
    for (const piece of parts.has(name) ? split(parts.get(name)!, ",") : []) {
      const digits = isSigned ? piece.text.replace(/^[+-]/, "") : piece.text;
      const value = /^\d+$/.test(digits) ? Number(digits) : NaN;
      if (value >= min && value <= max) continue;
      text.refuse(
        piece,
        `${name} "${piece.text}"`,
        `${min} to ${max}${isSigned ? `, or -${max} to -${min}` : ""}`,
      );
    }
  }
  for (const piece of parts.has("BYDAY") ? split(parts.get("BYDAY")!, ",") : []) {
    const [, week, day] = /^(?:[+-]?(\d+))?([a-z]{2})$/i.exec(piece.text) ?? [];
    const isWeek = week === undefined || Number(week) >= 1 && Number(week) <= 53;
    if (!isWeek || !weekdays.includes(String(day).toUpperCase())) {
      text.refuse(
        piece,
        `BYDAY "${piece.text}"`,
        `one of ${weekdays.join(", ")}, with 1 to 53 or -1 to -53 before it, or none`,
      );
    }
  }
}

/** What may not stand together, by RFC 5545, 3.3.10. */
function checkTogether(text: RuleText, parts: Parts, frequency: string): void {
  const forbid = (name: string, isForbidden: boolean, wished: string) => {
    const piece = parts.get(name);
    if (piece && isForbidden) text.refuse(piece, `${name} in a rule of FREQ=${frequency}`, wished);
  };
  const isNumbered = /\d/.test(parts.get("BYDAY")?.text ?? "");
  const isLong = frequency === "MONTHLY" || frequency === "YEARLY";
  const others = [...parts.keys()].filter((name) => name.startsWith("BY") && name !== "BYSETPOS");
  forbid("BYWEEKNO", frequency !== "YEARLY", "FREQ=YEARLY");
  forbid(
    "BYYEARDAY",
    ["DAILY", "WEEKLY", "MONTHLY"].includes(frequency),
    "FREQ=YEARLY, or one of less than a day",
  );
  forbid("BYMONTHDAY", frequency === "WEEKLY", "another FREQ");
  // RFC 5545 gives these a meaning, and the library would not look at one of the two.
  const isYearly = frequency === "YEARLY";
  for (const name of ["BYWEEKNO", "BYMONTHDAY", "BYDAY"]) {
    forbid(name, isYearly && parts.has("BYYEARDAY"), `either BYYEARDAY or ${name}`);
  }
  forbid("BYMONTHDAY", parts.has("BYWEEKNO"), "either BYWEEKNO or BYMONTHDAY");
  forbid(
    "BYDAY",
    isYearly && isNumbered && parts.has("BYMONTHDAY"),
    "weekdays without numbers beside BYMONTHDAY",
  );
  forbid("BYDAY", isNumbered && !isLong, "weekdays without numbers, or FREQ=MONTHLY or YEARLY");
  forbid("BYDAY", isNumbered && parts.has("BYWEEKNO"), "weekdays without numbers beside BYWEEKNO");
  forbid("BYSETPOS", others.length === 0, "another BY part beside it");
  forbid("UNTIL", parts.has("COUNT"), "either COUNT or UNTIL");
}

/** Occurrences of one period, which the library may look at all for one of them. */
const sizeMax = 10_000;

/** Refuses periods of too many occurrences, and a choice of what no period has. */
function checkSize(text: RuleText, parts: Parts, frequency: Frequency): void {
  const size = sizeOf(parts, frequency);
  if (size > sizeMax) {
    const seen = `up to ${size} occurrences in a period of FREQ=${frequency}`;
    text.refuse(parts.get("FREQ")!, seen, `at most ${sizeMax}, by a shorter FREQ or fewer BY parts`);
  }
  const places = parts.get("BYSETPOS");
  if (!places || split(places, ",").some((place) => Math.abs(Number(place.text)) <= size)) return;
  text.refuse(places, `BYSETPOS=${places.text}`, `1 to ${size}, as a period has no more with these BY parts`);
}

/** Occurrences of a period, at most. */
function sizeOf(parts: Parts, frequency: Frequency): number {
  const count = (name: string) => parts.get(name)?.text.split(",").length;
  const times = (...names: string[]) => names.reduce((product, name) => product * (count(name) ?? 1), 1);
  const [months, weekdays] = [count("BYMONTH"), count("BYDAY")];
  const weeks = Math.min(53, 5 * (months ?? 12));
  const inYear = count("BYYEARDAY") ??
    (parts.has("BYMONTHDAY") ? times("BYMONTHDAY") * (months ?? 12) : undefined) ??
    (parts.has("BYWEEKNO") ? times("BYWEEKNO", "BYDAY") : weekdays && weekdays * weeks) ?? months ?? 1;
  const inDay = times("BYHOUR", "BYMINUTE", "BYSECOND");
  return {
    SECONDLY: 1,
    MINUTELY: times("BYSECOND"),
    HOURLY: times("BYMINUTE", "BYSECOND"),
    DAILY: inDay,
    WEEKLY: inDay * (weekdays ?? 1),
    MONTHLY: inDay * (count("BYMONTHDAY") ?? (weekdays && weekdays * 5) ?? 1),
    YEARLY: inDay * inYear,
  }[frequency];
}
