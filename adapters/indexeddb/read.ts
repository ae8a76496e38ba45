import type { Entry, ReadOp, ReadRequest, ReadResult } from "../../core/store/store.ts";
import { begin, type Handle } from "./database.ts";
import { inTime } from "./in_time.ts";
import { checkRow, type Row, shardFront } from "./schema.ts";

/** One transaction for all requests, so that each shard's answers are of one snapshot. */
export async function readIn(
  handle: Handle,
  requests: readonly ReadRequest[],
  doing: string,
  timeoutMs: number,
): Promise<readonly ReadResult[]> {
  const tx = begin(handle, "readonly", "relaxed", doing);
  const { store } = tx;
  // All are asked for at once, before anything is waited for.
  const found = requests.map(({ shard, ops }) => {
    const front = shardFront(shard);
    return Promise.all(ops.map((op) => readOp(store, front, op)));
  });
  return await inTime(Promise.all(found), timeoutMs, doing, () => tx.abort());
}

type Rows = ReturnType<typeof begin<"readonly">>["store"];

async function readOp(store: Rows, front: string, op: ReadOp): Promise<readonly Entry[]> {
  const entryOf = (row: Row): Entry => {
    const { k, v, n } = checkRow(row);
    return { key: k.slice(front.length), value: v, version: n };
  };
  if ("get" in op) {
    const row = await store.get(front + op.get);
    return row ? [entryOf(row)] : [];
  }
  // An empty range is an error to IndexedDB.
  if (op.limit === 0 || op.start >= op.end) return [];
  const range = IDBKeyRange.bound(front + op.start, front + op.end, false, true);
  if (!op.reverse) return (await store.getAll(range, op.limit)).map(entryOf);
  const found: Entry[] = [];
  for (let cursor = await store.openCursor(range, "prev"); cursor; cursor = await cursor.continue()) {
    found.push(entryOf(cursor.value));
    if (found.length === op.limit) break;
  }
  return found;
}
