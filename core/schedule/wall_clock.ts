import { PawlError } from "../errors.ts";
import { instantOf, type Occurrences } from "./recurrence.ts";
import { type Stretch, timeZone } from "./time_zone.ts";

/** What becomes of a time that is skipped when clocks are put forward. */
export type GapPolicy = "skip" | "first-valid";

/** Which one is meant by a time that clocks show twice when they are put back. */
export type OverlapPolicy = "first" | "both";

/** Whose clock is read, and how, when it is changed. */
export interface WallClockOptions {
  /** An IANA name, such as `Europe/London`; `UTC` by default, never the zone of the process. */
  readonly timeZone?: string;
  /**
   * What becomes of a time that is skipped when clocks are put forward: nothing, or one occurrence for all that are
   * skipped together, at the first instant after them. `first-valid` by default.
   */
  readonly gap?: GapPolicy;
  /** Which one is meant by a time that clocks show twice when they are put back. `first` by default. */
  readonly overlap?: OverlapPolicy;
}

/**
 * A rule that names times as a clock on the wall shows them. A _time_ is the milliseconds since 1970 of a clock in
 * UTC that shows the same.
 */
export interface WallClockRule {
  /**
   * The first time of the rule strictly after another.
   *
   * @param time A time, not an instant.
   * @param offset What the clock shows more than one in UTC; only for rules of elapsed time.
   * @returns A time, or `undefined` when none comes after.
   */
  next(time: number, offset: number): number | undefined;
  /**
   * Whether times are only another way to write instants: nothing is then skipped or repeated when the clock is
   * changed, and what `next` says may depend on the offset.
   */
  readonly isElapsed?: boolean;
}

/** A clock on a wall. */
export interface WallClock extends Required<WallClockOptions> {
  /** What it shows at an instant. */
  timeAt(instant: number): number;
  /** When it shows a time: first, if twice; if never, when it would had it not been changed (RFC 5545, 3.3.5). */
  instantOf(time: number): number;
  /** The instants at which a rule's times are there. */
  occurrences(rule: WallClockRule): Occurrences;
}

const dayMs = 86_400_000;
/** The year 1000. Nothing is told of before: calendars differed, and clocks showed what the sun did. */
const earliest = -30_610_224_000_000;
/** The end of the year 9999, the last that formats for dates agree about. */
const latest = 253_402_300_799_999;
/** Stretches looked at for one occurrence: those of 60 years, in which a 29 February is a Monday twice. */
const stretchesMax = 200;

/**
 * A clock on a wall, for those who write a type of recurrence.
 *
 * @param options Whose, and how it is read when it is changed.
 * @returns The clock.
 * @throws {PawlError} `INVALID_RECURRENCE` naming what is wrong.
 *
 * @example
 * ```ts
 * import { wallClock } from "pawl";
 * import assert from "node:assert/strict";
 * const dayMs = 86_400_000;
 * const london = wallClock({ timeZone: "Europe/London" });
 * const midnights = london.occurrences({ next: (time) => (Math.floor(time / dayMs) + 1) * dayMs });
 * assert.equal(midnights.next(Date.UTC(2030, 6, 1, 12)), Date.UTC(2030, 6, 1, 23));
 * assert.equal(midnights.next(Date.UTC(2030, 11, 1, 12)), Date.UTC(2030, 11, 2, 0));
 * ```
 */
export function wallClock(options: WallClockOptions = {}): WallClock {
  const { timeZone: name = "UTC", gap = "first-valid", overlap = "first", ...others } = options;
  const [stray] = Object.keys(others);
  if (stray !== undefined) refuse(`option "${stray}"`, "timeZone, gap or overlap");
  if (gap !== "skip" && gap !== "first-valid") {
    refuse(`gap ${JSON.stringify(gap)}`, `"skip" or "first-valid"`);
  }
  if (overlap !== "first" && overlap !== "both") {
    refuse(`overlap ${JSON.stringify(overlap)}`, `"first" or "both"`);
  }
  const zone = timeZone(name);
  const clock: WallClock = {
    timeZone: name,
    gap,
    overlap,
    timeAt: (instant) => instant + zone.offsetAt(instant),
    instantOf(time) {
      const before = time - zone.offsetAt(time - dayMs);
      if (clock.timeAt(before) === time) return before;
      const after = time - zone.offsetAt(time + dayMs);
      return clock.timeAt(after) === time ? after : before;
    },
    occurrences: (rule) => ({
      next: (after) =>
        nextOf(rule, { ...clock, stretchAt: zone.stretchAt }, Math.max(instantOf(after), earliest)),
    }),
  };
  return clock;
}

interface Place extends WallClock {
  stretchAt(instant: number): Stretch;
}

/** Clocks show every time of a stretch once, in order. So each is asked by itself, and only their edges are special. */
function nextOf(rule: WallClockRule, place: Place, after: number): number | undefined {
  for (let looked = 0; looked < stretchesMax && after < latest; looked++) {
    const stretch = place.stretchAt(after + 1);
    const found = nextWithin(stretch, rule, place, after);
    if (found !== undefined) return found <= latest ? found : undefined;
    if (stretch.end > latest) return undefined;
    after = stretch.end - 1;
    if (rule.isElapsed) continue;
    // No clock is a day ahead of UTC or behind, so nothing occurs more than a day before the time that is its cause.
    const cause = rule.next(after - dayMs, stretch.offset);
    if (cause === undefined) return undefined;
    after = Math.max(after, cause - dayMs - 1);
  }
  return undefined;
}

function nextWithin(stretch: Stretch, rule: WallClockRule, place: Place, after: number): number | undefined {
  const { start, end, offset, offsetBefore } = stretch;
  let from = after + offset;
  if (!rule.isElapsed) {
    const isEntered = after < start;
    if (isEntered && offset > offsetBefore && place.gap === "first-valid") {
      const skipped = rule.next(start + offsetBefore - 1, offset);
      if (skipped !== undefined && skipped < start + offset) return start;
    }
    // What was shown before the clock was put back is shown again until then.
    if (offset < offsetBefore && place.overlap === "first") from = Math.max(from, start + offsetBefore - 1);
  }
  const time = rule.next(from, offset);
  return time !== undefined && time - offset < end ? time - offset : undefined;
}

function refuse(seen: string, wished: string): never {
  throw new PawlError("INVALID_RECURRENCE", `Cannot read a clock on the wall: got ${seen}, want ${wished}`);
}
