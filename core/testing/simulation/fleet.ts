/**
 * The hosts of one world: they come, crash, freeze, wake, stop and tick.
 *
 * @module
 */
import { createEngine } from "../../engine/engine.ts";
import type { Behaviour, Definition } from "../../engine/behaviour.ts";
import type { EngineOptions } from "../../engine/options.ts";
import type { Engine } from "../../engine/verbs.ts";
import { silentLogger } from "../../ports/logger.ts";
import { withAround } from "../around.ts";
import { Dice } from "./dice.ts";
import type { Disk } from "./disk.ts";
import { Host } from "./host.ts";
import type { Laws } from "./laws.ts";
import type { Disaster, Role } from "./plan.ts";
import type { Terrain } from "./faults.ts";
import type { Shadow } from "./shadow.ts";
import { SimulatedStore } from "./simulated_store.ts";
import { aroundCode } from "./user_code.ts";
import type { Weather } from "./weather.ts";
import type { World } from "./world.ts";

/** A host and the engine on it. */
export interface Node {
  readonly host: Host;
  readonly role: Role;
  readonly engine: Engine;
  /** It has been told to stop. */
  stopped: boolean;
}

/** Options of the engines that the simulator does not decide by itself. */
export type SimulatedEngineOptions = Pick<
  EngineOptions,
  "codec" | "streams" | "keepEvents" | "steps" | "limits" | "recurrences" | "filters"
>;

/** What a fleet lives on. */
export interface FleetOptions {
  readonly world: World;
  readonly terrain: Terrain;
  /** What the one store of all lies on. */
  readonly disk: Disk;
  readonly shadow: Shadow;
  readonly laws: Laws;
  readonly behaviours: ReadonlyMap<string, Behaviour>;
  /** What is around their hosts. */
  readonly weather: Weather | undefined;
  /** What the engine of a host carries. */
  definitionsOf(host: Host): readonly Definition[];
  /** What else it is given. */
  engineOptionsOf?(host: Host): SimulatedEngineOptions;
}

/** Every host that was ever up. */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #world: World;
  readonly #nodes: Node[] = [];

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#world = options.world;
  }

  /** Hosts that can be talked to. */
  get alive(): readonly Node[] {
    return this.#nodes.filter(({ host, stopped }) => host.alive && !stopped);
  }

  /** The latest time that the clock of any of them shows. */
  get latestNow(): number {
    return Math.max(...this.alive.map(({ host }) => host.clock.now()));
  }

  /** How far their clocks are apart, in ms. */
  get skew(): number {
    return this.latestNow - Math.min(...this.alive.map(({ host }) => host.clock.now()));
  }

  /** A host comes up; when it crashes, another one takes its place after a while. */
  add(role: Role): void {
    const { terrain, disk, shadow, laws, behaviours, weather } = this.#options;
    const world = this.#world;
    const host = new Host(world, `${role}${this.#nodes.length}`);
    const given = this.#options.engineOptionsOf?.(host) ?? {};
    const limits = { ...terrain.limits, ...given.limits };
    const { payloadBytesMax } = limits;
    const around = aroundCode(
      { world, laws, behaviours, ...(payloadBytesMax !== undefined && { payloadBytesMax }) },
      host,
    );
    const engine = createEngine({
      ...given,
      store: new SimulatedStore(world, host, disk, shadow, terrain.tripMsMax),
      definitions: this.#options.definitionsOf(host).map((each) => withAround(each, around)),
      ...(weather && { platform: weather.platformOf(host, role === "engine") }),
      clock: host.clock,
      random: host.random,
      logger: silentLogger,
      lease: { term: 900 },
      codeVersion: world.pick([0, 0, 1]),
      poll: 300,
      limits,
    });
    host.engineId = engine.admin.engineId;
    const node = { host, role, engine, stopped: false };
    this.#nodes.push(node);
    host.onCrash(() => this.#replace(node));
    world.log(`${host.name} comes up as ${host.engineId}`);
    if (role === "engine") this.#start(node);
    if (role === "ticker") this.#tick(node);
  }

  /** Something bad happens to somebody; who goes is replaced after a while. */
  befall({ kind, seed }: Disaster): void {
    const dice = new Dice(seed);
    const node = dice.pick(this.#nodes);
    if (!node || !node.host.alive || node.stopped || !this.#world.fault(kind, 1)) return;
    const { host } = node;
    if (kind === "freeze") return host.freeze(dice.between(100, 4_000));
    if (kind === "jump") return host.jump(dice.between(-5_000, 5_000));
    if (kind === "crash") return host.crash();
    this.#stop(node, dice.pick([0, 50, 5_000]));
    this.#replace(node);
  }

  /** All of them die at this moment; others take their places after a while. */
  die(): void {
    for (const { host } of [...this.#nodes]) host.crash();
  }

  /** An engine outside the world, for the audit at its end. */
  auditor(): Engine {
    const host = new Host(this.#world, "auditor");
    const definitions = this.#options.definitionsOf(host);
    const given = this.#options.engineOptionsOf?.(host) ?? {};
    return createEngine({
      ...given,
      store: this.#options.disk.store,
      definitions,
      logger: silentLogger,
      work: false,
    });
  }

  #replace({ role }: Node): void {
    this.#world.schedule(this.#world.between(0, 2_000), () => this.add(role));
  }

  #stop(node: Node, grace: number): void {
    this.#world.log(`${node.host.name} stops`);
    node.stopped = true;
    node.engine.stop({ grace }).then(
      () => this.#world.expect(true, "stop", () => ""),
      (error) => this.#world.violate("stop", String(error)),
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
