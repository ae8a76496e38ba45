/**
 * A broker as one host sees it: over a network that delays, loses, repeats, and delivers late.
 *
 * @module
 */
import { deliveriesOf, type DeliverySource } from "../../ports/deliveries.ts";
import type {
  Deliveries,
  Delivery,
  EventStreamer,
  NewEvent,
  ReceiveOptions,
} from "../../ports/event_streamer.ts";
import { checkReceive, encodeEvents } from "../../ports/event_text.ts";
import type { ArrivedEvent, Broker } from "./broker.ts";
import type { FaultName } from "./faults.ts";
import type { Host } from "./host.ts";
import type { World } from "./world.ts";

/** Latest arrival of a late send, and trips of slow deliveries. */
const lateMsMax = 500;
const slowMs = { low: 100, high: 2_000 };

/** How a host is connected with a broker. */
export interface SimulatedStreamerOptions {
  readonly world: World;
  readonly host: Host;
  readonly broker: Broker;
  /** Longest usual trip. */
  readonly tripMsMax: number;
  /** Who sends gives up what is never answered; default false: then all is answered. */
  readonly sendsTimeOut?: boolean;
}

/** One host's handle on a broker. */
export class SimulatedStreamer implements EventStreamer {
  readonly #options: SimulatedStreamerOptions;

  constructor(options: SimulatedStreamerOptions) {
    this.#options = options;
  }

  send(topic: string, events: readonly NewEvent[]): Promise<void> {
    return this.#request(() => {
      const { world, broker } = this.#options;
      encodeEvents(topic, events);
      if (this.#strikes("failed send", topic)) throw new Error("the broker is away");
      if (this.#options.sendsTimeOut && this.#strikes("hanging send", topic)) {
        if (world.chance(0.5)) this.#append(topic, events);
        return new Promise<void>(() => {});
      }
      if (this.#strikes("partial send", topic)) {
        broker.append(topic, events.slice(0, Math.floor(world.between(0, events.length))));
        throw new Error("the connection broke");
      }
      if (this.#strikes("late send", topic)) {
        world.schedule(world.between(1, lateMsMax), () => this.#append(topic, events));
        throw new Error("the answer is late, and so is the request");
      }
      const refused = this.#append(topic, events);
      if (refused) throw new Error(`the broker refuses ${refused.id}`);
      if (this.#strikes("lost send reply", topic)) throw new Error("the answer was lost");
    });
  }

  async receive(topic: string, name: string, options: ReceiveOptions = {}): Promise<Deliveries> {
    checkReceive(topic, name, options);
    const { broker } = this.#options;
    const position = await this.#request(() => {
      if (this.#strikes("failed delivery", topic)) throw new Error("the broker opens no receiver");
      return broker.open(topic, name, options.from ?? "start");
    });
    return deliveriesOf(this.#sourceOf(topic, name, position), options.signal);
  }

  #sourceOf(topic: string, name: string, first: number): DeliverySource {
    const { world, host, broker } = this.#options;
    let position = first;
    return {
      take: () => {
        if (position >= broker.eventsOf(topic).length) return undefined;
        const isSlow = this.#strikes("slow delivery", topic);
        return this.#trip(isSlow ? world.between(slowMs.low, slowMs.high) : undefined).then(() => {
          if (this.#strikes("failed delivery", topic)) throw new Error("the receiver was cut off");
          if (this.#strikes("repeated delivery", topic)) {
            position = Math.floor(world.between(broker.cursorOf(topic, name), position));
          }
          return this.#deliveryOf(name, broker.eventsOf(topic)[position++]!);
        });
      },
      listen: (wake) => broker.listen(topic, () => host.later(this.#tripMs(), wake)),
    };
  }

  #deliveryOf(name: string, arrived: ArrivedEvent): Delivery {
    const { broker } = this.#options;
    const { topic, position, at, ...event } = arrived;
    return {
      event: { ...event, topic, at: new Date(timeOf(at)) },
      ack: () =>
        this.#request(() => {
          const isFailing = this.#strikes("failed ack", topic);
          if (isFailing && this.#options.world.chance(0.5)) throw new Error("the ack was lost");
          broker.ack(topic, name, position + 1);
          if (isFailing) throw new Error("the answer to the ack was lost");
        }),
    };
  }

  /** Up to the first event that is refused, which is returned. */
  #append(topic: string, events: readonly NewEvent[]): NewEvent | undefined {
    const { broker } = this.#options;
    const bad = events.findIndex((event) => broker.refuses(event));
    broker.append(topic, bad < 0 ? events : events.slice(0, bad));
    return bad < 0 ? undefined : events[bad];
  }

  /** Goes there, does something, and comes back, unless the host has died. */
  #request<Answer>(act: () => Answer | Promise<Answer>): Promise<Answer> {
    const { world, host } = this.#options;
    return new Promise((resolve, reject) => {
      // What dead code asks for, nobody hears.
      if (!host.alive) return;
      const answer = (settle: () => void) => host.later(this.#tripMs(), settle);
      world.schedule(this.#tripMs(), () => {
        // A request of a machine that has died meanwhile may still have been on the wire.
        if (!host.alive && world.chance(0.5)) return;
        try {
          const answered = act();
          answer(() => resolve(answered));
        } catch (error) {
          answer(() => reject(error));
        }
      });
    });
  }

  #trip(ms: number = this.#tripMs()): Promise<void> {
    return new Promise((resolve) => this.#options.host.later(ms, resolve));
  }

  #tripMs(): number {
    return this.#options.world.between(0, this.#options.tripMsMax);
  }

  #strikes(name: FaultName, topic: string): boolean {
    const { world, host } = this.#options;
    const isStruck = world.strikes(name);
    if (isStruck) world.log(`${host.name}: ${name} (${topic})`);
    return isStruck;
  }
}

/** What the wall clock of the outside world shows. */
function timeOf(worldMs: number): number {
  return 1_700_000_000_000 + Math.floor(worldMs);
}
