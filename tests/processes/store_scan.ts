/**
 * All that is in a store, whatever it means: which secrets can be found anywhere, and which runs are spoken of.
 *
 * @module
 */
import type { Store } from "pawl";
import { keyAfter } from "../../core/store/key.ts";
import { describeKey, keyspace } from "../../core/store/keyspace.ts";
import { secrets } from "./trail.ts";

/** What was found, and the first key where. */
export interface StoreScan {
  /** Runs whose secret is somewhere, by their tokens. */
  readonly secrets: ReadonlyMap<string, string>;
  /** Ids of runs that rows speak of, but for events of streams, which outlive their runs. */
  readonly runIds: ReadonlyMap<string, string>;
  /** Keys of what is still to be done for hooks, due or parked. */
  readonly chores: readonly string[];
  readonly rows: number;
}

const runId = /\b[0-9a-f]{30}\b/g;
const pageRows = 1_000;

/** Their rows tell of what was, or of committers, not of what is. */
const bygone: ReadonlySet<string> = new Set(
  [keyspace.log, keyspace.event, keyspace.outcome].map(({ name }) => name),
);

/**
 * @param store Any store.
 * @returns What is in it.
 */
export async function scanStore(store: Store): Promise<StoreScan> {
  const [found, ids, chores] = [new Map<string, string>(), new Map<string, string>(), [] as string[]];
  let rows = 0;
  for await (const { key, value } of rowsOf(store)) {
    rows++;
    const text = `${key} ${value}`;
    for (const [, token] of text.matchAll(secrets)) if (!found.has(token!)) found.set(token!, key);
    const space = describeKey(key)?.space.name ?? "";
    if (space === keyspace.chore.name) chores.push(key);
    if (bygone.has(space)) continue;
    for (const [id] of text.matchAll(runId)) if (!ids.has(id)) ids.set(id, key);
  }
  return { secrets: found, runIds: ids, chores, rows };
}

async function* rowsOf(store: Store) {
  const limit = Math.min(pageRows, store.limits.entriesPerRangeMax);
  for (let shard = 0; shard < store.shards; shard++) {
    for (let start = "";;) {
      const [lists] = await store.read([{ shard, ops: [{ start, end: "\x7f", limit }] }]);
      const page = lists![0]!;
      yield* page;
      if (page.length < limit) break;
      start = keyAfter(page.at(-1)!.key);
    }
  }
}
