import type { FaultName, Terrain } from "./faults.ts";
import type { Plan } from "./plan.ts";

/** Lives that a search for a smaller plan may take. */
const livesMax = 600;

/** Orders of things that are tried for each smaller plan. */
const ordersMax = 3;

/**
 * Makes a failing plan smaller: leaves out what happens, all of it at first and single events at last, and the faults.
 *
 * @param plan One that fails.
 * @param fails Lives through a plan; whether it breaks the same invariant.
 * @returns A plan that fails too, of which nothing more could be left out.
 */
export async function shrinkPlan(plan: Plan, fails: (plan: Plan) => Promise<boolean>): Promise<Plan> {
  const search = new Search(plan, fails);
  let before: Plan;
  do {
    before = search.best;
    for (const part of ["disasters", "weather", "askings", "arrivals"] as const) await search.leaveOut(part);
    await search.quieten();
  } while (before !== search.best && !search.isOver);
  return search.best;
}

class Search {
  /** The smallest plan so far that fails. */
  best: Plan;
  readonly #fails: (plan: Plan) => Promise<boolean>;
  #lives = 0;

  constructor(plan: Plan, fails: (plan: Plan) => Promise<boolean>) {
    this.best = plan;
    this.#fails = fails;
  }

  get isOver(): boolean {
    return this.#lives >= livesMax;
  }

  /** Leaves out events of a kind: all of them, then half, then a quarter, and so on. */
  async leaveOut(part: "disasters" | "weather" | "askings" | "arrivals"): Promise<void> {
    const all = () => this.best[part] ?? [];
    for (let size = all().length; size >= 1;) {
      for (let from = 0; from < all().length;) {
        const left = all().filter((_, index) => index < from || index >= from + size);
        if (!await this.#try({ ...this.best, [part]: left })) from += size;
      }
      size = size === 1 ? 0 : Math.ceil(size / 2);
    }
  }

  /** Leaves out faults, shards, and limits. */
  async quieten(): Promise<void> {
    const names = Object.keys(this.best.terrain.rates) as FaultName[];
    const calm: Record<FaultName, number> = { ...this.best.terrain.rates };
    for (const name of names) calm[name] = 0;
    if (names.some((name) => this.best.terrain.rates[name] > 0)) await this.#tryTerrain({ rates: calm });
    for (const name of names) {
      const { rates } = this.best.terrain;
      if (rates[name] > 0) await this.#tryTerrain({ rates: { ...rates, [name]: 0 } });
    }
    if (this.best.terrain.shards > 1) await this.#tryTerrain({ shards: 1 });
    const { writesPerCommitMax, ...roomy } = this.best.terrain;
    if (writesPerCommitMax !== undefined) await this.#try({ ...this.best, terrain: roomy });
  }

  async #tryTerrain(change: Partial<Terrain>): Promise<void> {
    await this.#try({ ...this.best, terrain: { ...this.best.terrain, ...change } });
  }

  /** What is left out shuffles the rest, so that the failure may need another order of things. */
  async #try(smaller: Plan): Promise<boolean> {
    for (let order = 0; order < ordersMax && !this.isOver; order++) {
      this.#lives++;
      const plan = { ...smaller, seed: smaller.seed + order };
      if (!await this.#fails(plan)) continue;
      this.best = plan;
      return true;
    }
    return false;
  }
}
