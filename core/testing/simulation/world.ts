/**
 * Virtual time and one seed: every asynchronous completion of the simulated machines is an event here, and the seed
 * decides their order.
 *
 * @module
 */
import { hash32 } from "../../hash.ts";
import { systemClock } from "../../ports/clock.ts";
import { Coverage } from "./coverage.ts";
import { Dice } from "./dice.ts";
import type { FaultName, FaultRates } from "./faults.ts";
import { type InvariantName, invariants } from "./invariants.ts";

/** A broken invariant. */
export class Violation extends Error {
  /** Which. */
  readonly invariant: string;

  constructor(invariant: string, message: string) {
    const meaning = invariants[invariant as InvariantName];
    super(`${invariant}${meaning === undefined ? "" : ` (${meaning})`}: ${message}`);
    this.invariant = invariant;
  }
}

interface Event {
  readonly at: number;
  /** Breaks ties, so that things due at once may happen in any order. */
  readonly tie: number;
  readonly act: () => void;
}

/** Lines of the trace that are kept. */
const traceMax = 1_000;

/** A macrotask of the real event loop: every promise that can go on has gone on when it ends. */
const { soon } = systemClock();

/** One simulated world. */
export class World extends Dice {
  /** Milliseconds since the world began. */
  time = 0;
  /** Faults are injected until this is set. */
  calm = false;
  events = 0;
  /** What was done how often to the hosts, their store and their code. */
  readonly faults = new Map<string, number>();
  /** How often each invariant was looked at. */
  readonly checks = new Map<InvariantName, number>();
  readonly coverage = new Coverage();
  readonly trace: string[] = [];
  violation: Violation | undefined;
  /** A hash of everything that was logged: equal for equal lives. */
  digest = 0;
  readonly #rates: FaultRates;
  #recalls = false;
  #heap: Event[] = [];

  /**
   * @param seed Decides the order of everything.
   * @param rates How often each fault strikes.
   */
  constructor(seed: number, rates: FaultRates) {
    super(seed);
    this.#rates = rates;
  }

  /** Whether a fault strikes now; counted if so. Never in a calm world. */
  strikes(name: FaultName): boolean {
    return this.fault(name, this.#rates[name]);
  }

  /** True, and counted, with that probability while the world is not calm. */
  fault(kind: string, probability: number): boolean {
    if (this.calm || probability === 0 || !this.chance(probability)) return false;
    this.count(kind);
    return true;
  }

  /** Counts what has happened by itself, as if it were a fault. */
  count(kind: string): void {
    if (this.#recalls) return;
    this.faults.set(kind, (this.faults.get(kind) ?? 0) + 1);
  }

  log(line: string): void {
    if (this.#recalls) return;
    const timed = `${this.time.toFixed(2).padStart(10)} ${line}`;
    this.digest = (Math.imul(this.digest, 31) + hash32(timed)) | 0;
    this.trace.push(timed);
    if (this.trace.length > traceMax) this.trace.shift();
  }

  /** An invariant is looked at, and must hold. */
  expect(holds: boolean, invariant: InvariantName, message: () => string): boolean {
    if (this.#recalls) return holds;
    this.checks.set(invariant, (this.checks.get(invariant) ?? 0) + 1);
    if (!holds) this.violate(invariant, message());
    return holds;
  }

  /** Notes the first violation; the world ends at the next event. */
  violate(invariant: string, message: string): void {
    if (this.#recalls) return;
    this.log(`VIOLATION ${invariant}: ${message}`);
    this.violation ??= new Violation(invariant, message);
  }

  /** What is shown to the laws now was shown to them before, when it happened. */
  get recalls(): boolean {
    return this.#recalls;
  }

  /** Shows once more what happened at another time: nothing of it is checked, counted or logged again. */
  recall(at: number, show: () => void): void {
    const { time } = this;
    this.#recalls = true;
    this.time = at;
    try {
      show();
    } finally {
      this.#recalls = false;
      this.time = time;
    }
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
      await new Promise<void>((resolve) => soon(resolve));
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
