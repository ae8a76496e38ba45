/**
 * Virtual time and one seed: every asynchronous completion of the simulated machines is an event here, and the seed
 * decides their order.
 *
 * @module
 */
import { hash32 } from "../../core/hash.ts";
import { seededRandom } from "../../core/ports/random.ts";

/** A broken invariant, by its name in ARCHITECTURE.md. */
export class Violation extends Error {
  readonly invariant: string;

  constructor(invariant: string, message: string) {
    super(`${invariant}: ${message}`);
    this.invariant = invariant;
  }
}

interface Event {
  readonly at: number;
  /** Breaks ties, so that things due at once may happen in any order. */
  readonly tie: number;
  readonly act: () => void;
}

const traceMax = 60;

/** One simulated world. */
export class World {
  readonly seed: number;
  readonly random: ReturnType<typeof seededRandom>;
  /** Milliseconds since the world began. */
  time = 0;
  /** Faults are injected until this is set. */
  calm = false;
  events = 0;
  readonly faults = new Map<string, number>();
  readonly trace: string[] = [];
  violation: Violation | undefined;
  /** A hash of everything that was logged: equal for equal lives. */
  digest = 0;
  #heap: Event[] = [];

  constructor(seed: number) {
    this.seed = seed;
    this.random = seededRandom(seed * 2_654_435_761 + 1);
  }

  /** A number from `low` to `high`. */
  between(low: number, high: number): number {
    return low + this.random.float() * (high - low);
  }

  /** True with that probability. */
  chance(probability: number): boolean {
    return this.random.float() < probability;
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[Math.floor(this.random.float() * items.length)]!;
  }

  /** True, and counted, with that probability while the world is not calm. */
  fault(kind: string, probability: number): boolean {
    if (this.calm || !this.chance(probability)) return false;
    this.faults.set(kind, (this.faults.get(kind) ?? 0) + 1);
    return true;
  }

  log(line: string): void {
    const timed = `${this.time.toFixed(2).padStart(10)} ${line}`;
    this.digest = (Math.imul(this.digest, 31) + hash32(timed)) | 0;
    this.trace.push(timed);
    if (this.trace.length > traceMax) this.trace.shift();
  }

  /** Notes the first violation; the world ends at the next event. */
  violate(invariant: string, message: string): void {
    this.log(`VIOLATION ${invariant}: ${message}`);
    this.violation ??= new Violation(invariant, message);
  }

  schedule(delayMs: number, act: () => void): void {
    this.#push({ at: this.time + Math.max(0, delayMs), tie: this.random.float(), act });
  }

  /** Runs events until `done`, or the time is over. */
  async run(until: number, done: () => boolean): Promise<void> {
    for (;;) {
      const event = this.#heap[0];
      if (!event || event.at > until || this.violation || done()) break;
      this.#pop();
      this.time = event.at;
      this.events++;
      event.act();
      // A macrotask of the real event loop: every promise that can go on has gone on when it ends.
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    if (this.violation) throw this.violation;
  }

  #push(event: Event): void {
    const heap = this.#heap;
    heap.push(event);
    for (let index = heap.length - 1; index > 0;) {
      const parent = (index - 1) >> 1;
      if (!isBefore(heap[index]!, heap[parent]!)) break;
      [heap[index], heap[parent]] = [heap[parent]!, heap[index]!];
      index = parent;
    }
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    heap[0] = last;
    for (let index = 0;;) {
      const left = 2 * index + 1;
      const right = left + 1;
      let least = index;
      if (left < heap.length && isBefore(heap[left]!, heap[least]!)) least = left;
      if (right < heap.length && isBefore(heap[right]!, heap[least]!)) least = right;
      if (least === index) return;
      [heap[index], heap[least]] = [heap[least]!, heap[index]!];
      index = least;
    }
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.tie < b.tie);
}
