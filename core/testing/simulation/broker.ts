/**
 * A system outside: it keeps events by topic, and a cursor per name. It outlives every host, and does what arrives at once.
 *
 * @module
 */
import type { NewEvent } from "../../ports/event_streamer.ts";
import type { World } from "./world.ts";

/** An event that has arrived. */
export interface ArrivedEvent extends NewEvent {
  readonly topic: string;
  /** When, in virtual ms since the world began. */
  readonly at: number;
  /** Its place in the topic, from 0. */
  readonly position: number;
}

/** What a broker tells of, at the moment it happens. */
export interface BrokerWatcher {
  /** An event has arrived, maybe once more. */
  arrived?(event: ArrivedEvent): void;
  /** A name has acked; all before the position is done with. */
  acked?(topic: string, name: string, position: number): void;
}

interface Topic {
  readonly events: ArrivedEvent[];
  readonly cursors: Map<string, number>;
  readonly listeners: Set<() => void>;
}

/** One for all hosts of a world, each of which has a handle on it. */
export class Broker {
  readonly #world: World;
  readonly #topics = new Map<string, Topic>();
  readonly #watchers: BrokerWatcher[] = [];
  readonly #poison = new Map<string, boolean>();

  constructor(world: World) {
    this.#world = world;
  }

  /** Tells somebody of all that arrives from now on. */
  watch(watcher: BrokerWatcher): void {
    this.#watchers.push(watcher);
  }

  /** The events of a topic, in order of arrival. */
  eventsOf(topic: string): readonly ArrivedEvent[] {
    return this.#topic(topic).events;
  }

  /** Events arrive, in order. */
  append(topic: string, events: readonly NewEvent[]): void {
    const { events: kept, listeners } = this.#topic(topic);
    for (const event of events) {
      const arrived = { ...event, topic, at: this.#world.time, position: kept.length };
      kept.push(arrived);
      for (const watcher of this.#watchers) watcher.arrived?.(arrived);
    }
    if (events.length > 0) { for (const wake of [...listeners]) wake(); }
  }

  /** Whether it refuses an event: some it does for as long as the world has faults. */
  refuses({ id }: NewEvent): boolean {
    if (this.#world.calm) return false;
    let isPoison = this.#poison.get(id);
    if (isPoison === undefined) this.#poison.set(id, isPoison = this.#world.strikes("poison event"));
    return isPoison;
  }

  /** The place of a name, which is made when it is new. */
  open(topic: string, name: string, from: "start" | "latest"): number {
    const { cursors, events } = this.#topic(topic);
    if (!cursors.has(name)) cursors.set(name, from === "latest" ? events.length : 0);
    return cursors.get(name)!;
  }

  /** The place of a name that was opened. */
  cursorOf(topic: string, name: string): number {
    return this.#topic(topic).cursors.get(name) ?? 0;
  }

  /** Moves a name on to a position, never back. */
  ack(topic: string, name: string, position: number): void {
    const { cursors } = this.#topic(topic);
    if (position <= this.cursorOf(topic, name)) return;
    cursors.set(name, position);
    for (const watcher of this.#watchers) watcher.acked?.(topic, name, position);
  }

  /** Calls back when something has arrived in a topic. */
  listen(topic: string, wake: () => void): () => void {
    const { listeners } = this.#topic(topic);
    listeners.add(wake);
    return () => listeners.delete(wake);
  }

  #topic(name: string): Topic {
    let topic = this.#topics.get(name);
    if (!topic) this.#topics.set(name, topic = { events: [], cursors: new Map(), listeners: new Set() });
    return topic;
  }
}
