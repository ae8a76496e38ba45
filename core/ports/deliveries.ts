/**
 * The iterator that every streamer's receiver is: one event after another, ended by its signal or by `return()`.
 *
 * @module
 */
import type { Deliveries, Delivery } from "./event_streamer.ts";

/** Where an iterator takes its deliveries from. */
export interface DeliverySource {
  /** The next one, if it is there. Called one at a time. */
  take(): Delivery | undefined | Promise<Delivery | undefined>;
  /** Calls back whenever there may be another; only listened to while somebody waits. Returns the end of that. */
  listen(wake: () => void): () => void;
  /** Called once, when the iterator has ended in whatever way. */
  ended?(): void;
}

/**
 * Makes an iterator of a source.
 *
 * @param source Where deliveries come from.
 * @param signals Each ends it.
 * @returns The iterator. A `take` that throws ends it, with that error.
 */
export function deliveriesOf(
  source: DeliverySource,
  ...signals: readonly (AbortSignal | undefined)[]
): Deliveries & AsyncIterator<Delivery, undefined> {
  const iterator = new DeliveryIterator(source);
  for (const signal of signals) if (signal) iterator.endWith(signal);
  return iterator;
}

class DeliveryIterator implements AsyncIterator<Delivery, undefined>, AsyncIterable<Delivery> {
  readonly #source: DeliverySource;
  readonly #unlisten: (() => void)[] = [];
  #turn: Promise<unknown> = Promise.resolve();
  #wake: (() => void) | undefined;
  #over = false;

  constructor(source: DeliverySource) {
    this.#source = source;
  }

  endWith(signal: AbortSignal): void {
    if (signal.aborted) return this.#end();
    const onAbort = () => this.#end();
    signal.addEventListener("abort", onAbort, { once: true });
    this.#unlisten.push(() => signal.removeEventListener("abort", onAbort));
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Calls are answered in turn, as those of an async generator are. */
  next(): Promise<IteratorResult<Delivery, undefined>> {
    const pulled = this.#turn.then(() => this.#pull());
    this.#turn = pulled.catch(() => {});
    return pulled;
  }

  return(): Promise<IteratorResult<Delivery, undefined>> {
    this.#end();
    return Promise.resolve({ done: true, value: undefined });
  }

  async #pull(): Promise<IteratorResult<Delivery, undefined>> {
    let isWoken = false;
    let stopListening: (() => void) | undefined;
    try {
      while (!this.#over) {
        isWoken = false;
        const delivery = await this.#source.take();
        if (this.#over) break;
        if (delivery) return { done: false, value: delivery };
        if (stopListening && !isWoken) await new Promise<void>((resolve) => this.#wake = resolve);
        // Listened to first, looked at once more, and only then waited: nothing slips through in between.
        stopListening ??= this.#source.listen(() => {
          isWoken = true;
          this.#wake?.();
        });
      }
    } catch (error) {
      this.#end();
      throw error;
    } finally {
      stopListening?.();
    }
    return { done: true, value: undefined };
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    for (const stop of this.#unlisten.splice(0)) stop();
    this.#wake?.();
    this.#source.ended?.();
  }
}
