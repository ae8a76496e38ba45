/**
 * The open source of one shard of a connector: pulls deliveries one by one, and puts off the acks of what it passes over.
 *
 * @module
 */
import { PawlError } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { ConnectorDelivery } from "./connector.ts";

/** Events passed over before their ack is sent though the source is not at rest. */
const skippedMax = 256;

/** Opens a source. */
export type Open = (signal: AbortSignal) => unknown;

/** Receives until it is closed, by whomever. */
export class OpenSource {
  readonly #clock: Clock;
  readonly #acksCover: boolean;
  readonly #closed = new AbortController();
  #iterator: AsyncIterator<ConnectorDelivery> | undefined;
  /** The last event passed over, whose ack covers those before it. */
  #skipped: ConnectorDelivery | undefined;
  #skippedCount = 0;

  /**
   * @param clock Time.
   * @param acksCover Whether an ack covers all that was given before.
   */
  constructor(clock: Clock, acksCover: boolean) {
    this.#clock = clock;
    this.#acksCover = acksCover;
  }

  /** Opens the source. A source that opens too late, after the close, is closed at once. */
  async open(open: Open): Promise<void> {
    const { signal } = this.#closed;
    const opening = Promise.resolve(open(signal));
    opening.then((late) => signal.aborted && closeIterator(iteratorOf(late))).catch(() => {});
    const source = await orAborted(opening, signal);
    if (signal.aborted) return;
    this.#iterator = iteratorOf(source);
    if (this.#iterator) return;
    throw new PawlError("INVALID_ARGUMENT", "Cannot receive: the source gave no async iterable");
  }

  /**
   * Pulls the next delivery.
   *
   * @returns `undefined` when the source has ended, or this was closed.
   * @throws What the source throws, or the ack of what was passed over.
   */
  async next(): Promise<ConnectorDelivery | undefined> {
    const { signal } = this.#closed;
    if (signal.aborted || !this.#iterator) return undefined;
    const pulled = Promise.resolve(this.#iterator.next());
    if (this.#skipped) await this.#ackWhenIdle(pulled);
    const result = await orAborted(pulled, signal);
    if (result && !result.done) return result.value;
    if (this.#skipped) await this.ack(this.#skipped);
    return undefined;
  }

  /** Passes over an event of another shard. */
  async skip(delivery: ConnectorDelivery): Promise<void> {
    if (!this.#acksCover) return await this.ack(delivery);
    this.#skipped = delivery;
    if (++this.#skippedCount >= skippedMax) await this.ack(delivery);
  }

  /** Acks an event, unless this was closed. */
  async ack(delivery: ConnectorDelivery): Promise<void> {
    const { signal } = this.#closed;
    if (signal.aborted) return;
    await orAborted(Promise.resolve(delivery.ack()), signal);
    this.#skipped = undefined;
    this.#skippedCount = 0;
  }

  /** Whether nothing more is received. */
  get isClosed(): boolean {
    return this.#closed.signal.aborted;
  }

  /** Ends the source, also while it is asked for more. */
  close(): void {
    if (this.isClosed) return;
    this.#closed.abort();
    closeIterator(this.#iterator);
  }

  /** One durable ack for many events: a source that has the next one at hand is asked for it first. */
  async #ackWhenIdle(pulled: Promise<unknown>): Promise<void> {
    let isSettled = false;
    const settled = () => isSettled = true;
    pulled.then(settled, settled);
    await new Promise<void>((resolve) => this.#clock.soon(resolve));
    if (!isSettled && this.#skipped) await this.ack(this.#skipped);
  }
}

function iteratorOf(source: unknown): AsyncIterator<ConnectorDelivery> | undefined {
  return (source as Partial<AsyncIterable<ConnectorDelivery>> | undefined)?.[Symbol.asyncIterator]?.();
}

/** Not waited for: a generator that hangs in an `await` ends only when that does. */
function closeIterator(iterator: AsyncIterator<unknown> | undefined): void {
  if (!iterator?.return) return;
  (async () => await iterator.return!())().catch(() => {});
}

/** Settles as the promise does, or with `undefined` when the signal is aborted; leaves nothing on the signal. */
function orAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value | undefined> {
  return new Promise((resolve, reject) => {
    const onAbort = () => resolve(undefined);
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
    if (signal.aborted) resolve(undefined);
  });
}
