import type { LockHolder } from "../parts/lock_record.ts";
import type { Clock } from "../ports/clock.ts";

/** How long past its end a hold is still taken for held: clocks differ and renewals are late. */
const skewMs = 500;

interface Seen {
  readonly until: number;
  readonly deadline: number;
  lookedAt: number;
}

/**
 * Which holds are over, judged by this engine's own monotonic clock, as wall clocks differ and jump. At first sight the
 * hold's own time must be believed, but only if it has been over for as long as it lasts: else it is watched for that long.
 * A run's hold is over when it says so: it is not renewed, and the run is told before anybody else gets the lock.
 */
export class HoldWatch {
  readonly #clock: Clock;
  readonly #seen = new Map<string, Seen>();

  /** @param clock This engine's. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Looks at a hold.
   *
   * @param lock Names its lock.
   * @param holder The hold.
   * @returns Whether it has not been renewed in time.
   */
  isOver(lock: { readonly namespace: string; readonly name: string }, holder: LockHolder): boolean {
    const { until, holdMs, request, run } = holder;
    if (until === undefined || holdMs === undefined) return false;
    if (run !== undefined) return until <= this.#clock.now();
    const at = this.#clock.monotonic();
    const key = JSON.stringify([lock.namespace, lock.name, request]);
    const before = this.#seen.get(key);
    if (before?.until === until) {
      before.lookedAt = at;
      return at > before.deadline;
    }
    const left = Math.min(until - this.#clock.now(), holdMs);
    // It was renewed between the last look and this one; the row's own time tells when, as far as clocks agree.
    const remaining = before
      ? Math.max(left, holdMs - (at - before.lookedAt))
      : Math.min(left + holdMs, holdMs);
    this.#seen.set(key, { until, deadline: at + remaining + skewMs, lookedAt: at });
    this.#sweep(at);
    return remaining + skewMs < 0;
  }

  /** Holds that nobody has looked at for long are forgotten. */
  #sweep(at: number): void {
    if (this.#seen.size < sweepFrom) return;
    for (const [key, { deadline }] of this.#seen) if (deadline < at) this.#seen.delete(key);
  }
}

/** So many holds are remembered before old ones are looked for. */
const sweepFrom = 1_000;
