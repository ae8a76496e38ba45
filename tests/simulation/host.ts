import type { Clock } from "../../core/ports/clock.ts";
import { type Random, seededRandom } from "../../core/ports/random.ts";
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
  #frozenUntil = 0;
  #skew: number;
  #setBack = 0;
  readonly #onCrash: (() => void)[] = [];

  constructor(world: World, name: string) {
    this.#world = world;
    this.name = name;
    this.random = seededRandom(Math.floor(world.random.float() * 2 ** 31));
    this.#skew = world.between(-200, 200);
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

  /** Dies at this moment: whatever its code awaits, it awaits for ever. */
  crash(): void {
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
    this.#skew += ms;
    this.#setBack = Math.max(0, this.#setBack - ms);
  }
}
