import { OutcomeUnknownError } from "../../core/errors.ts";
import { keyspace } from "../../core/store/keyspace.ts";
import { overlaysOf, type ShardOverlay } from "../../core/store/overlay.ts";
import { settleCall } from "../../core/store/settle.ts";
import type { CallResult, CommitCall } from "../../core/store/store.ts";
import { begin, DeadHandle, type Handle } from "./database.ts";
import { isQuota } from "./errors.ts";
import { inTime } from "./in_time.ts";
import { checkRow, counterKey, type Row, shardFront } from "./schema.ts";

/** How a commit is made. */
export interface CommitOptions {
  /** Commits of relaxed batches only need not reach the disk at once. */
  readonly relaxes: boolean;
  /** For messages. */
  readonly doing: string;
  readonly timeoutMs: number;
}

/**
 * One transaction for a group of commits: every row that it hangs on is asked for at once, what becomes of it is settled in
 * memory, and all is written before anything else is waited for.
 *
 * @throws {OutcomeUnknownError} The browser was told to commit, and did not say whether it has.
 */
export async function commitIn(
  handle: Handle,
  calls: readonly CommitCall[],
  { relaxes, doing, timeoutMs }: CommitOptions,
): Promise<readonly CallResult[]> {
  const isRelaxed = relaxes && calls.every(({ batches }) => batches.every((batch) => batch.relaxed));
  const overlays = overlaysOf(calls);
  const tx = begin(handle, "readwrite", isRelaxed ? "relaxed" : "strict", doing);
  // It is looked at when all has been asked for; an earlier rejection is that of a request, too.
  tx.done.catch(() => {});
  const results = await prepare(tx, calls, overlays, { doing, timeoutMs });
  try {
    tx.commit();
    await inTime(tx.done, timeoutMs, doing, () => {});
  } catch (error) {
    if (isQuota(error)) throw error;
    throw new OutcomeUnknownError(`Cannot ${doing}: the browser did not say whether it was done`, {
      cause: error,
    });
  }
  return results;
}

type Transaction = ReturnType<typeof begin<"readwrite">>;
type Rows = Transaction["store"];

/** Does all but the commit. Whatever fails here takes all of it back: the browser would commit what was written so far. */
async function prepare(
  tx: Transaction,
  calls: readonly CommitCall[],
  overlays: ReadonlyMap<number, ShardOverlay>,
  { doing, timeoutMs }: Pick<CommitOptions, "doing" | "timeoutMs">,
): Promise<readonly CallResult[]> {
  try {
    await inTime(Promise.all(loads(tx.store, calls, overlays)), timeoutMs, doing, () => {});
    const results = calls.map((call) => settleCall(call, overlays.get(call.shard)!, true));
    for (const overlay of overlays.values()) write(tx.store, overlay);
    return results;
  } catch (error) {
    try {
      tx.abort();
    } catch {
      // It has been aborted already.
    }
    throw error;
  }
}

function loads(
  store: Rows,
  calls: readonly CommitCall[],
  overlays: ReadonlyMap<number, ShardOverlay>,
): Promise<void>[] {
  const asked: Promise<void>[] = [];
  const ask = (key: string, found: (row: Row | undefined) => void) => asked.push(store.get(key).then(found));
  for (const [shard, overlay] of overlays) {
    const front = shardFront(shard);
    ask(counterKey(shard), (row) => {
      // Somebody has emptied it: to open it anew tells what is left.
      if (!row) throw new DeadHandle(new DOMException("the store was cleared", "InvalidStateError"));
      overlay.load(checkRow(row).n);
    });
    for (const key of [...overlay.known.keys()]) {
      ask(front + key, (row) => overlay.known.set(key, row ? checkRow(row).n : null));
    }
  }
  for (const { shard, committer } of calls) {
    const key = keyspace.outcome.key(committer.id);
    ask(shardFront(shard) + key, (row) => row && overlays.get(shard)!.loadValue(key, checkRow(row).v));
  }
  return asked;
}

/** Requests are in the order of their making, so the last write is the last to be done; who commits waits for that. */
function write(store: Rows, overlay: ShardOverlay): void {
  const front = shardFront(overlay.shard);
  const ignore = () => {};
  if (overlay.isDirty) store.put({ k: counterKey(overlay.shard), v: "", n: overlay.counter }).catch(ignore);
  for (const [key, row] of overlay.written) {
    if (row) store.put({ k: front + key, v: row.value, n: row.version }).catch(ignore);
    else store.delete(front + key).catch(ignore);
  }
}
