import type { Clock } from "../../ports/clock.ts";
import { type Random, seededRandom } from "../../ports/random.ts";
import type { World } from "./world.ts";

/** One simulated machine: when it crashes nothing it waits for ever comes; while it is frozen everything waits. */
export class Host {
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  alive = true;
  /** The engine it runs. */
  engineId = "";
  readonly #world: World;
  /** When its clock was set last. */
  jumpedAt = -Infinity;
  #frozenUntil = 0;
  #skew: number;
  #setBack = 0;
  readonly #onCrash: (() => void)[] = [];

  constructor(world: World, name: string) {
    this.#world = world;
    this.name = name;
    this.random = seededRandom(world.seed());
    this.#skew = world.strikes("clock skew") ? world.between(-30_000, 30_000) : world.between(-200, 200);
    this.clock = {
      now: () => Math.floor(1_700_000_000_000 + world.time + this.#skew),
      monotonic: () => world.time,
      soon: (callback) => this.later(world.between(0, 0.5), callback),
      after: (ms, callback) => {
        let cancelled = false;
        this.later(ms, () => cancelled || callback());
        return () => cancelled = true;
      },
    };
  }

  /** The latest time its clock has ever shown. */
  get latest(): number {
    return this.clock.now() + this.#setBack;
  }

  /** Until when it stood still the last time. */
  get unfrozenAt(): number {
    return this.#frozenUntil;
  }

  /** Calls back on this host: never when it has crashed, late when it is frozen. */
  later(delayMs: number, callback: () => void): void {
    const act = () => {
      if (!this.alive) return;
      if (this.#world.time < this.#frozenUntil) {
        this.#world.schedule(this.#frozenUntil - this.#world.time, act);
      } else callback();
    };
    this.#world.schedule(delayMs, act);
  }

  /** Waits in virtual time; for ever when the host dies meanwhile. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.later(ms, resolve));
  }

  /** Code of this host that waits for a promise goes on only on a living host, and on a frozen one late. */
  cut<Value>(promise: PromiseLike<Value>): Promise<Value> {
    return new Promise((resolve, reject) => {
      promise.then(
        (value) => this.#awake(() => resolve(value)),
        (error) => this.#awake(() => reject(error)),
      );
    });
  }

  #awake(callback: () => void): void {
    if (this.alive && this.#world.time >= this.#frozenUntil) callback();
    else this.later(0, callback);
  }

  /** Dies at this moment: whatever its code awaits, it awaits for ever. */
  crash(): void {
    if (!this.alive) return;
    this.#world.log(`${this.name} crashes`);
    this.alive = false;
    for (const callback of this.#onCrash) callback();
  }

  /** Calls back when the host dies. */
  onCrash(callback: () => void): void {
    this.#onCrash.push(callback);
  }

  /** Stands still, then goes on as if nothing had happened. */
  freeze(ms: number): void {
    this.#world.log(`${this.name} freezes for ${ms.toFixed(0)} ms`);
    this.#frozenUntil = this.#world.time + ms;
  }

  /** The wall clock is set. */
  jump(ms: number): void {
    this.#world.log(`${this.name}'s clock jumps by ${ms.toFixed(0)} ms`);
    this.jumpedAt = this.#world.time;
    this.#skew += ms;
    this.#setBack = Math.max(0, this.#setBack - ms);
  }
}
