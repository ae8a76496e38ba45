/**
 * What may be lived through: machines with all that is around them, or schedules or locks, which have seeds of their own so
 * that what is added to one shuffles no other.
 *
 * @module
 */
import type { LifeReport } from "../../core/testing/simulation/life.ts";
import { drawPlan, type Home, type Plan } from "../../core/testing/simulation/plan.ts";
import { playPlan, type SimulationScenario } from "../../core/testing/simulation/simulate.ts";
import { lockScenario } from "./locks.ts";
import { runSeed } from "./scenario.ts";
import { scheduleScenario } from "./schedules.ts";

const small = { schedules: scheduleScenario, locks: lockScenario } as const satisfies Readonly<
  Record<string, () => SimulationScenario>
>;

/** A scenario, by name. */
export type ScenarioName = "machines" | keyof typeof small;

/** All there are. */
export const scenarioNames = ["machines", "schedules", "locks"] as const satisfies readonly ScenarioName[];

/** Lives through one seed of a scenario. @throws {Violation} With the last events on `error.trace`. */
export function liveSeed(seed: number, name: ScenarioName, home: Home): Promise<LifeReport> {
  return name === "machines" ? runSeed(seed, home) : playSmall(drawPlan(seed, home), name);
}

/** Lives through a plan of a scenario whose programs no seed draws. */
export function playSmall(plan: Plan, name: keyof typeof small): Promise<LifeReport> {
  return playPlan(plan, small[name]);
}
