/**
 * Events in this process's memory: for tests, and for parts of one program.
 *
 * @module
 */
import { PawlError } from "../../core/errors.ts";
import { type Clock, systemClock } from "../../core/ports/clock.ts";
import { deliveriesOf } from "../../core/ports/deliveries.ts";
import type {
  Deliveries,
  Delivery,
  EventStreamer,
  NewEvent,
  ReceiveOptions,
} from "../../core/ports/event_streamer.ts";
import { checkReceive, decodeEvent, encodeEvents, type EventText } from "../../core/ports/event_text.ts";

/** Options of {@linkcode memoryStreamer}. */
export interface MemoryStreamerOptions {
  /** Default: the machine's clock. */
  readonly clock?: Clock;
  /** Events kept of each topic; beyond them the oldest are dropped, received or not. Default 100,000. */
  readonly keepMax?: number;
}

/**
 * A streamer in this process's memory.
 *
 * @param options How much it keeps.
 * @returns A streamer; its events and cursors are gone when it is.
 * @throws {PawlError} `INVALID_ARGUMENT` when `keepMax` is no whole number above 0.
 *
 * @example
 * ```ts
 * import { memoryStreamer } from "pawl/adapters/streams/memory";
 * const streamer = memoryStreamer();
 * await streamer.send("parcels", [{ id: "1", key: "parcel-1", type: "sent" }]);
 * for await (const { event, ack } of await streamer.receive("parcels", "mailer")) {
 *   console.assert(event.type === "sent");
 *   await ack();
 *   break;
 * }
 * ```
 */
export function memoryStreamer(options: MemoryStreamerOptions = {}): EventStreamer {
  const { clock = systemClock(), keepMax = 100_000 } = options;
  if (!Number.isInteger(keepMax) || keepMax < 1) {
    throw new PawlError("INVALID_ARGUMENT", `Cannot open streamer: got keepMax ${keepMax}, want 1 or more`);
  }
  return new MemoryStreamer(clock, keepMax);
}

class MemoryTopic {
  /** Position of the first event that is kept; positions count up from 0. */
  first = 0;
  events: { readonly at: number; readonly text: EventText }[] = [];
  /** By name: the position of the first event that is not acked. */
  readonly cursors = new Map<string, number>();
  readonly listeners = new Set<() => void>();

  get end(): number {
    return this.first + this.events.length;
  }
}

class MemoryStreamer implements EventStreamer {
  readonly #clock: Clock;
  readonly #keepMax: number;
  readonly #topics = new Map<string, MemoryTopic>();

  constructor(clock: Clock, keepMax: number) {
    this.#clock = clock;
    this.#keepMax = keepMax;
  }

  // deno-lint-ignore require-await
  async send(name: string, events: readonly NewEvent[]): Promise<void> {
    const texts = encodeEvents(name, events);
    const topic = this.#topic(name);
    const at = this.#clock.now();
    for (const text of texts) topic.events.push({ at, text });
    const surplus = topic.events.length - this.#keepMax;
    // Dropped by the eighth, so that a full topic is not copied for each event.
    if (surplus > 0) {
      const dropped = Math.min(topic.events.length - 1, surplus + (this.#keepMax >> 3));
      topic.events = topic.events.slice(dropped);
      topic.first += dropped;
    }
    for (const wake of [...topic.listeners]) wake();
  }

  // deno-lint-ignore require-await
  async receive(name: string, receiver: string, options: ReceiveOptions = {}): Promise<Deliveries> {
    checkReceive(name, receiver, options);
    const topic = this.#topic(name);
    const isKnown = topic.cursors.has(receiver);
    if (!isKnown) topic.cursors.set(receiver, options.from === "latest" ? topic.end : topic.first);
    let position = topic.cursors.get(receiver)!;
    const take = (): Delivery | undefined => {
      position = Math.max(position, topic.first);
      const kept = topic.events[position - topic.first];
      if (!kept) return undefined;
      const after = ++position;
      return { event: decodeEvent(name, kept.at, kept.text), ack: () => this.#ack(topic, receiver, after) };
    };
    const listen = (wake: () => void) => {
      topic.listeners.add(wake);
      return () => topic.listeners.delete(wake);
    };
    return deliveriesOf({ take, listen }, options.signal);
  }

  // deno-lint-ignore require-await
  async #ack(topic: MemoryTopic, receiver: string, after: number): Promise<void> {
    topic.cursors.set(receiver, Math.max(after, topic.cursors.get(receiver)!));
  }

  #topic(name: string): MemoryTopic {
    const topic = this.#topics.get(name) ?? new MemoryTopic();
    this.#topics.set(name, topic);
    return topic;
  }
}
