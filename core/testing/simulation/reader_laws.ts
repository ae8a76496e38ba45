import type { StreamEvent } from "../../ports/event_streamer.ts";
import type { World } from "./world.ts";

/** An event that was sent to a topic, or surely will have been. */
export interface SentEvent {
  readonly topic: string;
  readonly id: string;
  /** Events of one key come in order. */
  readonly key: string;
  /** Grows within a key. */
  readonly order: number;
  /** It was sent once more, so it may come at any time. */
  readonly isRepeated?: boolean;
  /** What is wrong with a delivery of it; `undefined`: nothing. */
  problemOf(event: StreamEvent): string | undefined;
}

/** A name that receives a topic. */
interface Name {
  readonly topic: string;
  readonly name: string;
  /** Whether all that is sent now must come. */
  isFixed: boolean;
  /** What has to come yet. */
  readonly missing: Set<string>;
  /** By key: the order of the last event that has come for the first time. */
  readonly last: Map<string, number>;
  readonly given: Set<string>;
  /** By id of an event: how many acks of the name had been acknowledged when one that covers it was. */
  readonly acked: Map<string, number>;
  acks: number;
}

/** One receiver of a name, as the code that uses it tells of it. */
export interface ReaderSession {
  /** `receive` has resolved. */
  opened(): void;
  /** It was given an event. */
  given(event: StreamEvent): void;
  /** Notes what an ack would cover now; call what it returns when the ack has been acknowledged. */
  acking(): () => void;
}

/** I8, as receivers see it: each event comes at least once, in order per key, and not again after an ack. */
export class ReaderLaws {
  readonly #world: World;
  readonly #sent = new Map<string, Map<string, SentEvent>>();
  readonly #names = new Map<string, Name[]>();

  constructor(world: World) {
    this.#world = world;
  }

  /** A name that will receive a topic, before anything is sent to it. */
  expect(topic: string, name: string, from: "start" | "latest"): void {
    const names = this.#names.get(topic) ?? [];
    this.#names.set(topic, [...names, {
      topic,
      name,
      isFixed: from === "start",
      missing: new Set(),
      last: new Map(),
      given: new Set(),
      acked: new Map(),
      acks: 0,
    }]);
  }

  /** An event may come from now on. */
  maySend(event: SentEvent): void {
    let sent = this.#sent.get(event.topic);
    if (!sent) this.#sent.set(event.topic, sent = new Map());
    sent.set(event.id, event);
  }

  /** An event must come to all names of its topic. */
  sent({ topic, id }: SentEvent): void {
    for (const name of this.#names.get(topic) ?? []) {
      if (name.isFixed && !name.given.has(id)) name.missing.add(id);
    }
  }

  /** An event was rightly removed before everybody has had it. */
  swept({ topic, id }: SentEvent): void {
    for (const { missing } of this.#names.get(topic) ?? []) missing.delete(id);
  }

  /** A cursor is about to be written. */
  moved(key: string, before: string | undefined, after: string): void {
    if (before === undefined) return;
    const places = placesOf(after);
    for (const [shard, [version, taken]] of placesOf(before)) {
      const [nextVersion, nextTaken] = places.get(shard) ?? [0, 0];
      this.#world.expect(
        nextVersion > version || (nextVersion === version && nextTaken >= taken),
        "I8",
        () => `${key} moves back from ${before} to ${after}`,
      );
    }
  }

  /** Whether everybody was given all that is theirs. */
  get areAtRest(): boolean {
    for (const names of this.#names.values()) {
      for (const { missing } of names) if (missing.size > 0) return false;
    }
    return true;
  }

  /** What has not come. */
  checkEnd(): void {
    for (const { topic, name, missing } of [...this.#names.values()].flat()) {
      this.#world.expect(
        missing.size === 0,
        "I8",
        () => `receiver "${name}" of "${topic}" was never given ${[...missing].join(", ")}`,
      );
    }
  }

  /** A receiver of a name is about to be opened. */
  session(topic: string, name: string): ReaderSession {
    const known = this.#names.get(topic)!.find((each) => each.name === name)!;
    const acksBefore = known.acks;
    const given: string[] = [];
    return {
      opened: () => known.isFixed = true,
      given: (event) => {
        given.push(event.id);
        this.#given(known, event, acksBefore);
      },
      acking: () => {
        const covered = given.length;
        return () => {
          known.acks++;
          for (const id of given.slice(0, covered)) {
            if (!known.acked.has(id)) known.acked.set(id, known.acks);
          }
        };
      },
    };
  }

  #given(name: Name, event: StreamEvent, acksBefore: number): void {
    const world = this.#world;
    const { id } = event;
    const about = () => `"${name.name}" of "${name.topic}" is given ${id}`;
    const sent = this.#sent.get(name.topic)?.get(id);
    const isKnown = world.expect(sent !== undefined, "I8", () => `${about()}, which nobody sent`);
    if (!isKnown || !sent) return;
    const problem = sent.problemOf(event);
    world.expect(problem === undefined, "I8", () => `${about()} with ${problem}`);
    const ackedAs = name.acked.get(id) ?? Infinity;
    world.expect(
      ackedAs > acksBefore || sent.isRepeated === true,
      "I8",
      () => `${about()}, which was acked before it was opened`,
    );
    if (name.given.has(id)) return;
    name.given.add(id);
    name.missing.delete(id);
    const last = name.last.get(sent.key) ?? 0;
    world.expect(sent.order > last, "I8", () => `${about()} after number ${last} of ${sent.key}`);
    name.last.set(sent.key, sent.order);
  }
}

/** By shard: the version that a cursor is behind, and the events that it has had of the next. */
function placesOf(text: string): ReadonlyMap<number, readonly [version: number, taken: number]> {
  const { places } = JSON.parse(text) as { readonly places: readonly [number, number, number][] };
  return new Map(places.map(([shard, version, taken]) => [shard, [version, taken]]));
}
