/**
 * Each event from outside is handled to its end at least once, or parked where that is declared; events of one key in
 * order; and none is acked before that.
 *
 * @module
 */
import { type Connector, type ConnectorEvent, connectorShardOf } from "../../engine/connector.ts";
import { connectorProcess } from "../../engine/process_names.ts";
import type { NewEvent } from "../../ports/event_streamer.ts";
import type { ArrivedEvent, Broker } from "./broker.ts";
import type { Host } from "./host.ts";
import type { LawOptions } from "./laws.ts";
import type { World } from "./world.ts";

/** A connector, and where its events come from. */
export interface ConnectorPlace {
  readonly definition: string;
  readonly connector: string;
  /** Where its events come from, unless somebody else tells of them; and where parked ones go. */
  readonly broker: Broker;
  readonly topic: string;
  readonly parkedTopic: string;
}

type SentIn = Pick<NewEvent, "id" | "key">;

/** An event that a connector is owed. */
interface Owed {
  readonly id: string;
  /** Events of its key that were sent before it. */
  readonly before: readonly Owed[];
  readonly shard: number;
  starts: number;
  isDone: boolean;
}

interface Watched extends ConnectorPlace {
  readonly of: Connector;
  readonly owed: Map<string, Owed>;
  /** By place in the topic; an event may have been sent twice. */
  readonly order: Owed[];
  readonly ofKeys: Map<string, Owed[]>;
}

/** The user code of a connector is about to run, or has come to its end. */
export interface ConnectorCode {
  readonly definition: string;
  readonly name: string;
  readonly event: ConnectorEvent;
}

export class ConnectorLaws {
  readonly #world: World;
  readonly #options: LawOptions;
  readonly #watched: Watched[] = [];

  constructor(world: World, options: LawOptions) {
    this.#world = world;
    this.#options = options;
  }

  /**
   * A connector of all engines of this world.
   *
   * @returns Tells of events that come from elsewhere, in order.
   */
  expect(place: ConnectorPlace): (event: SentIn) => void {
    const { connectors = [] } = this.#options.behaviours.get(place.definition)!;
    const of = connectors.find(({ name }) => name === place.connector)!;
    const watched = { ...place, of, owed: new Map(), order: [], ofKeys: new Map() };
    this.#watched.push(watched);
    place.broker.watch({
      arrived: (event) => this.#arrived(watched, event),
      acked: (topic, name, position) => topic === place.topic && this.#acked(watched, name, position),
    });
    return (event) => this.#sent(watched, event);
  }

  /** Whether all events have been handled, or parked. */
  get areAtRest(): boolean {
    return this.#watched.every(({ order }) => order.every(({ isDone }) => isDone));
  }

  /** What was not. */
  checkEnd(): void {
    for (const { owed, connector } of this.#watched) {
      for (const { id, isDone } of owed.values()) {
        this.#world.expect(
          isDone,
          "connector",
          () => `event ${id} was never handled by connector "${connector}"`,
        );
      }
    }
  }

  /** A handler begins. */
  started(host: Host, code: ConnectorCode): void {
    const world = this.#world;
    const { id } = code.event;
    world.log(`${host.name} handles event ${id} of connector "${code.name}"`);
    const owed = this.#owedOf(code);
    const isKnown = world.expect(
      owed !== undefined,
      "connector",
      () => `event ${id} is handled, and was not sent`,
    );
    if (!isKnown || !owed) return;
    owed.starts++;
    for (const { id: before, isDone } of owed.before) {
      world.expect(isDone, "connector", () => `event ${id} is handled before event ${before} of its key was`);
    }
  }

  /** A handler has come to its end without an error. */
  ended(code: ConnectorCode): void {
    const owed = this.#owedOf(code);
    if (owed) owed.isDone = true;
  }

  #owedOf({ definition, name, event }: ConnectorCode): Owed | undefined {
    const found = this.#watched.find((each) => each.definition === definition && each.connector === name);
    return found?.owed.get(event.id);
  }

  #arrived(watched: Watched, event: ArrivedEvent): void {
    if (event.topic === watched.parkedTopic) this.#parked(watched, event.id, event.data);
    else if (event.topic === watched.topic) this.#sent(watched, event);
  }

  #sent(watched: Watched, { id, key }: SentIn): void {
    let owed = watched.owed.get(id);
    if (!owed) {
      let ofKey = watched.ofKeys.get(key);
      if (!ofKey) watched.ofKeys.set(key, ofKey = []);
      const shard = connectorShardOf({ id, key }, watched.of.shards);
      owed = { id, before: [...ofKey], shard, starts: 0, isDone: false };
      ofKey.push(owed);
      watched.owed.set(id, owed);
    }
    watched.order.push(owed);
  }

  #parked({ of, owed }: Watched, id: string, data: unknown): void {
    const { pauseAfterErrors } = of.policy;
    const known = owed.get(id);
    const isDue = pauseAfterErrors > 0 && known !== undefined && known.starts >= pauseAfterErrors;
    this.#world.expect(
      isDue,
      "connector",
      () => `event ${id} is parked after ${known?.starts} attempts, want ${pauseAfterErrors}`,
    );
    const { event } = data as { readonly event: ConnectorEvent };
    this.#world.expect(event.id === id, "connector", () => `event ${id} is parked as ${event.id}`);
    if (known) known.isDone = true;
  }

  #acked({ of, definition, order }: Watched, name: string, position: number): void {
    const shard = Array.from({ length: of.shards }, (_, index) => index)
      .find((index) => connectorProcess(of.name, definition, index + 1, of.shards) === name);
    this.#world.expect(shard !== undefined, "connector", () => `"${name}" acks, which is no shard`);
    for (const owed of order.slice(0, position)) {
      this.#world.expect(
        owed.shard !== shard || owed.isDone,
        "connector",
        () => `event ${owed.id} is acked by "${name}" before it was handled`,
      );
    }
  }
}
