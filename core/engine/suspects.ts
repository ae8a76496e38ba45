import type { Limits } from "../limits.ts";
import { Fifo } from "./fifo.ts";

/** What became of a suspect's start; `alone`: it was in flight at a death before, so it must run by itself. */
export type SuspectStart = "started" | "alone" | "dropped";

/**
 * Runs that may have killed the previous owner: each is started with a recorded attempt first, few at a time, and more
 * as they prove harmless. Those that were in flight at two deaths run last and one by one, so that the guilty one is
 * found out and the others are not blamed with it.
 */
export class Suspects {
  readonly #waiting = new Fifo<string>();
  readonly #alone = new Fifo<string>();
  readonly #inFlight = new Set<string>();
  readonly #start: (runId: string) => Promise<SuspectStart>;
  readonly #limits: Limits;
  #window: number;
  #aloneNow: string | undefined;
  #idle: (() => void)[] = [];

  /** @param limits The first window. @param start Records the attempt and starts the run. */
  constructor(limits: Limits, start: (runId: string) => Promise<SuspectStart>) {
    this.#limits = limits;
    this.#window = limits.suspectsInFlightMax;
    this.#start = start;
  }

  /** Adds a run that was due when its owner died. */
  add(runId: string): void {
    this.#waiting.push(runId);
    this.#pump();
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
      const runId = this.#waiting.shift();
      if (runId === undefined) break;
      this.#begin(runId);
    }
    if (this.#inFlight.size > 0) return;
    this.#aloneNow = this.#alone.shift();
    if (this.#aloneNow !== undefined) this.#begin(this.#aloneNow);
    else for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #begin(runId: string): Promise<void> {
    this.#inFlight.add(runId);
    const start = await this.#start(runId);
    if (start === "started") return;
    this.#inFlight.delete(runId);
    if (this.#aloneNow === runId) this.#aloneNow = undefined;
    if (start === "alone") this.#alone.push(runId);
    this.#pump();
  }
}
