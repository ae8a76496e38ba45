/**
 * One seed, one life of a small fleet: engines come, crash, freeze and wake while clients trigger and operate; then the
 * faults stop, and everything that was acknowledged must have happened and everything that can finish must finish.
 *
 * @module
 */
import { memoryStore } from "../../adapters/memory/mod.ts";
import { createEngine, type Engine } from "../../core/engine/engine.ts";
import { silentLogger } from "../../core/ports/logger.ts";
import type { Machine } from "../../core/machine/builder.ts";
import { checkEnd, type Promised } from "./checks.ts";
import { Host } from "./host.ts";
import { graphs, machinesOf, type Trail } from "./machines.ts";
import { StepLedger } from "./step_ledger.ts";
import { Shadow } from "./shadow.ts";
import { drawFaults, SimStore } from "./sim_store.ts";
import { World } from "./world.ts";

/** When the faults stop, and when patience ends, in virtual ms. */
const calmAt = 5_000;
const patienceEndsAt = 120_000;

interface Node {
  readonly host: Host;
  readonly engine: Engine;
  readonly machines: readonly Machine<Trail>[];
}

/** What a seed did. */
export interface SeedReport {
  readonly events: number;
  readonly faults: ReadonlyMap<string, number>;
}

class Scenario {
  readonly world: World;
  readonly shadow: Shadow;
  readonly promised: Promised[] = [];
  readonly #base;
  readonly #faults;
  readonly #ledger: StepLedger;
  readonly #nodes: Node[] = [];
  #calls = 0;
  #open = 0;

  constructor(seed: number) {
    this.world = new World(seed);
    const shards = this.world.pick([1, 1, 2]);
    const edges = new Map(
      Object.entries(graphs).map(([name, graph]) => [name, new Map(Object.entries(graph))]),
    );
    this.shadow = new Shadow(this.world, shards, edges);
    this.#ledger = new StepLedger(this.world, this.shadow);
    this.#faults = drawFaults(this.world);
    const tight = this.world.chance(0.2);
    this.#base = memoryStore({
      shards,
      keepOutcomes: true,
      ...(tight && { limits: { writesPerCommitMax: 12 } }),
    });
  }

  async run(): Promise<void> {
    const { world } = this;
    this.#addNode(false);
    for (let count = world.pick([1, 2, 2, 3]); count > 0; count--) {
      world.schedule(world.between(0, 1_000), () => this.#addNode(true));
    }
    for (let count = world.pick([4, 8, 14]); count > 0; count--) {
      world.schedule(world.between(0, 4_000), () => this.#clientActs());
    }
    for (let count = world.pick([0, 2, 5, 9]); count > 0; count--) {
      world.schedule(world.between(100, 4_900), () => this.#disaster());
    }
    world.schedule(calmAt, () => {
      world.log("the faults stop");
      world.calm = true;
      this.#addNode(true);
    });
    await world.run(
      patienceEndsAt,
      () => world.calm && world.time > calmAt + 100 && this.#open === 0 && this.#finished(),
    );
    await checkEnd(world, this.shadow, this.promised, this.#finished(), this.#open, () => this.#verify());
  }

  #finished(): boolean {
    return this.shadow.runs().every((run) => !["initiated", "running", "paused"].includes(run.state));
  }

  #verify() {
    const host = new Host(this.world, "auditor");
    const engine = createEngine({
      store: this.#base,
      definitions: machinesOf(this.world, host, this.#ledger),
      logger: silentLogger,
    });
    return engine.admin.verify();
  }

  #addNode(works: boolean): void {
    const { world } = this;
    const host = new Host(world, `${works ? "engine" : "client"}${this.#nodes.length}`);
    const machines = machinesOf(world, host, this.#ledger);
    const engine = createEngine({
      store: new SimStore(world, host, this.#base, this.shadow, this.#faults),
      definitions: machines,
      clock: host.clock,
      random: host.random,
      logger: silentLogger,
      lease: { term: 900 },
      poll: 300,
      limits: { crashesMax: 1_000, settlesMax: 4, busyMsMax: 2_000, duePageMax: world.pick([2, 8, 1_024]) },
    });
    this.#nodes.push({ host, engine, machines });
    if (!works) return;
    world.log(`${host.name} starts`);
    this.#start(host, engine);
  }

  /** A start that fails is tried again, as a supervisor would. */
  #start(host: Host, engine: Engine): void {
    engine.start().catch(() => host.later(50, () => this.#start(host, engine)));
  }

  #disaster(): void {
    const { world } = this;
    const { host } = world.pick(this.#nodes);
    const kind = world.pick(["crash", "crash", "freeze", "freeze", "jump"]);
    if (!host.alive || !world.fault(kind, 1)) return;
    if (kind === "crash") {
      host.crash();
      world.schedule(world.between(0, 2_000), () => this.#addNode(host.name.startsWith("engine")));
    } else if (kind === "freeze") host.freeze(world.between(100, 4_000));
    else host.jump(world.between(-5_000, 5_000));
  }

  #clientActs(): void {
    const { world } = this;
    const alive = this.#nodes.filter(({ host }) => host.alive);
    if (alive.length === 0) return;
    const node = world.pick(alive);
    const definition = world.pick(node.machines);
    const key = world.pick(["k1", "k2", "k3"]);
    const verb = world.pick(["trigger", "trigger", "trigger", "pause", "resume", "cancel"]);
    const token = `t${this.#calls++}`;
    if (verb === "trigger") return this.#trigger(node, definition, key, token);
    const asked = verb === "pause"
      ? node.engine.pause(definition, key, { reason: token })
      : verb === "cancel"
      ? node.engine.cancel(definition, key, { reason: token })
      : node.engine.resume(definition, key);
    this.#track(node, verb, asked.then((run) => ({ verb, runId: run.runId, token, version: run.version })));
    if (verb !== "pause" || world.chance(0.5)) return;
    // What is paused may stay so for long; some clients hold the door.
    node.host.later(world.between(10, 600), () => {
      const again = node.engine.resume(definition, key);
      this.#track(
        node,
        "resume",
        again.then((run) => ({ verb: "resume", runId: run.runId, token, version: run.version })),
      );
    });
  }

  #trigger(node: Node, definition: Machine<Trail>, key: string, token: string): void {
    const idempotencyKey = this.world.chance(0.4) ? this.world.pick(["i1", "i2"]) : undefined;
    const data = { token: idempotencyKey ?? token, landed: [] };
    const options = { data, ...(idempotencyKey !== undefined && { idempotencyKey }) };
    const asked = node.engine.trigger(definition, key, options).then(({ runId, created }) => {
      const same = idempotencyKey && `${definition.name} ${key} ${idempotencyKey}`;
      return { verb: "trigger", runId, token: data.token, created, ...(same && { same }) };
    });
    this.#track(node, "trigger", asked);
  }

  #track(node: Node, verb: string, asked: Promise<Promised>): void {
    const { world } = this;
    let settled = false;
    const settle = () => {
      if (!settled && node.host.alive) this.#open--;
      settled = true;
    };
    this.#open++;
    const crashed = () => {
      if (settled) return;
      if (node.host.alive) return world.schedule(500, crashed);
      settled = true;
      this.#open--;
    };
    world.schedule(500, crashed);
    asked.then((promise) => {
      world.log(`${node.host.name} was promised ${verb} of run ${promise.runId.slice(9, 16)}`);
      if (!this.shadow.run(promise.runId)) {
        world.violate("I6", `${verb} of run ${promise.runId} was acknowledged before it was stored`);
      }
      this.promised.push(promise);
    }).catch((error) => world.log(`${node.host.name} was refused ${verb}: ${error.code ?? error}`)).then(
      settle,
    );
  }
}

/**
 * Lives through one seed.
 *
 * @throws {Violation} With the trace on `error.trace`.
 */
export async function runSeed(seed: number): Promise<SeedReport> {
  const scenario = new Scenario(seed);
  try {
    await scenario.run();
  } catch (error) {
    throw Object.assign(error as Error, { trace: scenario.world.trace });
  }
  return { events: scenario.world.events, faults: scenario.world.faults };
}
