import { readStamp, splitKey, unescapeText } from "../store/key.ts";
import { keyspace } from "../store/keyspace.ts";
import type { EngineContext } from "./context.ts";
import { presenceShard } from "./presence.ts";
import { Roster } from "./roster.ts";

/** Work of a definition that no living engine carries. */
export interface UnservedWork {
  /** The definition. */
  readonly definition: string;
  /** Where runs of it, their hooks or its schedules have something due, now or later. */
  readonly shards: readonly number[];
  /** When the first of it is, or was, due. */
  readonly firstDue: Date;
}

/**
 * Looks for work that nobody does, because its code is not deployed.
 *
 * @param context The engine; it need not work itself.
 * @returns By definition, in order of name.
 */
export async function unservedWork(context: EngineContext): Promise<readonly UnservedWork[]> {
  const { clock, reader, limits, store } = context;
  const roster = new Roster(clock);
  const [presences, ...found] = await Promise.all([
    reader.read(presenceShard, [{ ...keyspace.presence.range(), limit: limits.readPageMax }]),
    ...Array.from({ length: store.shards }, (_, shard) => firstDues(context, shard)),
  ]);
  roster.look(presences[0]!);
  const carried = new Set(roster.members.flatMap(({ presence }) => presence.carries.map(([name]) => name)));
  const unserved = new Map<string, { shards: number[]; due: number }>();
  for (const [shard, dues] of found.entries()) {
    for (const [definition, due] of dues) {
      if (carried.has(definition)) continue;
      const { shards, due: first } = unserved.get(definition) ?? { shards: [], due };
      unserved.set(definition, { shards: [...shards, shard], due: Math.min(first, due) });
    }
  }
  return [...unserved].sort(([a], [b]) => a < b ? -1 : 1)
    .map(([definition, { shards, due }]) => ({ definition, shards, firstDue: new Date(due) }));
}

/** The earliest due time of each definition in a shard, of its runs, hooks and schedules: one small read for each. */
async function firstDues(context: EngineContext, shard: number): Promise<ReadonlyMap<string, number>> {
  const dues = new Map<string, number>();
  for (const space of [keyspace.work, keyspace.todo, keyspace.tick]) {
    const all = space.range();
    for (let { start } = all;;) {
      const [page] = await context.reader.read(shard, [{ start, end: all.end, limit: 1 }]);
      const first = page![0];
      if (!first) break;
      const [, name, due] = splitKey(first.key);
      const definition = unescapeText(name!);
      dues.set(definition, Math.min(readStamp(due!), dues.get(definition) ?? Infinity));
      start = space.range(definition).end;
    }
  }
  return dues;
}
