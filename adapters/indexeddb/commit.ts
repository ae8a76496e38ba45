import { OutcomeUnknownError } from "../../core/errors.ts";
import { keyspace } from "../../core/store/keyspace.ts";
import { overlaysOf, type ShardOverlay } from "../../core/store/overlay.ts";
import { settleCall } from "../../core/store/settle.ts";
import type { CallResult, CommitCall } from "../../core/store/store.ts";
import { begin, DeadHandle, type Handle } from "./database.ts";
import { isQuota } from "./errors.ts";
import { inTime } from "./in_time.ts";
import { rememberedBy, type RememberedShard } from "./remembered.ts";
import { checkRow, counterKey, shardFront } from "./schema.ts";

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
  const isRelaxed = relaxes && calls.every(isProgress);
  const overlays = overlaysOf(calls);
  const tx = begin(handle, "readwrite", isRelaxed ? "relaxed" : "strict", doing);
  // It is looked at when all has been asked for; an earlier rejection is that of a request, too.
  tx.done.catch(() => {});
  const remembered = (shard: number) => rememberedBy(handle, shard);
  const results = await prepare(tx, calls, overlays, { doing, timeoutMs, remembered });
  try {
    tx.commit();
    await inTime(tx.done, timeoutMs, doing, () => {});
  } catch (error) {
    if (isQuota(error)) throw error;
    throw new OutcomeUnknownError(`Cannot ${doing}: the browser did not say whether it was done`, {
      cause: error,
    });
  }
  for (const overlay of overlays.values()) {
    remembered(overlay.shard).learn(overlay, outcomeKeys(calls, overlay.shard));
  }
  return results;
}

/** An empty call settles a lost one, which may have been none: what it tells must be safe, too. */
function isProgress({ batches }: CommitCall): boolean {
  return batches.length > 0 && batches.every((batch) => batch.relaxed);
}

function outcomeKeys(calls: readonly CommitCall[], shard: number): string[] {
  return calls.filter((call) => call.shard === shard).map(({ committer }) =>
    keyspace.outcome.key(committer.id)
  );
}

/** What a commit goes by beside its transaction. */
interface Ways extends Pick<CommitOptions, "doing" | "timeoutMs"> {
  readonly remembered: (shard: number) => RememberedShard;
}

type Transaction = ReturnType<typeof begin<"readwrite">>;
type Rows = Transaction["store"];

/** Does all but the commit. Whatever fails here takes all of it back: the browser would commit what was written so far. */
async function prepare(
  tx: Transaction,
  calls: readonly CommitCall[],
  overlays: ReadonlyMap<number, ShardOverlay>,
  { doing, timeoutMs, remembered }: Ways,
): Promise<readonly CallResult[]> {
  try {
    // To ask for it throws once the transaction has been aborted, and what was asked of it before would be nobody's.
    const { store } = tx;
    const loaded = [...overlays.values()].map((overlay) =>
      load(store, overlay, outcomeKeys(calls, overlay.shard), remembered(overlay.shard))
    );
    await inTime(Promise.all(loaded), timeoutMs, doing, () => {});
    const results = calls.map((call) => settleCall(call, overlays.get(call.shard)!, true));
    for (const overlay of overlays.values()) write(store, overlay);
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

/** Asks for the counter and for all that is not remembered; and for that, too, when somebody has written since. */
async function load(
  store: Rows,
  overlay: ShardOverlay,
  outcomes: readonly string[],
  remembered: RememberedShard,
): Promise<void> {
  const front = shardFront(overlay.shard);
  const checked = [...overlay.known.keys()];
  const askVersion = async (key: string) => {
    const row = await store.get(front + key);
    overlay.known.set(key, row ? checkRow(row).n : null);
  };
  const askOutcome = async (key: string) => {
    const row = await store.get(front + key);
    if (row) overlay.loadValue(key, checkRow(row).v);
  };
  const [knownKeys, newKeys] = parted(checked, (key) => remembered.versionOf(key) !== undefined);
  const [knownOutcomes, newOutcomes] = parted(outcomes, (key) => remembered.outcomeOf(key) !== undefined);
  const rest = async () => {
    const row = await store.get(counterKey(overlay.shard));
    // Somebody has emptied it: to open it anew tells what is left.
    if (!row) throw new DeadHandle(new DOMException("the store was cleared", "InvalidStateError"));
    const counter = checkRow(row).n;
    overlay.load(counter);
    const isCurrent = remembered.isCurrent(counter);
    const asked: Promise<void>[] = [];
    for (const key of knownKeys) {
      const version = isCurrent ? remembered.versionOf(key) : undefined;
      if (version === undefined) asked.push(askVersion(key));
      else overlay.known.set(key, version);
    }
    for (const key of knownOutcomes) {
      const value = isCurrent ? remembered.outcomeOf(key) : undefined;
      if (value === undefined) asked.push(askOutcome(key));
      else overlay.loadValue(key, value);
    }
    await Promise.all(asked);
  };
  await Promise.all([...newKeys.map(askVersion), ...newOutcomes.map(askOutcome), rest()]);
}

function parted<Item>(items: readonly Item[], isFirst: (item: Item) => boolean): [Item[], Item[]] {
  return [items.filter(isFirst), items.filter((item) => !isFirst(item))];
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
