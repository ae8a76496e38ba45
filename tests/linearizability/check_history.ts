/**
 * The judgement over a history.
 *
 * @module
 */
import type { History } from "./history.ts";
import { type DeadEnd, search } from "./search.ts";
import { stepsOf } from "./steps.ts";

/** Places tried per shard, some seconds' worth; an honest history takes about one per commit. */
const effortMax = 2_000_000;

/** What is said of a history. */
export type Verdict =
  | { readonly verdict: "linearizable"; readonly effort: number }
  | {
    readonly verdict: "violated";
    readonly shard: number;
    readonly deadEnd: DeadEnd;
    readonly effort: number;
  }
  /** Neither could be shown; it counts as a failure. */
  | { readonly verdict: "undecided"; readonly shard: number; readonly effort: number };

/**
 * Looks whether some order of all operations explains every answer, in accordance with their times.
 *
 * @param history The history.
 * @param most Places tried per shard before it is undecided.
 * @returns The verdict; the first shard that is no good decides.
 */
export function checkHistory(history: History, most = effortMax): Verdict {
  let effort = 0;
  for (const [shard, steps] of stepsOf(history)) {
    const { outcomes, floor } = history;
    const finding = search(steps, { outcomes, floor: floor?.[shard] ?? 0, effortMax: most });
    effort += finding.effort;
    if (finding.verdict === "violated") {
      return { verdict: "violated", shard, deadEnd: finding.deadEnd, effort };
    }
    if (finding.verdict === "undecided") return { verdict: "undecided", shard, effort };
  }
  return { verdict: "linearizable", effort };
}
