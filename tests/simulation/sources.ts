/**
 * A connector on one of the machines of a world: the world outside sends it events, and it hands them to runs.
 *
 * @module
 */
import { Broker } from "../../core/testing/simulation/broker.ts";
import type { NewEvent, StreamEvent } from "../../core/ports/event_streamer.ts";
import { Dice } from "../../core/testing/simulation/dice.ts";
import type { Host } from "../../core/testing/simulation/host.ts";
import type { Stage } from "../../core/testing/simulation/life.ts";
import { SimulatedStreamer } from "../../core/testing/simulation/simulated_streamer.ts";
import { StreamSender } from "../../core/testing/simulation/stream_sender.ts";
import type { World } from "../../core/testing/simulation/world.ts";
import type { ConnectorVerbs, Program, ProgramConnector } from "../programs/program.ts";
import type { Mark, Trail } from "./machines.ts";

/** What a seed decides about it. */
export interface SourcePlan {
  /** Whose connector it is. */
  readonly program: string;
  /** Where its events come from: a broker outside, or `engine.streams`. */
  readonly on: "broker" | "engine";
  readonly shards: number;
  readonly lagMs: number;
  /** 0: never. */
  readonly parkAfterErrors: number;
  /** 0: none. */
  readonly timeoutMs: number;
  readonly tripMsMax: number;
  /** When the world outside sends something, in virtual ms, and the seed that decides what. */
  readonly sendings: readonly { readonly at: number; readonly seed: number }[];
}

/** What comes with an event: where a run is called back; absent: one is triggered. */
interface Told {
  readonly status?: string;
}

const name = "ear";
const topic = "calls from outside";

/** The default of a connector whose source is no `engine.streams`. */
const parkedTopicOf = (program: Program) => `parked.${program.name}.${name}`;

/** Draws it; only events that are kept for long may come from `engine.streams`. */
export function drawSource(dice: Dice, programs: readonly Program[], areKept: boolean): SourcePlan {
  return {
    program: dice.pick(programs).name,
    on: dice.chance(0.3) && areKept ? "engine" : "broker",
    shards: dice.pick([1, 2, 3]),
    lagMs: dice.pick([0, 0, 80]),
    parkAfterErrors: dice.pick([0, 0, 1, 3]),
    timeoutMs: dice.pick([0, 0, 500]),
    tripMsMax: dice.pick([1, 10, 60]),
    sendings: Array.from({ length: dice.pick([2, 4, 6]) }, () => ({
      at: dice.between(0, 4_500),
      seed: dice.seed(),
    })),
  };
}

/** It, in one world. */
export class Source {
  readonly #world: World;
  readonly #plan: SourcePlan;
  readonly #program: Program;
  readonly #broker: Broker;
  /** Which runs events have made. */
  readonly #made = new Map<string, Set<string>>();
  #stage: Stage | undefined;
  #sender: StreamSender | undefined;
  readonly #sent: NewEvent[] = [];

  constructor(world: World, plan: SourcePlan, programs: readonly Program[]) {
    this.#world = world;
    this.#plan = plan;
    this.#program = programs.find((program) => program.name === plan.program)!;
    this.#broker = new Broker(world);
  }

  /** Whether all that was to be sent has arrived. */
  get isAtRest(): boolean {
    return this.#sender?.isAtRest ?? true;
  }

  /** The connector as the machine of a host has it. */
  connectorOf(host: Host, program: Program): ProgramConnector | undefined {
    if (program.name !== this.#plan.program) return undefined;
    const { shards, lagMs, parkAfterErrors, timeoutMs, tripMsMax } = this.#plan;
    const world = this.#world;
    const streamer = new SimulatedStreamer({ world, host, broker: this.#broker, tripMsMax });
    const isOutside = this.#plan.on === "broker";
    return {
      name,
      source: { stream: topic, ...(isOutside && { streamer }) },
      handler: (verbs, event) => this.#handle(host, verbs, event),
      options: {
        shards,
        lag: lagMs,
        retry: { initial: 20, max: 300 },
        parkAfterErrors,
        quiet: 50,
        ...(!isOutside && { parkTo: { stream: parkedTopicOf(program), streamer } }),
        ...(timeoutMs > 0 && { timeout: timeoutMs }),
      },
    };
  }

  /** The world begins. */
  begin(stage: Stage): void {
    this.#stage = stage;
    const { program: definition, sendings } = this.#plan;
    const parkedTopic = parkedTopicOf(this.#program);
    const place = { definition, connector: name, broker: this.#broker, topic, parkedTopic };
    const tell = stage.laws.connectors.expect(place);
    if (this.#plan.on === "engine") {
      const sender = new StreamSender(stage, topic);
      this.#put = (events) => {
        events.forEach(tell);
        sender.send(events);
      };
      this.#sender = sender;
    }
    for (const { at, seed } of sendings) this.#world.schedule(at, () => this.#send(new Dice(seed)));
  }

  #put = (events: readonly NewEvent[]): void => this.#broker.append(topic, events);

  /** Some events at once, and now and then one that was sent before. */
  #send(dice: Dice): void {
    const { graph } = this.#program;
    const open = Object.keys(graph).filter((status) => graph[status]!.callbacks !== undefined);
    const events: NewEvent[] = Array.from({ length: dice.pick([1, 1, 2, 3]) }, () => {
      const data: Told = open.length > 0 && dice.chance(0.6) ? { status: dice.pick(open) } : {};
      const event = { id: `e${this.#sent.length}`, key: dice.pick(["k1", "k2", "k3"]), type: "call", data };
      this.#sent.push(event);
      return event;
    });
    if (dice.chance(0.2) && this.#plan.on === "broker") events.push(dice.pick(this.#sent));
    this.#put(events);
  }

  async #handle(host: Host, verbs: ConnectorVerbs, event: StreamEvent): Promise<void> {
    const world = this.#world;
    if (world.chance(0.3)) await host.sleep(world.between(0, world.calm ? 20 : 300));
    if (world.fault("connector throws", 0.2)) throw new Error("the handler is not in the mood");
    try {
      await this.#handOn(verbs, event);
    } catch (error) {
      const { code } = error as { readonly code?: unknown };
      const isAnswer = code === "RUN_IN_PROGRESS" || code === "RUN_NOT_FOUND";
      // What may be so for long; a handler that insists would wait for operators.
      if (!isAnswer || (!world.calm && world.chance(0.3))) throw error;
    }
    if (world.fault("connector throws late", 0.1)) throw new Error("the handler throws after its work");
  }

  async #handOn(verbs: ConnectorVerbs, { id, key, data }: StreamEvent): Promise<void> {
    const { status } = data as Told;
    if (status !== undefined) {
      const payload: Mark = { mark: `call/${id}/${status}` };
      await verbs.callback(key, status, payload, { idempotencyKey: id });
      return;
    }
    const secret = `secret-${this.#plan.program}-${key}-${id}.`;
    const given: Trail = { token: id, secret, landed: [] };
    const { runId } = await verbs.trigger(key, { data: given, idempotencyKey: id });
    const made = this.#made.get(id);
    if (made) made.add(runId);
    else this.#made.set(id, new Set([runId]));
  }

  /** The idempotency key of an event is kept as long as its run, which it makes once. */
  checkEnd(): void {
    const { removed } = this.#stage!.laws.disposal;
    for (const [id, runIds] of this.#made) {
      const kept = [...runIds].filter((runId) => !removed.has(runId));
      this.#world.expect(kept.length <= 1, "connector", () => `event ${id} made runs ${kept.join(" and ")}`);
    }
  }
}
