import type { Program } from "../programs/program.ts";
import { fixedPrograms } from "./fixed_programs.ts";

/** The machines of a seed. */
export function drawPrograms(_seed: number): readonly Program[] {
  return fixedPrograms;
}
