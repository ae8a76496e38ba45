/**
 * A store that remembers every version of every run that was committed through it.
 *
 * @module
 */
import { type RunRecord } from "../parts/run_record.ts";
import { decodeRecord } from "../parts/run_row.ts";
import { keyspace } from "../store/keyspace.ts";
import type { Batch, BatchResult, CallResult, CommitCall, OnHint, Store } from "../store/store.ts";

/** A store, and what was committed through it. */
export interface RecordedStore {
  /** The store to give to engines. */
  readonly store: Store;
  /** Every version of a run, oldest first. */
  versions(runId: string): readonly RunRecord[];
  /** Lets every engine on the store look at once, as if another had written. */
  hint(): void;
}

/** Batches of a call whose reply was lost, until a later call of the same committer tells what became of them. */
type Lost = Map<string, readonly Batch[]>;

const runFront = keyspace.run.key("");

/**
 * Wraps a store. What others commit past the wrapper is not seen.
 *
 * @param inner The store underneath.
 * @returns The wrapper and its memory.
 */
export function recordedStore(inner: Store): RecordedStore {
  const runs = new Map<string, RunRecord[]>();
  const lost: Lost = new Map();
  const watchers = new Set<OnHint>();
  const note = ({ puts }: Batch) => {
    for (const { key, value } of puts) {
      if (!key.startsWith(runFront)) continue;
      const record = decodeRecord(value, key);
      const known = runs.get(record.id);
      if (!known) runs.set(record.id, [record]);
      // A prepared batch may be announced twice.
      else if (known.at(-1)!.version < record.version) known.push(record);
    }
  };
  const noteAll = (batches: readonly Batch[], results: readonly BatchResult[]) => {
    batches.forEach((batch, index) => results[index]?.ok && note(batch));
  };
  const { prepare } = inner;
  const store: Store = {
    limits: inner.limits,
    shards: inner.shards,
    read: (requests) => inner.read(requests),
    async commit(calls) {
      const results = await committed(inner, calls, lost);
      calls.forEach((call, index) => settle(call, results[index]!, lost, noteAll));
      return results;
    },
    watch(onHint) {
      const unwatch = inner.watch?.(onHint);
      watchers.add(onHint);
      return () => {
        watchers.delete(onHint);
        unwatch?.();
      };
    },
    ...(prepare && {
      prepare(shard: number, batch: Batch) {
        const prepared = prepare.call(inner, shard, batch);
        return {
          statements: prepared.statements,
          isRefusal: (error: unknown) => prepared.isRefusal(error),
          announce() {
            note(batch);
            prepared.announce();
          },
        };
      },
    }),
    close: () => inner.close(),
  };
  return {
    store,
    versions: (runId) => runs.get(runId) ?? [],
    hint: () => watchers.forEach((onHint) => onHint(0, "")),
  };
}

async function committed(
  inner: Store,
  calls: readonly CommitCall[],
  lost: Lost,
): Promise<readonly CallResult[]> {
  try {
    return await inner.commit(calls);
  } catch (error) {
    for (const { committer, batches } of calls) lost.set(committer.callId, batches);
    throw error;
  }
}

function settle(
  call: CommitCall,
  result: CallResult,
  lost: Lost,
  noteAll: (batches: readonly Batch[], results: readonly BatchResult[]) => void,
): void {
  if (result.outcome === "done") noteAll(call.batches, result.results);
  if (result.outcome !== "superseded" || !result.last?.results) return;
  const { callId, results } = result.last;
  noteAll(lost.get(callId) ?? [], results);
  lost.delete(callId);
}
