/**
 * Programs that receive topics of `engine.streams`, on hosts that die: each is opened again elsewhere, now and then twice.
 *
 * @module
 */
import type { Delivery } from "../../ports/event_streamer.ts";
import type { Node } from "./fleet.ts";
import type { Stage } from "./life.ts";
import type { ReaderSession } from "./reader_laws.ts";

/** What is received under which name. */
export interface ReaderPlan {
  readonly topic: string;
  readonly name: string;
  readonly from: "start" | "latest";
  /** How often an event is acked, from 0 to 1; those between go with the next. */
  readonly acks: number;
}

/** Receives for as long as the world goes on. */
export class StreamReaders {
  readonly #stage: Stage;

  constructor(stage: Stage, plans: readonly ReaderPlan[]) {
    this.#stage = stage;
    for (const plan of plans) {
      stage.laws.streams.readers.expect(plan.topic, plan.name, plan.from);
      this.#openLater(plan);
    }
  }

  #openLater(plan: ReaderPlan): void {
    const { world } = this.#stage;
    world.schedule(world.between(0, 1_000), () => this.#open(plan));
  }

  /** Somewhere; opened again when it has ended, in whatever way. */
  #open(plan: ReaderPlan): void {
    const { world, fleet } = this.#stage;
    const { alive } = fleet;
    if (alive.length === 0) return this.#openLater(plan);
    const node = world.pick(alive);
    let isOver = false;
    const again = () => {
      if (!isOver) this.#openLater(plan);
      isOver = true;
    };
    node.host.onCrash(again);
    world.log(`${node.host.name} receives "${plan.topic}" as "${plan.name}"`);
    this.#read(plan, node).catch((error) => world.log(`${node.host.name} ends a receiver: ${error}`)).then(
      again,
    );
    // A receiver that was given up, and yet goes on.
    if (world.fault("two receivers", 0.05)) this.#openOnce(plan);
  }

  #openOnce(plan: ReaderPlan): void {
    const { world, fleet } = this.#stage;
    world.schedule(world.between(0, 1_000), () => {
      const node = world.pick(fleet.alive);
      if (node) this.#read(plan, node).catch(() => {});
    });
  }

  async #read(plan: ReaderPlan, { host, engine }: Node): Promise<void> {
    const { world, laws } = this.#stage;
    const { topic, name, from } = plan;
    const session = laws.streams.readers.session(topic, name);
    const deliveries = await engine.streams.receive(topic, name, { from });
    session.opened();
    for await (const delivery of deliveries) {
      session.given(delivery.event);
      if (world.chance(0.1)) await host.sleep(world.between(0, 300));
      if (world.chance(plan.acks)) {
        const acked = this.#ack(session, delivery);
        if (world.chance(0.7)) await acked;
        else acked.catch(() => {});
      }
      if (world.fault("receiver ends", 0.05)) return;
    }
  }

  async #ack(session: ReaderSession, { ack }: Delivery): Promise<void> {
    const acknowledged = session.acking();
    await ack();
    acknowledged();
  }
}
