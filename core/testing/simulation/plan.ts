/**
 * The plan of a life: what is decided before it begins, as plain data, so that a failing one can be made smaller.
 *
 * @module
 */
import { Dice } from "./dice.ts";
import { drawWeather, type WeatherTurn } from "./weather.ts";
import { browserTerrain, drawTerrain, type Terrain } from "./faults.ts";

/** What a host does: owns and works, ticks now and then, or only calls verbs. */
export type Role = "engine" | "ticker" | "client";

/** What happens to a host besides the faults of the store and of user code. */
export type DisasterKind = "crash" | "freeze" | "jump" | "stop" | "power cut";

/** A host comes up. */
export interface Arrival {
  /** When, in virtual ms since the world began. */
  readonly at: number;
  readonly role: Role;
}

/** A client asks for something. */
export interface Asking {
  readonly at: number;
  /** Decides what. */
  readonly seed: number;
}

/** Something bad happens to somebody. */
export interface Disaster {
  readonly at: number;
  readonly kind: DisasterKind;
  /** Decides to whom, and how bad it is. */
  readonly seed: number;
}

/** All that is decided before a life begins. */
export interface Plan {
  /** Decides the order in which everything asynchronous completes. */
  readonly seed: number;
  readonly terrain: Terrain;
  readonly arrivals: readonly Arrival[];
  readonly askings: readonly Asking[];
  readonly disasters: readonly Disaster[];
  /** What changes around browsers; absent: they are servers. */
  readonly weather?: readonly WeatherTurn[];
}

/** When the faults stop, in virtual ms. */
export const calmAt = 5_000;

/** Where engines live: what goes wrong there differs. */
export type Home = "server" | "browser";

/** Draws the plan of a seed. */
export function drawPlan(seed: number, home: Home = "server"): Plan {
  return home === "browser" ? drawBrowserPlan(seed) : drawServerPlan(seed);
}

function drawServerPlan(seed: number): Plan {
  const dice = new Dice(seed);
  const terrain = drawTerrain(dice, new Dice(~seed));
  const arrivals: Arrival[] = [{ at: 0, role: "client" }];
  for (let count = dice.pick([1, 2, 2, 3]); count > 0; count--) {
    arrivals.push({ role: dice.chance(0.2) ? "ticker" : "engine", at: dice.between(0, 1_000) });
  }
  const askings: Asking[] = [];
  for (let count = dice.pick([5, 10, 18]); count > 0; count--) {
    askings.push({ at: dice.between(0, 4_000), seed: dice.seed() });
  }
  // A storm: many ask for the same at once, so that each refuses the others.
  if (dice.chance(0.15)) {
    const storm = { at: dice.between(500, 4_000), seed: dice.seed() };
    for (let count = dice.pick([4, 8]); count > 0; count--) askings.push(storm);
  }
  const disasters: Disaster[] = [];
  for (let count = dice.pick([0, 2, 5, 9]); count > 0; count--) {
    const kind = dice.pick(["crash", "crash", "freeze", "freeze", "jump", "stop"] as const);
    disasters.push({ at: dice.between(100, 4_900), kind, seed: dice.seed() });
  }
  return { seed, terrain, arrivals, askings, disasters };
}

/**
 * The same on a browser's database: commits abort, handles get lost, and when the power is cut, what was not to be safe yet
 * may be gone. Dice of its own decide about that.
 */
function drawBrowserPlan(seed: number): Plan {
  const plan = drawServerPlan(seed);
  const dice = new Dice(seed ^ 0x1db);
  const terrain = browserTerrain(plan.terrain, dice);
  const cuts = Array.from({ length: dice.pick([1, 2, 3, 5]) }, (): Disaster => ({
    at: dice.between(200, calmAt),
    kind: "power cut",
    seed: dice.seed(),
  }));
  const more = Array.from({ length: dice.pick([0, 8, 20]) }, (): Asking => ({
    at: dice.between(0, calmAt),
    seed: dice.seed(),
  }));
  return {
    ...plan,
    terrain,
    askings: [...plan.askings, ...more],
    disasters: [...plan.disasters, ...cuts],
    weather: drawWeather(new Dice(seed ^ 0x5ea), calmAt),
  };
}
