import type { Cancel, Clock } from "../ports/clock.ts";
import type { Platform } from "../ports/platform.ts";
import { PlaceQueue } from "./place_queue.ts";

/** What a status may bear; the same at every call. */
export interface Bounds {
  /** Steps at once; 0: no bound. */
  readonly concurrency: number;
  /** Starts in any span of time. */
  readonly rateLimit?: { readonly limit: number; readonly perMs: number } | undefined;
  /** Nothing starts while the platform is offline. */
  readonly needsNetwork?: boolean | undefined;
}

/** The bounds of a policy. */
export function boundsOf({ concurrency, rateLimit, needsNetwork }: Bounds): Bounds {
  return { concurrency, rateLimit, needsNetwork };
}

/** Whether there is any bound. */
export function isBounded({ concurrency, rateLimit, needsNetwork }: Bounds): boolean {
  return concurrency > 0 || rateLimit !== undefined || needsNetwork === true;
}

/** What a lane goes by. */
export interface LanePorts {
  readonly clock: Clock;
  readonly platform: Pick<Platform, "isOnline">;
}

/**
 * The runs of one status with a bound of its own: who runs, who waits, and when the last ones started. A run that waits
 * is given a grant in its turn. The grant is set aside for it while it is prepared again; a run that may not start after
 * all gives it back, and nothing is counted.
 */
export class Lane<Item> {
  readonly #bounds: Bounds;
  readonly #clock: Clock;
  readonly #platform: LanePorts["platform"];
  readonly #give: (item: Item) => void;
  readonly #wake: () => void;
  readonly #waiting = new PlaceQueue<Item>();
  /** When the last `rateLimit.limit` steps started, as a ring. */
  readonly #starts: number[] = [];
  #next = 0;
  #running = 0;
  #granted = 0;
  #timer: { readonly at: number; readonly cancel: Cancel } | undefined;

  /**
   * @param bounds What it bears.
   * @param ports Time and network.
   * @param give Takes an item that may start: it must come back by `start` or `giveBack`.
   * @param wake Called when it is time to pump.
   */
  constructor(bounds: Bounds, ports: LanePorts, give: (item: Item) => void, wake: () => void) {
    this.#bounds = bounds;
    this.#clock = ports.clock;
    this.#platform = ports.platform;
    this.#give = give;
    this.#wake = wake;
  }

  /** Takes a slot for a newcomer, if one is free and nobody waits for it. */
  enter(): boolean {
    if (this.#waiting.size > 0 || !this.#isFree(this.#clock.monotonic())) return false;
    this.#granted++;
    return true;
  }

  /**
   * Waits behind those that wait already.
   *
   * @param place Where it waited before, if it did: it comes back there.
   * @returns Its place.
   */
  wait(item: Item, place?: number): number {
    return this.#waiting.enter(item, place);
  }

  /**
   * Who waits at a place waits no more.
   *
   * @returns False when nobody does: it has been given its grant.
   */
  recall(place: number): boolean {
    return this.#waiting.leave(place);
  }

  /** Who holds a grant starts. */
  start(): void {
    this.#granted--;
    this.#running++;
    const { rateLimit } = this.#bounds;
    if (!rateLimit) return;
    this.#starts[this.#next] = this.#clock.monotonic();
    this.#next = (this.#next + 1) % rateLimit.limit;
  }

  /** Who holds a grant does not start. */
  giveBack(): void {
    this.#granted--;
  }

  /** A step has come to an end. */
  end(): void {
    this.#running--;
  }

  /** Gives grants to those who may start, and sets the timer for the next, if it is only time that it waits for. */
  pump(): void {
    const now = this.#clock.monotonic();
    while (this.#waiting.size > 0 && this.#isFree(now)) {
      this.#granted++;
      this.#give(this.#waiting.shift()!);
    }
    const at = this.startsAt;
    if (at === this.#timer?.at) return;
    this.rest();
    if (at === undefined) return;
    const cancel = this.#clock.after(Math.ceil(at - now), () => {
      this.#timer = undefined;
      this.#wake();
    });
    this.#timer = { at, cancel };
  }

  /** When the first that waits may start, by the monotonic clock; `undefined`: nobody waits, or not for time alone. */
  get startsAt(): number | undefined {
    if (this.#waiting.size === 0 || !this.#hasSlot) return undefined;
    const at = this.#rateFreeAt;
    return at === Infinity ? undefined : at;
  }

  /** Whether nothing can start, as there is no network. */
  get isCut(): boolean {
    return this.#bounds.needsNetwork === true && !this.#platform.isOnline();
  }

  /** Whether a newcomer waits for time, or for the network. */
  get isSlow(): boolean {
    if (this.isCut) return true;
    if (!this.#bounds.rateLimit) return false;
    return this.#waiting.size > 0 || this.#rateFreeAt > this.#clock.monotonic();
  }

  /** Stops the timer, until the next `pump`. */
  rest(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** How many that wait are of a kind. */
  count(isOfKind: (item: Item) => boolean): number {
    let count = 0;
    for (const item of this.#waiting) if (isOfKind(item)) count++;
    return count;
  }

  /** Lets go of those that wait for nothing any more. */
  drop(isOver: (item: Item) => boolean): void {
    this.#waiting.drop(isOver);
  }

  get #hasSlot(): boolean {
    const { concurrency } = this.#bounds;
    if (this.isCut) return false;
    return concurrency === 0 || this.#running + this.#granted < concurrency;
  }

  #isFree(now: number): boolean {
    return this.#hasSlot && this.#rateFreeAt <= now;
  }

  /** From when on one more may start, the granted ones counted as starting now; `Infinity`: that depends on them. */
  get #rateFreeAt(): number {
    const { rateLimit } = this.#bounds;
    if (!rateLimit) return -Infinity;
    const { limit, perMs } = rateLimit;
    const last = limit - this.#granted;
    if (last <= 0) return Infinity;
    const start = this.#starts[(this.#next - last + limit) % limit];
    return start === undefined ? -Infinity : start + perMs;
  }
}
