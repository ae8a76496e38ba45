import { keyAfter, splitKey } from "../store/key.ts";
import { keyspace } from "../store/keyspace.ts";
import type { RunRecord } from "../parts/run_record.ts";
import type { Behaviour } from "./behaviour.ts";
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
 * Whether the deployed code can go on with a run.
 *
 * @param behaviour The deployed code.
 * @param run The run.
 * @returns Why not; `undefined`: it can.
 */
export function whyStalled({ statuses, data }: Behaviour, run: RunRecord): string | undefined {
  if (!statuses.has(run.status)) return `status "${run.status}" is unknown to the deployed code`;
  if (run.dataVersion <= data.version) return undefined;
  return `its data is of version ${run.dataVersion}, the deployed code knows ${data.version}`;
}

/**
 * The stalled runs of a definition in a shard: runs that the code of an earlier owner could not go on with.
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
