import { PawlError } from "../errors.ts";

/** A span of time in which the clocks of a zone are not changed. */
export interface Stretch {
  /** Its first instant. */
  readonly start: number;
  /** The first instant after it. */
  readonly end: number;
  /** What its clocks show more than those in UTC, in milliseconds. */
  readonly offset: number;
  /** The same for those just before it. */
  readonly offsetBefore: number;
}

/** Clocks of a place, and when they were and will be changed. */
export interface TimeZone {
  /** What its clocks show more than those in UTC, in milliseconds. */
  offsetAt(instant: number): number;
  /** A stretch around an instant; it may end where no clock is changed. */
  stretchAt(instant: number): Stretch;
}

/** Shorter than the time between any two changes of a zone's clocks, so that a step sees one at most. */
const stepMs = 43_200_000;
/** Years whose stretches are kept for a zone: more than a schedule looks ahead, far less than there are. */
const yearsKept = 512;
/** Zones that are kept: about as many as there are. */
const zonesKept = 512;

const zones = new Map<string, TimeZone>();

/**
 * Clocks of a zone, as `Intl` knows them.
 *
 * @param name An IANA name, such as `Europe/London`, or `UTC`.
 * @returns Its clocks.
 * @throws {PawlError} `INVALID_RECURRENCE` when there is no such zone.
 */
export function timeZone(name: string): TimeZone {
  // Without a name, Intl would take the zone of the process.
  return kept(zones, String(name), zonesKept, () => name === "UTC" ? utc : readZone(String(name)));
}

const utc: TimeZone = {
  offsetAt: () => 0,
  stretchAt: () => ({ start: -Infinity, end: Infinity, offset: 0, offsetBefore: 0 }),
};

function readZone(name: string): TimeZone {
  const offsetAt = offsetReader(name);
  const years = new Map<number, readonly Stretch[]>();
  return {
    offsetAt,
    stretchAt(instant) {
      const year = new Date(instant).getUTCFullYear();
      const stretches = kept(years, year, yearsKept, () => stretchesOf(year, offsetAt));
      return stretches.find((each) => instant < each.end)!;
    },
  };
}

function offsetReader(name: string): (instant: number) => number {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: name,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
    });
  } catch (cause) {
    throw new PawlError(
      "INVALID_RECURRENCE",
      `Cannot read time zone ${JSON.stringify(name)}: want an IANA name such as "Europe/London", or "UTC"`,
      { cause },
    );
  }
  return (instant) => {
    const second = Math.floor(instant / 1_000) * 1_000;
    const [month, day, year, hour, minute, seconds] = format.format(second).match(/\d+/g)!.map(Number);
    return Date.UTC(year!, month! - 1, day, hour, minute, seconds) - second;
  };
}

/** A year in UTC, cut wherever the clocks are changed. */
function stretchesOf(year: number, offsetAt: (instant: number) => number): Stretch[] {
  const yearEnd = Date.UTC(year + 1, 0);
  const stretches: Stretch[] = [];
  let start = Date.UTC(year, 0);
  let offsetBefore = offsetAt(start - 1);
  let offset = offsetAt(start);
  for (let at = start; at < yearEnd - 1;) {
    const to = Math.min(at + stepMs, yearEnd - 1);
    if (offsetAt(to) !== offset) {
      const end = changeIn(at, to, (instant) => offsetAt(instant) !== offset);
      stretches.push({ start, end, offset, offsetBefore });
      [start, offsetBefore, offset] = [end, offset, offsetAt(end)];
    }
    at = to;
  }
  return [...stretches, { start, end: yearEnd, offset, offsetBefore }];
}

/** The first instant after `from` that is changed, when `to` is, and all between from some instant on. */
function changeIn(from: number, to: number, isChanged: (instant: number) => boolean): number {
  let [before, after] = [from, to];
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (isChanged(middle)) after = middle;
    else before = middle;
  }
  return after;
}

/** A value of a cache that is emptied when it is full: what is asked for stays the same for a long time. */
function kept<K, V>(cache: Map<K, V>, key: K, max: number, make: () => V): V {
  const known = cache.get(key);
  if (known !== undefined) return known;
  const made = make();
  if (cache.size >= max) cache.clear();
  cache.set(key, made);
  return made;
}
