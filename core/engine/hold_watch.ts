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
 * Which holds are over, judged as leases are: by this engine's own monotonic clock, as wall clocks differ and jump. Only at
 * first sight must the hold's own time be believed.
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
    const { until, holdMs, request } = holder;
    if (until === undefined || holdMs === undefined) return false;
    const at = this.#clock.monotonic();
    const key = JSON.stringify([lock.namespace, lock.name, request]);
    const before = this.#seen.get(key);
    if (before?.until === until) {
      before.lookedAt = at;
      return at > before.deadline;
    }
    const left = Math.min(until - this.#clock.now(), holdMs);
    // It was renewed between the last look and this one; the row's own time tells when, as far as clocks agree.
    const remaining = before ? Math.max(left, holdMs - (at - before.lookedAt)) : left;
    this.#seen.set(key, { until, deadline: at + remaining + skewMs, lookedAt: at });
    this.#sweep(at);
    return remaining + skewMs < 0;
  }

  /** Milliseconds after which what was looked at may be over; at least 1. */
  msLeft(lock: { readonly namespace: string; readonly name: string }, { request }: LockHolder): number {
    const seen = this.#seen.get(JSON.stringify([lock.namespace, lock.name, request]));
    return seen ? Math.max(1, seen.deadline - this.#clock.monotonic() + 1) : 1;
  }

  /** Holds that nobody has looked at for long are forgotten. */
  #sweep(at: number): void {
    if (this.#seen.size < sweepFrom) return;
    for (const [key, { deadline }] of this.#seen) if (deadline < at) this.#seen.delete(key);
  }
}

/** So many holds are remembered before old ones are looked for. */
const sweepFrom = 1_000;
