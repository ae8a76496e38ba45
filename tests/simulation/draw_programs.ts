import fc from "fast-check";
import { programs } from "../programs/arbitrary.ts";
import type { Home } from "../../core/testing/simulation/plan.ts";
import { Dice } from "../../core/testing/simulation/dice.ts";
import type { Place, Program, StepPlan, TimerPlan } from "../programs/program.ts";
import { fixedPrograms } from "./fixed_programs.ts";

/** Random machines. */
export const programsArbitrary: fc.Arbitrary<readonly Program[]> = programs();

/** Whether the machines of a seed are the fixed ones. */
export function isFixed(seed: number): boolean {
  return seed % 3 === 0;
}

/**
 * @returns The machines of a seed: every third time the fixed ones, else random ones. In a browser, some of their steps and
 * timers need the network.
 */
export function drawPrograms(seed: number, home: Home = "server"): readonly Program[] {
  const drawn = isFixed(seed) ? fixedPrograms : fc.sample(programsArbitrary, { seed, numRuns: 1 })[0]!;
  return home === "browser" ? drawn.map((program) => networked(program, new Dice(seed ^ 0x9e7))) : drawn;
}

function networked(program: Program, dice: Dice): Program {
  const needing = <Plan extends StepPlan | TimerPlan>(plan: Plan): Plan =>
    dice.chance(0.3) ? { ...plan, options: { ...plan.options, needs: "network" } } : plan;
  const graph = Object.entries(program.graph).map(([status, place]): [string, Place] => [status, {
    ...place,
    ...(place.step && { step: needing(place.step) }),
    ...(place.timers && { timers: place.timers.map(needing) }),
  }]);
  return { ...program, graph: Object.fromEntries(graph) };
}
