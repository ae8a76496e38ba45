import { keyAfter, splitKey } from "../store/key.ts";
import { keyspace } from "../store/keyspace.ts";
import type { EngineContext } from "./context.ts";

/**
 * The stalled runs of a definition in a shard: runs at a status that the code of an earlier owner did not know.
 *
 * @param context The engine.
 * @param definition Whose runs.
 * @param shard Where.
 * @returns Their ids, a page at a time.
 */
export async function* stalledRuns(
  context: EngineContext,
  definition: string,
  shard: number,
): AsyncGenerator<readonly string[]> {
  const limit = context.limits.duePageMax;
  const { start: first, end } = keyspace.list.range(definition, "stalled");
  for (let start = first;;) {
    const [page] = await context.reader.read(shard, [{ start, end, limit }]);
    yield page!.map((entry) => splitKey(entry.key)[3]!);
    if (page!.length < limit) return;
    start = keyAfter(page!.at(-1)!.key);
  }
}
