import type { NewEvent, StreamEvent } from "../../ports/event_streamer.ts";
import type { Node } from "./fleet.ts";
import type { Stage } from "./life.ts";
import type { SentEvent } from "./reader_laws.ts";

/**
 * Somebody who sends to a topic of `engine.streams`, one piece after another: each until it is acknowledged, from whatever
 * host is alive.
 */
export class StreamSender {
  readonly #stage: Stage;
  readonly #topic: string;
  readonly #pieces: (readonly NewEvent[])[] = [];
  readonly #orders = new Map<string, number>();
  #sent: readonly (SentEvent & { isRepeated: boolean })[] = [];

  /**
   * @param stage Where.
   * @param topic Where to; nobody else sends to it.
   */
  constructor(stage: Stage, topic: string) {
    this.#stage = stage;
    this.#topic = topic;
  }

  /** Whether all has been acknowledged. */
  get isAtRest(): boolean {
    return this.#pieces.length === 0;
  }

  /** Sends events together, when those before them have been. */
  send(events: readonly NewEvent[]): void {
    this.#pieces.push(events);
    if (this.#pieces.length === 1) this.#begin(events);
  }

  #begin(events: readonly NewEvent[]): void {
    const { readers } = this.#stage.laws.streams;
    this.#sent = events.map((event) => this.#owed(event));
    for (const each of this.#sent) readers.maySend(each);
    this.#try(events);
  }

  #try(events: readonly NewEvent[]): void {
    const { world, fleet } = this.#stage;
    const later = () => world.schedule(world.between(10, 300), () => this.#try(events));
    if (fleet.alive.length === 0) return later();
    const again = () => {
      for (const each of this.#sent) each.isRepeated = true;
      later();
    };
    const node = world.pick(fleet.alive);
    let isOver = false;
    const once = (act: () => void) => () => {
      if (!isOver) act();
      isOver = true;
    };
    node.host.onCrash(once(again));
    this.#sendOn(node, events).then(once(() => this.#acknowledged()), once(again));
  }

  async #sendOn({ host, engine }: Node, events: readonly NewEvent[]): Promise<void> {
    this.#stage.world.log(`${host.name} sends ${events.map(({ id }) => id)} to "${this.#topic}"`);
    await engine.streams.send(this.#topic, events);
  }

  #acknowledged(): void {
    const { readers } = this.#stage.laws.streams;
    for (const each of this.#sent) readers.sent(each);
    this.#pieces.shift();
    if (this.#pieces.length > 0) this.#begin(this.#pieces[0]!);
  }

  #owed({ id, key, type, data }: NewEvent): SentEvent & { isRepeated: boolean } {
    const order = (this.#orders.get(key) ?? 0) + 1;
    this.#orders.set(key, order);
    const wanted = JSON.stringify({ id, key, type, data });
    const problemOf = (event: StreamEvent) => {
      const seen = JSON.stringify({ id: event.id, key: event.key, type: event.type, data: event.data });
      return seen === wanted ? undefined : `${seen}, want ${wanted}`;
    };
    return { topic: this.#topic, id, key, order, isRepeated: false, problemOf };
  }
}
