import fc from "fast-check";
import { programs } from "../programs/arbitrary.ts";
import type { Program } from "../programs/program.ts";
import { fixedPrograms } from "./fixed_programs.ts";

/** Random machines. */
export const programsArbitrary: fc.Arbitrary<readonly Program[]> = programs();

/** Whether the machines of a seed are the fixed ones. */
export function isFixed(seed: number): boolean {
  return seed % 3 === 0;
}

/**
 * @returns The machines of a seed: every third time the fixed ones, else random ones.
 */
export function drawPrograms(seed: number): readonly Program[] {
  return isFixed(seed) ? fixedPrograms : fc.sample(programsArbitrary, { seed, numRuns: 1 })[0]!;
}
