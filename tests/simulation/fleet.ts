/**
 * The machines of one world: they come, crash, freeze, wake, stop and tick.
 *
 * @module
 */
import { createEngine } from "../../core/engine/engine.ts";
import type { Engine } from "../../core/engine/verbs.ts";
import type { Machine } from "../../core/machine/machine.ts";
import { silentLogger } from "../../core/ports/logger.ts";
import type { Store } from "../../core/store/store.ts";
import type { Terrain } from "./faults.ts";
import { Host } from "./host.ts";
import { type Ledgers, machinesOf, type Trail } from "./machines.ts";
import type { Shadow } from "./shadow.ts";
import { SimStore } from "./sim_store.ts";
import { StepLedger } from "./step_ledger.ts";
import type { World } from "./world.ts";

/** What a machine does: owns and works, ticks now and then, or only calls verbs. */
export type Role = "engine" | "ticker" | "client";

export interface Node {
  readonly host: Host;
  readonly role: Role;
  readonly engine: Engine;
  readonly machines: readonly Machine<Trail>[];
  stopped: boolean;
}

export class Fleet {
  readonly #world: World;
  readonly #terrain: Terrain;
  readonly #base: Store;
  readonly #shadow: Shadow;
  readonly #ledgers: Ledgers;
  readonly #nodes: Node[] = [];

  constructor(world: World, terrain: Terrain, base: Store, shadow: Shadow) {
    this.#world = world;
    this.#terrain = terrain;
    this.#base = base;
    this.#shadow = shadow;
    const { lostReply, lateRequest, busy } = terrain.faults;
    this.#ledgers = {
      steps: new StepLedger(world, shadow, lostReply + lateRequest + busy === 0),
      hooks: shadow.checks.hooks,
    };
  }

  /** Machines that can be talked to. */
  get alive(): readonly Node[] {
    return this.#nodes.filter(({ host, stopped }) => host.alive && !stopped);
  }

  add(role: Role): void {
    const world = this.#world;
    const host = new Host(world, `${role}${this.#nodes.length}`);
    const machines = machinesOf(world, host, this.#ledgers);
    const engine = createEngine({
      store: new SimStore(world, host, this.#base, this.#shadow, this.#terrain.faults),
      definitions: machines,
      clock: host.clock,
      random: host.random,
      logger: silentLogger,
      lease: { term: 900 },
      codeVersion: world.pick([0, 0, 1]),
      poll: 300,
      limits: {
        crashesMax: 1_000,
        rebasesMax: 12,
        settlesMax: this.#terrain.settlesMax,
        busyMsMax: 2_000,
        duePageMax: world.pick([2, 8, 1_024]),
        dueInMemoryMax: world.pick([3, 16_384]),
      },
    });
    host.engineId = engine.admin.engineId;
    const node = { host, role, engine, machines, stopped: false };
    this.#nodes.push(node);
    world.log(`${host.name} comes up as ${host.engineId}`);
    if (role === "engine") this.#start(node);
    if (role === "ticker") this.#tick(node);
  }

  /** Something bad happens to somebody; who goes is replaced after a while. */
  disaster(): void {
    const world = this.#world;
    const node = world.pick(this.#nodes);
    const { host } = node;
    const kind = world.pick(["crash", "crash", "freeze", "freeze", "jump", "stop"]);
    if (!host.alive || node.stopped || !world.fault(kind, 1)) return;
    if (kind === "freeze") return host.freeze(world.between(100, 4_000));
    if (kind === "jump") return host.jump(world.between(-5_000, 5_000));
    if (kind === "crash") host.crash();
    else this.#stop(node);
    world.schedule(world.between(0, 2_000), () => this.add(node.role));
  }

  /** An engine outside the world, for the audit at its end. */
  auditor(): Engine {
    const host = new Host(this.#world, "auditor");
    const definitions = machinesOf(this.#world, host, this.#ledgers);
    return createEngine({ store: this.#base, definitions, logger: silentLogger });
  }

  #stop(node: Node): void {
    this.#world.log(`${node.host.name} stops`);
    node.stopped = true;
    node.engine.stop({ grace: this.#world.pick([0, 50, 5_000]) }).catch((error) =>
      this.#world.violate("stop", String(error))
    );
  }

  /** A start that fails is tried again, as a supervisor would. */
  #start(node: Node): void {
    node.engine.start().catch(() => {
      if (!node.stopped) node.host.later(50, () => this.#start(node));
    });
  }

  #tick(node: Node): void {
    const world = this.#world;
    if (node.stopped) return;
    node.engine.tick({ budgetMs: world.pick([20, 100, 1_000]) }).catch(() => {}).then(() => {
      node.host.later(world.between(50, 700), () => this.#tick(node));
    });
  }
}
