import { type Duration, durationMs } from "../duration.ts";
import { type Clock, systemClock } from "../ports/clock.ts";

/** A clock that stands still until told to move. */
export interface VirtualClock extends Clock {
  /**
   * Moves on by a duration: all that falls due fires in order of time, and what it sets off settles in between.
   *
   * @param duration How far.
   * @returns Resolves when everything that became due has had its turn.
   */
  advance(duration: Duration): Promise<void>;
  /** Sets the wall clock forward or back without time passing, as an operator or a time server may. */
  jump(ms: number): void;
  /** Resolves when nothing is left to do at this moment. */
  settle(): Promise<void>;
}

interface Alarm {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
}

/** Rounds of the event loop without new work after which things are taken to be quiet; drivers may need a few. */
const quietRounds = 4;

/**
 * Makes a clock that stands still.
 *
 * @param options `now`: the wall clock at the start; default 2026-01-01T00:00:00Z.
 * @returns The clock. What is called back `soon` runs by itself; timers fire only in `advance`.
 *
 * @example
 * ```ts
 * import { virtualClock } from "pawl/testing";
 * const clock = virtualClock();
 * let rang = false;
 * clock.after(3 * 86_400_000, () => rang = true);
 * await clock.advance("3d");
 * console.assert(rang);
 * ```
 */
export function virtualClock(options: { readonly now?: Date | number } = {}): VirtualClock {
  const { soon } = systemClock();
  const start = Number(options.now ?? Date.UTC(2026, 0, 1));
  const alarms = new Set<Alarm>();
  let elapsed = 0;
  let jumped = 0;
  let order = 0;
  let active = 0;
  const settle = async () => {
    for (let quiet = 0; quiet < quietRounds; quiet++) {
      const before = active;
      await new Promise<void>((resolve) => soon(resolve));
      if (active !== before) quiet = -1;
    }
  };
  const nextDue = (until: number): Alarm | undefined => {
    let first: Alarm | undefined;
    for (const alarm of alarms) {
      if (alarm.at > until) continue;
      if (!first || alarm.at < first.at || (alarm.at === first.at && alarm.order < first.order)) {
        first = alarm;
      }
    }
    return first;
  };
  return {
    // Whole, as a wall clock is: times of day end up in keys.
    now: () => Math.floor(start + elapsed + jumped),
    monotonic: () => elapsed,
    soon(callback) {
      active++;
      soon(callback);
    },
    after(ms, callback) {
      active++;
      const alarm = { at: elapsed + Math.max(0, ms), order: order++, callback };
      alarms.add(alarm);
      return () => void alarms.delete(alarm);
    },
    jump: (ms) => void (jumped += ms),
    settle,
    async advance(duration) {
      const until = elapsed + durationMs(duration);
      await settle();
      for (let alarm = nextDue(until); alarm; alarm = nextDue(until)) {
        elapsed = Math.max(elapsed, alarm.at);
        alarms.delete(alarm);
        alarm.callback();
        await settle();
      }
      elapsed = until;
      await settle();
    },
  };
}
