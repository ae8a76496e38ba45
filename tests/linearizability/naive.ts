/**
 * The same judgement as `check_history.ts`, by nothing but the definition: every order is tried. Only for a handful of
 * operations.
 *
 * @module
 */
import type { History } from "./history.ts";
import { ShardState } from "./shard_state.ts";
import { type Step, stepsOf } from "./steps.ts";
import { Trail } from "./trail.ts";

/** Whether some order explains every answer. */
export function isLinearizable(history: History): boolean {
  return [...stepsOf(history)].every(([shard, steps]) => {
    const trail = new Trail();
    const state = new ShardState(trail, history.outcomes, history.floor?.[shard] ?? 0);
    return canOrder(steps, new Set(), state, trail);
  });
}

function canOrder(steps: readonly Step[], placed: Set<Step>, state: ShardState, trail: Trail): boolean {
  const rest = steps.filter((step) => !placed.has(step));
  if (rest.every((step) => step.ended === Infinity || isLost(step))) return true;
  return rest.some((step) => {
    // Nothing that ended before this one began may come after it, unless it never happened.
    if (rest.some((other) => other.ended < step.began && !isLost(other))) return false;
    if ([...placed].some((other) => step.ended < other.began)) return false;
    if (step.kind === "call") {
      if (step.after && rest.includes(step.after) && !isLost(step.after)) return false;
      if (step.then && placed.has(step.then)) return false;
    }
    const mark = trail.mark();
    const fits = step.kind === "read" ? state.fitsRead(step) : state.settleIfFits(step);
    placed.add(step);
    const isGood = fits && canOrder(steps, placed, state, trail);
    placed.delete(step);
    trail.rewind(mark);
    return isGood;
  });
}

/** Nobody knows whether it happened. */
const isLost = (step: Step) => step.kind === "call" && !step.result;
