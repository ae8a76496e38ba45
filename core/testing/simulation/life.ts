/**
 * One plan, one life of a small fleet: engines come, crash, freeze and wake while clients ask for things; then the faults
 * stop, and everything that was acknowledged must have happened, and everything that can end must end.
 *
 * @module
 */
import type { Definition } from "../../engine/behaviour.ts";
import { Asks } from "./asks.ts";
import { Dice } from "./dice.ts";
import { Disk } from "./disk.ts";
import { Fleet, type SimulatedEngineOptions } from "./fleet.ts";
import { Host } from "./host.ts";
import { type LawOptions, Laws } from "./laws.ts";
import { calmAt, type Disaster, type Plan } from "./plan.ts";
import { cutPower } from "./power_cut.ts";
import { Shadow } from "./shadow.ts";
import { Weather } from "./weather.ts";
import { World } from "./world.ts";

/** When patience ends, in virtual ms. */
const patienceEndsAt = 120_000;

/** How often at the end of a life work may have to wait for a clock that is behind: a queue is as long as that. */
const handOversMax = 50;

/** What a life takes place on. */
export interface Stage {
  readonly world: World;
  readonly disk: Disk;
  readonly fleet: Fleet;
  readonly shadow: Shadow;
  readonly laws: Laws;
  readonly asks: Asks;
  /** What is around browsers. */
  readonly weather: Weather | undefined;
}

/** What is played: what the engines carry, what clients ask for, and what must be true at the end. */
export interface Cast {
  /** What the engine of a host carries. */
  definitionsOf(host: Host): readonly Definition[];
  /** What its engine is given besides. */
  engineOptionsOf?(host: Host): SimulatedEngineOptions;
  /** What the laws are to know. */
  readonly lawOptions?: Partial<LawOptions>;
  /** Called once, before anything happens. */
  begin(stage: Stage): void;
  /** A client asks for something. */
  ask(dice: Dice): void;
  /** The faults have stopped: ends what would wait for ever. Called again and again. */
  takeCare?(): void;
  /** Nothing more is to be expected. */
  isAtRest(): boolean;
  /** The power was cut: what was acknowledged is still there. */
  checkKept?(): void;
  /** All is at rest, or patience has ended. */
  checkEnd?(): void | Promise<void>;
}

/** What a life came to. */
export interface LifeReport {
  readonly events: number;
  /** Equal for equal lives. */
  readonly digest: number;
  readonly faults: ReadonlyMap<string, number>;
  readonly checks: ReadonlyMap<string, number>;
  readonly coverage: World["coverage"];
}

/**
 * Lives through a plan.
 *
 * @param plan What is decided before.
 * @param play Makes the cast of this world.
 * @returns What happened.
 * @throws {Violation} With the last events on `error.trace`.
 */
export async function live(plan: Plan, play: (world: World) => Cast): Promise<LifeReport> {
  const world = new World(plan.seed, plan.terrain.rates);
  try {
    await liveIn(world, plan, play(world));
  } catch (error) {
    throw Object.assign(error as Error, { trace: world.trace });
  }
  const { events, digest, faults, checks, coverage } = world;
  return { events, digest, faults, checks, coverage };
}

async function liveIn(world: World, plan: Plan, cast: Cast): Promise<void> {
  const stage = stageOf(world, plan, cast);
  const { fleet, asks } = stage;
  cast.begin(stage);
  for (const { at, role } of plan.arrivals) world.schedule(at, () => fleet.add(role));
  for (const { at, seed } of plan.askings) world.schedule(at, () => cast.ask(new Dice(seed)));
  const befall = (disaster: Disaster) =>
    disaster.kind === "power cut" ? cutPower(stage, cast, disaster.seed) : fleet.befall(disaster);
  for (const disaster of plan.disasters) world.schedule(disaster.at, () => befall(disaster));
  for (const turn of plan.weather ?? []) {
    world.schedule(turn.at, () => stage.weather!.turn(turn, new Dice(turn.seed)));
  }
  world.schedule(calmAt, () => {
    world.log("the faults stop");
    world.calm = true;
    stage.weather?.clear();
    fleet.add("engine");
    const care = () => {
      cast.takeCare?.();
      world.schedule(5_000, care);
    };
    care();
  });
  const isOver = () => world.calm && world.time > calmAt + 100 && asks.open === 0 && cast.isAtRest();
  await world.run(patienceEndsAt, isOver);
  // What one host makes due, another does by its own clock: where many wait for each other, again and again.
  if (!isOver()) await world.run(patienceEndsAt + handOversMax * fleet.skew, isOver);
  await checkEnd(stage, cast);
  if (world.violation) throw world.violation;
}

function stageOf(world: World, plan: Plan, cast: Cast): Stage {
  const { terrain } = plan;
  const { shards, writesPerCommitMax, rates } = terrain;
  const limits = writesPerCommitMax === undefined ? {} : { writesPerCommitMax };
  const disk = new Disk({ shards, keepOutcomes: true, limits });
  const shadow = new Shadow(world, shards);
  const blueprint = cast.definitionsOf(new Host(world, "blueprint"));
  const behaviours = new Map(blueprint.map(({ name, behaviour }) => [name, behaviour]));
  const weather = plan.weather && new Weather(world);
  const laws = new Laws(world, shadow, {
    behaviours,
    ...(weather && { weather }),
    settles: (terrain.limits.settlesMax ?? 100) > 10,
    pauseIsHeard: pauseDelays.every((name) => rates[name] === 0),
    removesWhole: writesPerCommitMax === undefined,
    ...cast.lawOptions,
  });
  shadow.laws = laws;
  const asks = new Asks(world, shadow, laws);
  const { definitionsOf, engineOptionsOf } = cast;
  const fleet = new Fleet({
    world,
    terrain,
    disk,
    shadow,
    laws,
    behaviours,
    weather,
    definitionsOf: (host) => definitionsOf.call(cast, host),
    ...(engineOptionsOf && { engineOptionsOf: (host) => engineOptionsOf.call(cast, host) }),
  });
  return { world, disk, fleet, shadow, laws, asks, weather };
}

/** Faults that keep an owner from hearing of a pause. */
const pauseDelays = [
  "lost reply",
  "late request",
  "busy",
  "busy read",
  "slow commit",
  "slow read",
  "stuck read",
  "aborted commit",
  "lost handle",
] as const;

async function checkEnd({ world, fleet, laws, asks }: Stage, cast: Cast): Promise<void> {
  laws.streams.checkEnd();
  laws.connectors.checkEnd();
  laws.schedules.checkEnd();
  world.expect(
    cast.isAtRest(),
    "I9",
    () => `it is calm, but not at rest: ${asks.leftToDo()}`,
  );
  asks.checkEnd();
  await cast.checkEnd?.();
  laws.hooks.checkEnd();
  const { findings, notes } = await fleet.auditor().admin.verify();
  // Definitions never change here, so what older code might explain is a fault.
  for (const { invariant, problem, key } of [...findings, ...notes]) {
    world.violate(invariant, `${problem} (key ${key})`);
  }
}
