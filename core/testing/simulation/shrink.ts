import type { FaultName, Terrain } from "./faults.ts";
import type { Plan } from "./plan.ts";

/** Lives that a search for a smaller plan may take. */
const livesMax = 400;

/**
 * Makes a failing plan smaller: leaves out what happens, half of it at first and single events at last, and the faults.
 *
 * @param plan One that fails.
 * @param fails Lives through a plan; whether it breaks the same invariant.
 * @returns A plan that fails too, of which nothing more could be left out.
 */
export async function shrinkPlan(plan: Plan, fails: (plan: Plan) => Promise<boolean>): Promise<Plan> {
  let lives = 0;
  let best = plan;
  const tryOne = async (smaller: Plan): Promise<boolean> => {
    if (lives++ >= livesMax || !await fails(smaller)) return false;
    best = smaller;
    return true;
  };
  for (let before: Plan | undefined; before !== best && lives < livesMax;) {
    before = best;
    for (const part of ["disasters", "askings", "arrivals"] as const) {
      for (
        let size = Math.ceil(best[part].length / 2);
        size >= 1;
        size = size === 1 ? 0 : Math.ceil(size / 2)
      ) {
        for (let from = 0; from < best[part].length;) {
          const left = best[part].filter((_, index) => index < from || index >= from + size);
          if (!await tryOne({ ...best, [part]: left })) from += size;
        }
      }
    }
    for (const name of Object.keys(best.terrain.rates) as FaultName[]) {
      if (best.terrain.rates[name] > 0) await tryOne(withTerrain(best, quiet(best.terrain, name)));
    }
    if (best.terrain.shards > 1) await tryOne(withTerrain(best, { ...best.terrain, shards: 1 }));
    const { writesPerCommitMax, ...roomy } = best.terrain;
    if (writesPerCommitMax !== undefined) await tryOne(withTerrain(best, roomy));
  }
  return best;
}

function withTerrain(plan: Plan, terrain: Terrain): Plan {
  return { ...plan, terrain };
}

function quiet(terrain: Terrain, name: FaultName): Terrain {
  return { ...terrain, rates: { ...terrain.rates, [name]: 0 } };
}
