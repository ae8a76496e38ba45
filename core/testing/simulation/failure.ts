/**
 * What a person needs of a life that broke an invariant: a plan as small as it can be, and what happened in it.
 *
 * @module
 */
import type { Plan } from "./plan.ts";
import { shrinkPlan } from "./shrink.ts";
import type { Violation } from "./world.ts";

/** A life that broke an invariant. */
export interface Failure {
  /** Which. */
  readonly invariant: string;
  /** What was seen, and what was wished. */
  readonly message: string;
  /** The plan, as small as it could be made. */
  readonly plan: Plan;
  /** What happened in that life, a line each. */
  readonly trace: readonly string[];
}

/** What a life threw. */
type Thrown = Partial<Violation> & Error & { readonly trace?: readonly string[] };

/**
 * Lives through a plan and, when it breaks an invariant, through smaller ones that break the same.
 *
 * @param plan A plan.
 * @param live Lives through one.
 * @returns The smallest failure found; `undefined`: the plan breaks nothing.
 */
export async function smallestFailure(
  plan: Plan,
  live: (plan: Plan) => Promise<unknown>,
): Promise<Failure | undefined> {
  let best = await failureOf(plan, live);
  if (!best) return undefined;
  const { invariant } = best;
  await shrinkPlan(plan, async (smaller) => {
    const failure = await failureOf(smaller, live);
    if (failure?.invariant !== invariant) return false;
    best = failure;
    return true;
  });
  return best;
}

async function failureOf(
  plan: Plan,
  live: (plan: Plan) => Promise<unknown>,
): Promise<Failure | undefined> {
  try {
    await live(plan);
    return undefined;
  } catch (error) {
    const { invariant = "threw", message, stack, trace = [] } = error as Thrown;
    return { invariant, message: invariant === "threw" ? stack ?? message : message, plan, trace };
  }
}

/** A plan in a few lines: what is not said is not there. */
export function planText({ seed, terrain, arrivals, askings, disasters }: Plan): string {
  const { rates, ...rest } = terrain;
  const faults = Object.entries(rates).filter(([, rate]) => rate > 0)
    .map(([name, rate]) => `${name} ${rate.toFixed(3)}`).join(", ");
  return [
    `order of things: ${seed}`,
    `terrain: ${JSON.stringify(rest)}`,
    `faults: ${faults || "none"}`,
    `hosts: ${arrivals.map(({ at, role }) => `${role} at ${at.toFixed(0)}`).join(", ") || "none"}`,
    `asks: ${askings.map(({ at }) => at.toFixed(0)).join(", ") || "none"}`,
    `disasters: ${disasters.map(({ at, kind }) => `${kind} at ${at.toFixed(0)}`).join(", ") || "none"}`,
  ].join("\n");
}
