import { type Duration, durationMs } from "../duration.ts";
import { type Cancel, type Clock, systemClock } from "../ports/clock.ts";

/** A clock that stands still until told to move. */
export interface VirtualClock extends Clock {
  /**
   * Moves on by a duration: all that falls due fires in order of time, and what it sets off settles in between.
   *
   * @param duration How far.
   * @returns Resolves when everything that became due has had its turn.
   */
  advance(duration: Duration): Promise<void>;
  /**
   * Moves on to what falls due next, and lets it happen.
   *
   * @param within How far at most.
   * @returns Whether anything fell due; if not, all of `within` has gone by.
   */
  next(within: Duration): Promise<boolean>;
  /** Sets the wall clock forward or back without time passing, as an operator or a time server may. */
  jump(ms: number): void;
  /**
   * Hears of every {@linkcode VirtualClock.jump}.
   *
   * @returns Ends the subscription.
   */
  onJump(callback: () => void): Cancel;
  /** Resolves when nothing is left to do at this moment. */
  settle(): Promise<void>;
  /**
   * Time stands still while this is pending: what waits for a file, a server or another thread takes no virtual time.
   * What is pending for longer than the clock's `patience` is taken to wait for the clock itself, and no more heeded.
   *
   * @param work What to wait for.
   * @returns The same promise.
   */
  attend<Value>(work: Promise<Value>): Promise<Value>;
}

/** Options of {@linkcode virtualClock}. */
export interface VirtualClockOptions {
  /** The wall clock at the start; default 2026-01-01T00:00:00Z. */
  readonly now?: Date | number;
  /** How much real time each promise given to `attend` may take before the clock moves on without it; default 250 ms. */
  readonly patience?: Duration;
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
 * @param options The wall clock at the start, and its patience.
 * @returns The clock. What is called back `soon` runs by itself; timers fire only in `advance` and `next`.
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
export function virtualClock(options: VirtualClockOptions = {}): VirtualClock {
  const { soon } = systemClock();
  const start = Number(options.now ?? Date.UTC(2026, 0, 1));
  const alarms = new Set<Alarm>();
  const outside = new Outside(durationMs(options.patience ?? 250, "patience"));
  const onJumps = new Set<() => void>();
  let elapsed = 0;
  let jumped = 0;
  let order = 0;
  let active = 0;
  const settle = async () => {
    do {
      for (let quiet = 0; quiet < quietRounds; quiet++) {
        const before = active;
        await new Promise<void>((resolve) => soon(resolve));
        if (active !== before) quiet = -1;
      }
    } while (await outside.moved());
  };
  const fireNext = async (until: number): Promise<boolean> => {
    const alarm = earliest(alarms, until);
    if (!alarm) return false;
    elapsed = Math.max(elapsed, alarm.at);
    alarms.delete(alarm);
    alarm.callback();
    await settle();
    return true;
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
    jump(ms) {
      jumped += ms;
      for (const callback of [...onJumps]) callback();
    },
    onJump(callback) {
      onJumps.add(callback);
      return () => void onJumps.delete(callback);
    },
    settle,
    attend: (work) => outside.attend(work),
    async next(within) {
      const until = elapsed + durationMs(within, "within");
      await settle();
      if (await fireNext(until)) return true;
      elapsed = Math.max(elapsed, until);
      return false;
    },
    async advance(duration) {
      const until = elapsed + durationMs(duration);
      await settle();
      while (await fireNext(until));
      elapsed = Math.max(elapsed, until);
      await settle();
    },
  };
}

function earliest(alarms: ReadonlySet<Alarm>, until: number): Alarm | undefined {
  let first: Alarm | undefined;
  for (const alarm of alarms) {
    if (alarm.at > until) continue;
    if (!first || alarm.at < first.at || (alarm.at === first.at && alarm.order < first.order)) first = alarm;
  }
  return first;
}

/** What is under way outside of virtual time. */
class Outside {
  readonly #patienceMs: number;
  readonly #pending = new Set<Promise<unknown>>();

  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs;
  }

  attend<Value>(work: Promise<Value>): Promise<Value> {
    const done = () => void this.#pending.delete(work);
    this.#pending.add(work);
    work.then(done, done);
    return work;
  }

  /** Waits for the first that ends; those that none of does so in time are forgotten. Whether there was any. */
  async moved(): Promise<boolean> {
    if (this.#pending.size === 0) return false;
    const waiting = [...this.#pending];
    let stopWaiting = () => {};
    const tooLate = new Promise<boolean>((resolve) => {
      stopWaiting = systemClock().after(this.#patienceMs, () => resolve(true));
    });
    const ended = waiting.map((work) => work.then(() => false, () => false));
    const isTooLate = await Promise.race([...ended, tooLate]);
    stopWaiting();
    if (isTooLate) { for (const work of waiting) this.#pending.delete(work); }
    return true;
  }
}
