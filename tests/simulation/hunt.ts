// deno-lint-ignore-file no-console -- read by mutants.ts.
import type { Home } from "../../core/testing/simulation/plan.ts";
import { liveSeed, type ScenarioName } from "./scenarios.ts";

const [seedsMax, near] = Deno.args.map(Number) as [number, number];
const [, , home, scenario] = Deno.args as [string, string, Home, ScenarioName];

/** Prints by which invariant a broken rule was seen at a seed. */
async function isSeen(seed: number): Promise<boolean> {
  try {
    await liveSeed(seed, scenario, home);
    return false;
  } catch (error) {
    const { invariant, message } = error as { invariant?: string; message: string };
    console.log(
      `seed ${seed}: ${invariant ?? "threw"} ${message.replace(/^\w+ \(.*?\): /, "").slice(0, 90)}`,
    );
    return true;
  }
}

/** Prints nothing when it was not seen. */
let seed = 1;
if (!await isSeen(near)) { while (seed <= seedsMax && !await isSeen(seed)) seed++; }
Deno.exit(0);
