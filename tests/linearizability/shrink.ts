/**
 * Makes a history that is no good smaller, so that people can read it. Each cut only takes knowledge away, so what is
 * still no good after it was no good before: an answer becomes unknown, or a read is left out.
 *
 * @module
 */
import { checkHistory } from "./check_history.ts";
import type { History, Operation } from "./history.ts";

/** Places tried for all cuts together: a few seconds' worth. One cut may take a part of it. */
const effortMax = 3_000_000;
const effortPerCutMax = 200_000;

/**
 * Shrinks.
 *
 * @param history A history that is violated.
 * @returns A smaller one that is violated too: the least front of it, with the reads that it takes.
 */
export function shrink(history: History): History {
  let left = effortMax;
  const isViolated = (cut: History) => {
    if (left <= 0) return false;
    const { verdict, effort } = checkHistory(cut, Math.min(left, effortPerCutMax));
    left -= effort;
    return verdict === "violated";
  };
  return withoutReads(leastFront(history, isViolated), isViolated);
}

/** Surely violated: a cut that takes too long to judge is not made. */
type IsViolated = (cut: History) => boolean;

/** What was known at a moment: what was not answered by then might still come to anything. */
function frontOf({ operations, ...rest }: History, moment: number): History {
  const known = operations.flatMap((each): Operation[] => {
    if (each.ended <= moment) return [each];
    if (each.began > moment || each.kind === "read") return [];
    if (each.answer === "refused") return [each];
    const { id, kind, began, calls } = each;
    return [{ id, kind, began, calls, ended: Infinity, answer: "unknown" }];
  });
  return { ...rest, operations: known };
}

/** If a front is violated, every longer one is; what is undecided makes it longer than need be. */
function leastFront(history: History, isViolated: IsViolated): History {
  const moments = history.operations.map((each) => each.ended).filter((each) => each < Infinity);
  moments.sort((a, b) => a - b);
  let [low, high] = [0, moments.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isViolated(frontOf(history, moments[middle]!))) high = middle;
    else low = middle + 1;
  }
  const front = low === moments.length ? history : frontOf(history, moments[low]!);
  return isViolated(front) ? front : history;
}

/** Leaves reads out, many at a time while that works. */
function withoutReads(history: History, isViolated: IsViolated): History {
  const reads = (from: History) => from.operations.filter((each) => each.kind === "read");
  let kept = history;
  for (let size = Math.ceil(reads(kept).length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let from = 0; from < reads(kept).length;) {
      const out = new Set(reads(kept).slice(from, from + size));
      const rest = { ...kept, operations: kept.operations.filter((each) => !out.has(each as never)) };
      if (isViolated(rest)) kept = rest;
      else from += size;
    }
  }
  return kept;
}
