/**
 * Who owns how many shards of each definition.
 *
 * @module
 */
import type { Shard } from "./wire.ts";

/** The shards of one owner, or of nobody. */
export interface Owned {
  readonly engineId: string | undefined;
  readonly shards: readonly number[];
}

/** The owners of a definition's shards. */
export interface Owners {
  readonly definition: string;
  readonly owners: readonly Owned[];
  readonly handOvers: number;
}

/** @returns By definition, in order of name; its largest owner first, nobody last. */
export function ownersOf(shards: readonly Shard[]): readonly Owners[] {
  const byDefinition = Map.groupBy(shards, ({ definition }) => definition);
  return [...byDefinition].sort(([a], [b]) => a < b ? -1 : 1).map(([definition, own]) => {
    const byOwner = Map.groupBy(own, ({ engineId }) => engineId);
    const owners = [...byOwner].map(([engineId, rows]) => ({
      engineId,
      shards: rows.map(({ shard }) => shard).sort((a, b) => a - b),
    }));
    const rank = ({ engineId, shards }: Owned) => engineId === undefined ? 0 : shards.length;
    owners.sort((a, b) => rank(b) - rank(a) || (String(a.engineId) < String(b.engineId) ? -1 : 1));
    return { definition, owners, handOvers: own.reduce((sum, { epoch }) => sum + epoch, 0) };
  });
}
