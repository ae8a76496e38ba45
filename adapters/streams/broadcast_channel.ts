/**
 * Events between the tabs and workers of one origin, over the platform's BroadcastChannel.
 *
 * It keeps nothing: an event reaches the receivers that are open when it is sent, in every tab, and nobody later. Acks do
 * nothing, names mean nothing, and what a tab missed while it was closed or frozen is lost. It is for what a screen shows
 * now; what must not be lost goes through a streamer that keeps.
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

/** Options of {@linkcode broadcastStreamer}. */
export interface BroadcastStreamerOptions {
  /** Name of the channel: streamers of one name, in one origin, hear each other. Default `pawl`. */
  readonly name?: string;
  /** Events that a receiver may be behind before it ends with `LIMIT_EXCEEDED`. Default 16,384. */
  readonly waitingMax?: number;
  /** Default: the machine's clock. */
  readonly clock?: Clock;
}

/** A streamer over a channel, which is open until it is closed. */
export interface BroadcastStreamer extends EventStreamer {
  /** Closes the channel and ends all receivers. */
  close(): void;
}

/** What goes over the channel; the field tells it from what others say there. */
interface Message {
  readonly pawlEvents: string;
  readonly at: number;
  readonly texts: readonly EventText[];
}

/** Other programs of the same origin may use a channel of the same name. */
function isMessage(data: unknown): data is Message {
  const { pawlEvents, at, texts } = Object(data) as Partial<Record<keyof Message, unknown>>;
  return typeof pawlEvents === "string" && typeof at === "number" &&
    Array.isArray(texts) && texts.every((text) => typeof text === "string");
}

/**
 * A streamer between tabs.
 *
 * @param options Which channel.
 * @returns A streamer that keeps nothing. `close()` it when it is not needed any more.
 *
 * @example
 * ```ts
 * import { broadcastStreamer } from "pawl/adapters/streams/broadcast_channel";
 * const streamer = broadcastStreamer({ name: "my-app" });
 * const deliveries = await streamer.receive("parcels", "screen");
 * await streamer.send("parcels", [{ id: "1", key: "parcel-1", type: "sent" }]);
 * for await (const { event } of deliveries) {
 *   console.assert(event.type === "sent");
 *   break;
 * }
 * streamer.close();
 * ```
 */
export function broadcastStreamer(options: BroadcastStreamerOptions = {}): BroadcastStreamer {
  return new ChannelStreamer(options);
}

/** A receiver that is open, and what has come for it. */
interface Listener {
  readonly topic: string;
  waiting: { readonly at: number; readonly text: EventText }[];
  isOverrun: boolean;
  wake: (() => void) | undefined;
}

class ChannelStreamer implements BroadcastStreamer {
  readonly #channel: BroadcastChannel;
  readonly #clock: Clock;
  readonly #waitingMax: number;
  readonly #listeners = new Set<Listener>();
  readonly #closed = new AbortController();

  constructor({ name = "pawl", waitingMax = 16_384, clock = systemClock() }: BroadcastStreamerOptions) {
    this.#clock = clock;
    this.#waitingMax = waitingMax;
    this.#channel = new BroadcastChannel(name);
    this.#channel.onmessage = ({ data }: MessageEvent<Partial<Message> | null>) => {
      if (isMessage(data)) this.#heard(data);
    };
  }

  // deno-lint-ignore require-await
  async send(topic: string, events: readonly NewEvent[]): Promise<void> {
    const texts = encodeEvents(topic, events);
    this.#requireOpen("send");
    if (texts.length === 0) return;
    const message: Message = { pawlEvents: topic, at: this.#clock.now(), texts };
    this.#channel.postMessage(message);
    // A channel does not hear itself.
    this.#heard(message);
  }

  // deno-lint-ignore require-await
  async receive(topic: string, name: string, options: ReceiveOptions = {}): Promise<Deliveries> {
    checkReceive(topic, name, options);
    this.#requireOpen("receive");
    const listener: Listener = { topic, waiting: [], isOverrun: false, wake: undefined };
    this.#listeners.add(listener);
    return deliveriesOf(
      {
        take: () => this.#take(listener),
        listen: (wake) => {
          listener.wake = wake;
          return () => listener.wake = undefined;
        },
        ended: () => this.#listeners.delete(listener),
      },
      options.signal,
      this.#closed.signal,
    );
  }

  close(): void {
    this.#channel.close();
    this.#closed.abort();
  }

  #heard({ pawlEvents, at, texts }: Message): void {
    for (const listener of this.#listeners) {
      if (listener.topic !== pawlEvents) continue;
      if (listener.waiting.length + texts.length > this.#waitingMax) listener.isOverrun = true;
      if (!listener.isOverrun) { for (const text of texts) listener.waiting.push({ at, text }); }
      listener.wake?.();
    }
  }

  /** What came before the overrun is given first; then the receiver is told that it has lost something. */
  #take(listener: Listener): Delivery | undefined {
    const next = listener.waiting.shift();
    if (next) return { event: decodeEvent(listener.topic, next.at, next.text), ack: () => Promise.resolve() };
    if (!listener.isOverrun) return undefined;
    throw new PawlError(
      "LIMIT_EXCEEDED",
      `Cannot receive from "${listener.topic}": the receiver fell behind by more than ${this.#waitingMax} events; ` +
        `those after the last one given are lost to it; receive again, faster or with a larger waitingMax`,
    );
  }

  #requireOpen(verb: string): void {
    if (!this.#closed.signal.aborted) return;
    throw new PawlError("STORE_CLOSED", `Cannot ${verb}: the channel is closed`);
  }
}
