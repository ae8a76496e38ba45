import type { Limits } from "../limits.ts";
import { Fifo } from "./fifo.ts";

/** What became of a suspect's start; `alone`: it was in flight at a death before, so it must run by itself. */
export type SuspectStart = "started" | "alone" | "dropped";

/** Who can start a suspect: the owner of its shard. */
export interface SuspectSource {
  /** Records the attempt, then lets the run start; never rejects. */
  startSuspect(runId: string): Promise<SuspectStart>;
}

interface Suspect {
  readonly runId: string;
  readonly source: SuspectSource;
}

/**
 * Runs that may have killed the previous owner: each is started with a recorded attempt first, few at a time, and more
 * as they prove harmless. Those that were in flight at two deaths run last and one by one over the whole engine, so
 * that the guilty one is found out and the others are not blamed with it.
 */
export class Suspects {
  readonly #waiting = new Fifo<Suspect>();
  readonly #alone = new Fifo<Suspect>();
  readonly #inFlight = new Map<string, SuspectSource>();
  readonly #limits: Limits;
  #window: number;
  #aloneNow: string | undefined;
  #idle: (() => void)[] = [];

  /**
   * @param limits The first window, and the widest.
   */
  constructor(limits: Limits) {
    this.#limits = limits;
    this.#window = limits.suspectsInFlightMax;
  }

  /** Adds a run that was due when its owner died. */
  add(runId: string, source: SuspectSource): void {
    this.#waiting.push({ runId, source });
    this.#pump();
  }

  /** An ownership has ended: nobody waits for its suspects any more, and those not yet started it drops itself. */
  leave(source: SuspectSource): void {
    for (const [runId, owner] of [...this.#inFlight]) if (owner === source) this.landed(runId);
  }

  /** Whether any is left. */
  get waiting(): boolean {
    return this.#inFlight.size + this.#waiting.size + this.#alone.size > 0;
  }

  /** Resolves when none is left. */
  done(): Promise<void> {
    if (!this.waiting) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** Whether the run has the field to itself. */
  isAlone(runId: string): boolean {
    return this.#aloneNow === runId;
  }

  /** A run's step has ended, and with it the suspicion. */
  landed(runId: string): void {
    if (!this.#inFlight.delete(runId)) return;
    if (this.#aloneNow === runId) this.#aloneNow = undefined;
    else this.#window = Math.min(this.#window * 2, this.#limits.runsInFlightMax);
    this.#pump();
  }

  #pump(): void {
    while (this.#aloneNow === undefined && this.#inFlight.size < this.#window) {
      const suspect = this.#waiting.shift();
      if (!suspect) break;
      this.#begin(suspect);
    }
    if (this.#inFlight.size > 0) return;
    const alone = this.#alone.shift();
    if (alone) {
      this.#aloneNow = alone.runId;
      this.#begin(alone);
    } else for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #begin(suspect: Suspect): Promise<void> {
    const { runId, source } = suspect;
    this.#inFlight.set(runId, source);
    const start = await source.startSuspect(runId);
    if (start === "started") return;
    this.#inFlight.delete(runId);
    if (this.#aloneNow === runId) this.#aloneNow = undefined;
    if (start === "alone") this.#alone.push(suspect);
    this.#pump();
  }
}
