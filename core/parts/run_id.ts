/**
 * How a run id finds its shard.
 *
 * @module
 */

/** Digits of a run id that name the shard's hash. */
const hashDigits = 4;

/**
 * The part of a run id that finds its shard.
 *
 * @param hash The 32-bit hash of definition and key.
 * @returns Four hexadecimal digits.
 */
export function hashSuffix(hash: number): string {
  return (hash & 0xffff).toString(16).padStart(hashDigits, "0");
}

/** The shard of a hash; the same by `hash` and by the digits that an id keeps of it. */
export function shardOfHash(hash: number, shards: number): number {
  return (hash & 0xffff) % shards;
}

/**
 * The shard that a run id names.
 *
 * @param runId A run id.
 * @param shards The store's shard count.
 * @returns The shard, or `undefined` when this is no run id.
 */
export function shardOfRunId(runId: string, shards: number): number | undefined {
  if (!/^[0-9a-f]{30}$/.test(runId)) return undefined;
  return parseInt(runId.slice(-hashDigits), 16) % shards;
}
