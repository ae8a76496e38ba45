/**
 * The first of some times.
 *
 * @param dues Times; `undefined`: never.
 * @returns The smallest, or `undefined` when there is none.
 */
export function earliest(...dues: readonly (number | undefined)[]): number | undefined {
  const known = dues.filter((due) => due !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
