/**
 * One seed, one life of a small fleet: engines come, crash, freeze and wake while clients trigger and operate; then the
 * faults stop, and everything that was acknowledged must have happened and everything that can finish must finish.
 *
 * @module
 */
import { memoryStore } from "../../adapters/memory/mod.ts";
import { checkEnd } from "./checks.ts";
import { Clients } from "./clients.ts";
import { drawTerrain } from "./faults.ts";
import { Fleet } from "./fleet.ts";
import { Shadow } from "./shadow.ts";
import { World } from "./world.ts";

/** When the faults stop, and when patience ends, in virtual ms. */
const calmAt = 5_000;
const patienceEndsAt = 120_000;

/** What a seed did. */
export interface SeedReport {
  readonly events: number;
  /** Equal for equal lives. */
  readonly digest: number;
  readonly faults: ReadonlyMap<string, number>;
}

/**
 * Lives through one seed.
 *
 * @throws {Violation} With the last events on `error.trace`.
 */
export async function runSeed(seed: number): Promise<SeedReport> {
  const world = new World(seed);
  try {
    await live(world);
  } catch (error) {
    throw Object.assign(error as Error, { trace: world.trace });
  }
  const { events, digest, faults } = world;
  return { events, digest, faults };
}

async function live(world: World): Promise<void> {
  const terrain = drawTerrain(world);
  const { shards, writesPerCommitMax } = terrain;
  const limits = writesPerCommitMax === undefined ? {} : { writesPerCommitMax };
  const base = memoryStore({ shards, keepOutcomes: true, limits });
  const shadow = new Shadow(world, shards);
  shadow.checks.settles = terrain.settlesMax > 10;
  shadow.checks.disposal.removesWhole = writesPerCommitMax === undefined;
  const fleet = new Fleet(world, terrain, base, shadow);
  const clients = new Clients(world, fleet, shadow);
  populate(world, fleet, clients);
  world.schedule(calmAt, () => {
    world.log("the faults stop");
    world.calm = true;
    fleet.add("engine");
    const care = () => {
      clients.takeCare();
      world.schedule(5_000, care);
    };
    care();
  });
  await world.run(
    patienceEndsAt,
    () => world.calm && world.time > calmAt + 100 && clients.open === 0 && shadow.isAtRest,
  );
  await checkEnd(world, shadow, clients, () => fleet.auditor().admin.verify());
  if (world.violation) throw world.violation;
}

/** Who comes when, who asks when, and when something bad happens. */
function populate(world: World, fleet: Fleet, clients: Clients): void {
  fleet.add("client");
  for (let count = world.pick([1, 2, 2, 3]); count > 0; count--) {
    const role = world.chance(0.2) ? "ticker" : "engine";
    world.schedule(world.between(0, 1_000), () => fleet.add(role));
  }
  for (let count = world.pick([5, 10, 18]); count > 0; count--) {
    world.schedule(world.between(0, 4_000), () => clients.act());
  }
  for (let count = world.pick([0, 2, 5, 9]); count > 0; count--) {
    world.schedule(world.between(100, 4_900), () => fleet.disaster());
  }
}
