import type { ProcessMeter } from "./metrics.ts";

/** The measurements of the relay of a definition: it is one process, with a part of it in each shard that is owned. */
export class RelayMeter {
  readonly #meter: ProcessMeter;
  readonly #lags = new Map<number, number>();

  /**
   * @param meter Of the process.
   */
  constructor(meter: ProcessMeter) {
    this.#meter = meter;
  }

  /** How far a shard is behind; `undefined`: this engine does not relay it any more. The largest of all is told. */
  lag(shard: number, ms: number | undefined): void {
    if (ms === undefined) this.#lags.delete(shard);
    else this.#lags.set(shard, ms);
    this.#meter.started(Math.max(0, ...this.#lags.values()));
  }

  /** The streamer has taken what it was sent. */
  sent(ms: number): void {
    this.#meter.done(ms);
  }

  /** It has not. */
  failed(): void {
    this.#meter.failed();
  }
}
