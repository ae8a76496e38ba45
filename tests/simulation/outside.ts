/**
 * What is around the engines of a world: the broker that they relay to, who receives their streams, and the source of a
 * connector.
 *
 * @module
 */
import { deleteTopic, runStateTopic, statusTopic } from "../../core/parts/stream_topics.ts";
import { Broker } from "../../core/testing/simulation/broker.ts";
import { Dice } from "../../core/testing/simulation/dice.ts";
import type { SimulatedEngineOptions } from "../../core/testing/simulation/fleet.ts";
import type { Host } from "../../core/testing/simulation/host.ts";
import type { RunChange } from "../../core/testing/simulation/laws.ts";
import type { Stage } from "../../core/testing/simulation/life.ts";
import { SimulatedStreamer } from "../../core/testing/simulation/simulated_streamer.ts";
import { type ReaderPlan, StreamReaders } from "../../core/testing/simulation/stream_readers.ts";
import { StreamSender } from "../../core/testing/simulation/stream_sender.ts";
import type { World } from "../../core/testing/simulation/world.ts";
import { leadsTo, type Program, type ProgramConnector, statusesOf } from "../programs/program.ts";
import { codecOf } from "./sealing.ts";
import { drawSource, Source, type SourcePlan } from "./sources.ts";

/** A topic of users. */
interface NewsPlan {
  /** What is sent when: an event of each key, together. */
  readonly sendings: readonly { readonly at: number; readonly keys: readonly string[] }[];
  /** How often its receiver acks. */
  readonly acks: number;
}

/** What a seed decides about it. */
export interface OutsidePlan {
  /** How events are relayed; absent: nowhere. */
  readonly relay?: { readonly batch: number; readonly retryMsMax: number; readonly tripMsMax: number };
  readonly readers: readonly ReaderPlan[];
  /** The connector of one machine; absent: none has one. */
  readonly source?: SourcePlan;
  /** Events of users in `engine.streams`; absent: none. */
  readonly news?: NewsPlan;
  /** A codec seals the data of runs. */
  readonly seals: boolean;
  /** Absent: a week. */
  readonly keepEventsMs?: number;
}

/** Draws it; many worlds have nothing outside. */
export function drawOutside(seed: number, programs: readonly Program[]): OutsidePlan {
  const dice = new Dice(seed ^ 0x5eed);
  const keepEventsMs = dice.chance(0.2) ? dice.pick([1_000, 2_500]) : undefined;
  const areKept = keepEventsMs === undefined;
  const source = dice.chance(0.22) ? drawSource(dice, programs, areKept) : undefined;
  const news = dice.chance(0.12) && areKept ? drawNews(dice) : undefined;
  const around = {
    ...(source && { source }),
    ...(news && { news }),
    ...(!areKept && { keepEventsMs }),
    seals: dice.chance(0.2),
  };
  const streamed = programs.filter(({ stream }) => stream);
  if (streamed.length === 0) return { ...around, readers: [] };
  const hasReaders = dice.chance(0.4);
  return {
    ...around,
    ...(dice.chance(0.5) && {
      relay: {
        batch: dice.pick([1, 2, 3, 20]),
        retryMsMax: dice.pick([40, 400]),
        tripMsMax: dice.pick([1, 10, 60]),
      },
    }),
    readers: hasReaders
      ? dice.pick([[0], [0, 1], [0, 1, 2]]).map((at) => drawReader(dice, streamed, at))
      : [],
  };
}

function drawNews(dice: Dice): NewsPlan {
  const sendings = Array.from({ length: dice.pick([3, 8]) }, () => ({
    at: dice.between(0, 4_500),
    keys: dice.pick([["n1"], ["n1", "n2"], ["n1", "n1", "n2", "n1", "n3", "n2"]]),
  }));
  return { sendings, acks: dice.pick([0.2, 0.6]) };
}

function drawReader(dice: Dice, streamed: readonly Program[], index: number): ReaderPlan {
  const { name, graph } = dice.pick(streamed);
  const open = statusesOf(graph).filter((status) => leadsTo(graph, status).length > 0);
  const topics = [statusTopic(name, dice.pick(open)), statusTopic(name, dice.pick(open))];
  return {
    topic: dice.pick([...topics, runStateTopic(name), runStateTopic(name), deleteTopic(name)]),
    name: `reader${index}`,
    from: dice.chance(0.8) ? "start" : "latest",
    acks: dice.pick([0.2, 0.6, 1]),
  };
}

/** It, in one world. */
export class Outside {
  readonly #world: World;
  readonly #plan: OutsidePlan;
  readonly #broker: Broker;
  readonly #source: Source | undefined;
  #sender: StreamSender | undefined;

  constructor(world: World, plan: OutsidePlan, programs: readonly Program[]) {
    this.#world = world;
    this.#plan = plan;
    this.#broker = new Broker(world);
    this.#source = plan.source && new Source(world, plan.source, programs);
  }

  /** The connector of a program on a host, if it has one. */
  connectorOf(host: Host, program: Program): ProgramConnector | undefined {
    return this.#source?.connectorOf(host, program);
  }

  /** What the engine of a host is given. */
  engineOptionsOf(host: Host): SimulatedEngineOptions {
    const { relay, seals, keepEventsMs } = this.#plan;
    const world = this.#world;
    return {
      ...(seals && { codec: codecOf(world, host) }),
      ...(keepEventsMs !== undefined && { keepEvents: keepEventsMs }),
      ...(relay && {
        streams: {
          streamer: new SimulatedStreamer({
            world,
            host,
            broker: this.#broker,
            tripMsMax: relay.tripMsMax,
            sendsTimeOut: true,
          }),
          batch: relay.batch,
          retry: { initial: 20, max: relay.retryMsMax },
          timeout: 400,
        },
      }),
    };
  }

  /** A run changes: nothing is stored that should be sealed. */
  changed({ after }: RunChange): void {
    if (!this.#plan.seals) return;
    this.#world.expect(
      after.sealed === true && !after.payload.includes("secret-"),
      "check",
      () => `run ${after.id} is stored as ${after.payload}`,
    );
  }

  /** The world begins. */
  begin(stage: Stage): void {
    if (this.#plan.relay) stage.laws.streams.relaysTo(this.#broker);
    const { news, readers } = this.#plan;
    new StreamReaders(stage, readers);
    this.#source?.begin(stage);
    if (news) this.#beginNews(stage, news);
  }

  /** Whether nothing is on its way to the engines. */
  get isAtRest(): boolean {
    return (this.#sender?.isAtRest ?? true) && (this.#source?.isAtRest ?? true);
  }

  /** All is at rest. */
  checkEnd(): void {
    this.#source?.checkEnd();
  }

  #beginNews(stage: Stage, { sendings, acks }: NewsPlan): void {
    const topic = "news-of all";
    new StreamReaders(stage, [{ topic, name: "listener", from: "start", acks }]);
    const sender = this.#sender = new StreamSender(stage, topic);
    sendings.forEach(({ at, keys }, piece) => {
      const events = keys.map((key, index) => ({ id: `n${piece}.${index}`, key, type: "news", data: index }));
      this.#world.schedule(at, () => sender.send(events));
    });
  }
}
