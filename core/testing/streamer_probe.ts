import type {
  Deliveries,
  Delivery,
  EventStreamer,
  NewEvent,
  ReceiveOptions,
} from "../ports/event_streamer.ts";
import { same } from "./check.ts";

/** What one case has to work with. */
export interface StreamerLab {
  /** A streamer without events. */
  readonly streamer: EventStreamer;
  /** Ends the streamer and opens another on the same events; absent where they end with it. */
  readonly reopen?: () => Promise<EventStreamer>;
}

/** A rule as an experiment. */
export interface StreamerCase {
  /** A sentence about the streamer. */
  readonly name: string;
  /** What the streamer must do for the case to mean anything. */
  readonly needs?: "keeps" | "reopen";
  /** Rejects when the rule is broken. */
  readonly run: (lab: StreamerLab) => Promise<void>;
}

/** An event about a key; its id is unique as long as `n` is. */
export function event(n: number, key = "k"): NewEvent {
  return { id: `${key}-${n}`, key, type: "counted", data: { n } };
}

/** Events with the numbers from `first` on. */
export function events(count: number, first = 0, key = "k"): NewEvent[] {
  return Array.from({ length: count }, (_, index) => event(first + index, key));
}

/** An open receiver in the hands of a case. */
export class Tap {
  readonly #iterator: AsyncIterator<Delivery>;

  /**
   * @param deliveries What `receive` gave.
   */
  constructor(deliveries: Deliveries) {
    this.#iterator = deliveries[Symbol.asyncIterator]();
  }

  /** The next delivery; a case that waits for one that never comes is seen by the test runner. */
  async next(): Promise<Delivery> {
    const { done, value } = await this.#iterator.next();
    if (done) throw new Error("the receiver ended although an event was to come");
    return value;
  }

  /** The next deliveries. */
  async take(count: number): Promise<Delivery[]> {
    const taken: Delivery[] = [];
    while (taken.length < count) taken.push(await this.next());
    return taken;
  }

  /** The ids of the next events. */
  async ids(count: number): Promise<string[]> {
    return (await this.take(count)).map((delivery) => delivery.event.id);
  }

  /** Ends the receiver. */
  async end(): Promise<void> {
    await this.#iterator.return?.();
  }

  /** What the iterator itself answers. */
  result(): Promise<IteratorResult<Delivery, unknown>> {
    return this.#iterator.next();
  }
}

/** Opens a receiver. */
export async function tap(
  streamer: EventStreamer,
  topic: string,
  name: string,
  options?: ReceiveOptions,
): Promise<Tap> {
  return new Tap(await streamer.receive(topic, name, options));
}

/**
 * Asserts that a name is given exactly these events next. A last event is sent for that, so that no time need go by to
 * see that nothing else comes.
 */
export async function givenNext(
  streamer: EventStreamer,
  topic: string,
  name: string,
  wanted: readonly string[],
): Promise<void> {
  const receiver = await tap(streamer, topic, name);
  const last = event(0, `last of ${name} ${wanted.join(" ")}`);
  await streamer.send(topic, [last]);
  const seen: string[] = [];
  for (let id = ""; id !== last.id; seen.push(id)) id = (await receiver.next()).event.id;
  await receiver.end();
  same(seen, [...wanted, last.id], `events that "${name}" is given`);
}
