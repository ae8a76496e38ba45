import type { RetryOptions } from "../../mod.ts";

/** What chance says in all lives, so that jitter is known. */
export const steadyChance = 0.5;

/**
 * @param options How failures are repeated.
 * @returns How long to wait after so many failures.
 */
export function waitOf({ initial, max, factor = 2, jitter = true }: RetryOptions = {}) {
  const first = Number(initial ?? Math.min(1_000, Number(max ?? Infinity)));
  const most = Number(max ?? Math.max(300_000, first));
  return (failures: number): number => {
    let wait = first;
    for (let count = 1; count < failures && wait < most; count++) wait *= factor;
    const full = Math.min(most, wait);
    // Jitter spreads a wait over its upper half.
    return Math.round(jitter ? full / 2 + full / 2 * steadyChance : full);
  };
}
