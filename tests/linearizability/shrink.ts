/**
 * Makes a history that is no good smaller, so that people can read it. Each cut only takes knowledge away, so what is
 * still no good after it was no good before: an answer becomes unknown, or a read is left out.
 *
 * @module
 */
import { checkHistory } from "./check_history.ts";
import type { History, Operation } from "./history.ts";

/** Cuts tried. */
const triesMax = 400;

/**
 * Shrinks.
 *
 * @param history A history that is violated.
 * @returns A smaller one that is violated too: the least front of it, with the reads that it takes.
 */
export function shrink(history: History): History {
  const front = leastFront(history);
  return withoutReads(front);
}

const isViolated = (history: History) => checkHistory(history).verdict === "violated";

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

/** If a front is violated, every longer one is. */
function leastFront(history: History): History {
  const moments = history.operations.map((each) => each.ended).filter((each) => each < Infinity);
  moments.sort((a, b) => a - b);
  let [low, high] = [0, moments.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isViolated(frontOf(history, moments[middle]!))) high = middle;
    else low = middle + 1;
  }
  return low === moments.length ? history : frontOf(history, moments[low]!);
}

/** Leaves reads out, many at a time while that works. */
function withoutReads(history: History): History {
  let tries = 0;
  const reads = (from: History) => from.operations.filter((each) => each.kind === "read");
  let kept = history;
  for (let size = Math.ceil(reads(kept).length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let from = 0; from < reads(kept).length && tries < triesMax;) {
      const out = new Set(reads(kept).slice(from, from + size));
      const rest = { ...kept, operations: kept.operations.filter((each) => !out.has(each as never)) };
      tries++;
      if (isViolated(rest)) kept = rest;
      else from += size;
    }
  }
  return kept;
}
