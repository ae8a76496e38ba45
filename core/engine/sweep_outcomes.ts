import { BatchBuilder } from "../store/batch.ts";
import { readStamp, stamp } from "../store/key.ts";
import { keyspace } from "../store/keyspace.ts";
import type { Check, Entry } from "../store/store.ts";
import type { EngineContext } from "./context.ts";

/** How long the answer to a committer's last call is kept, in milliseconds: far longer than any request is under way. */
const keptMs = 24 * 60 * 60 * 1_000;

/** Rows looked at by one sweep: it is a chore beside the work. */
const sweepMax = 200;

/**
 * Removes the answers that were kept for committers which have not called for a day, most of them gone for ever. One
 * that is still there finds its chain of calls broken, begins a new one and loses nothing.
 *
 * @param context The engine.
 * @param shard Which shard.
 * @param guard The fence of an owner there.
 */
export async function sweepOutcomes(context: EngineContext, shard: number, guard: Check): Promise<void> {
  const { reader, committer, clock, store } = context;
  const limit = Math.min(sweepMax, store.limits.entriesPerRangeMax);
  const [rows] = await reader.read(shard, [{ ...keyspace.outcome.range(), limit }]);
  const stale = rows!.filter((row) => clock.now() - calledAt(row) > keptMs);
  await Promise.all(stale.map((row) => {
    const batch = new BatchBuilder().check(row.key, row.version).delete(row.key);
    return committer.commit(shard, batch, guard);
  }));
}

/** A call's id begins with its time, by its committer's clock. */
function calledAt(row: Entry): number {
  const { callId } = JSON.parse(row.value) as { callId: string };
  return readStamp(callId.slice(0, stamp(0).length));
}
