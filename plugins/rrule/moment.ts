import type { Piece, RuleText } from "./rule_text.ts";

/** A date, or a date and a time, as iCalendar writes them. */
export interface Moment {
  /** Milliseconds since 1970 of a clock in UTC that shows it. */
  readonly time: number;
  /** Whether it is meant in UTC, and so an instant. */
  readonly isUtc: boolean;
  /** Whether it is a date alone. */
  readonly isDate: boolean;
  /** Whose clock it names. */
  readonly timeZone?: string;
}

/**
 * Reads a moment.
 *
 * @param text Where it stands, for what is refused.
 * @param piece Such as `20300131`, `20300131T093000` or `20300131T093000Z`.
 * @param zone Its `TZID`.
 * @returns The moment.
 * @throws {PawlError} `INVALID_RECURRENCE` when it is none.
 */
export function readMoment(text: RuleText, piece: Piece, zone?: Piece): Moment {
  const match = /^(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z?))?$/i.exec(piece.text);
  const [year, month, day, hour, minute, second] = (match ?? []).slice(1, 7).map((each) => Number(each ?? 0));
  const time = match ? Date.UTC(year!, month! - 1, day!, hour, minute, second) : NaN;
  const isThere = match &&
    writeMoment(time).slice(0, match[4] === undefined ? 8 : 15) === piece.text.slice(0, 15).toUpperCase();
  if (!isThere) {
    return text.refuse(
      piece,
      `"${piece.text}"`,
      `a date that there is, such as "20300131T093000Z" or "20300131"`,
    );
  }
  const isUtc = /z$/i.test(piece.text);
  if (isUtc && zone) text.refuse(piece, "a time in UTC under a TZID", `the local time, without "Z"`);
  return { time, isUtc, isDate: match[4] === undefined, ...(zone && { timeZone: zone.text }) };
}

/**
 * Writes a time of a clock in UTC.
 *
 * @param time Milliseconds since 1970.
 * @returns As iCalendar does, with a `Z`.
 */
export function writeMoment(time: number): string {
  return new Date(time).toISOString().replace(/[-:]|\.\d+/g, "");
}
