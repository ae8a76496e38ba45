import fc from "fast-check";
import { programs } from "../programs/arbitrary.ts";
import type { Program } from "../programs/program.ts";
import { fixedPrograms } from "./fixed_programs.ts";

const arbitrary = programs();

/**
 * @returns The machines of a seed: every third time the fixed ones, else random ones.
 */
export function drawPrograms(seed: number): readonly Program[] {
  return seed % 3 === 0 ? fixedPrograms : fc.sample(arbitrary, { seed, numRuns: 1 })[0]!;
}
