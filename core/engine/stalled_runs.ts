import { keyAfter, splitKey } from "../store/key.ts";
import { keyspace } from "../store/keyspace.ts";
import type { EngineContext } from "./context.ts";

/** Whose stalled runs. */
export interface StalledHost {
  readonly name: string;
  readonly shard: number;
  /** Nothing more is to be done. */
  readonly over: boolean;
  /** Told of what goes wrong with one run. */
  failed(error: unknown): void;
}

/**
 * Takes up stalled runs, a page at a time.
 *
 * @param host Whose.
 * @param takeUp Changes one, if it may go on.
 */
export async function unstallRuns(
  context: EngineContext,
  host: StalledHost,
  takeUp: (runId: string) => Promise<void>,
): Promise<void> {
  for await (const page of stalledRuns(context, host.name, host.shard)) {
    await Promise.all(page.map((runId) => takeUp(runId).catch((error) => host.failed(error))));
    if (host.over) return;
  }
}

/**
 * The stalled runs of a definition in a shard: runs at a status that the code of an earlier owner did not know.
 *
 * @param context The engine.
 * @param definition Whose runs.
 * @param shard Where.
 * @returns Their ids, a page at a time.
 */
async function* stalledRuns(
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
