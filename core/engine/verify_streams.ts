/**
 * What `admin.verify()` asks of the rows of streams: that they can be read, are in their shard, and fit their runs.
 *
 * @module
 */
import { readHeld, readRelay } from "../parts/relay_rows.ts";
import { readLog } from "../parts/run_log.ts";
import { shardOfRunId } from "../parts/run_id.ts";
import { readCursor, readSent } from "../parts/stream_rows.ts";
import { splitKey, stamp, unescapeText } from "../store/key.ts";
import { keyspace } from "../store/keyspace.ts";
import type { Entry } from "../store/store.ts";
import { shardOf } from "./context.ts";
import { shardOfTopic } from "./store_streamer.ts";
import { readEntry, type RunRow, type ShardCheck } from "./verify_rows.ts";

/** Rows that stand for themselves. */
export function checkStreamRows(
  check: ShardCheck,
  rows: {
    readonly events: readonly Entry[];
    readonly cursors: readonly Entry[];
    readonly relays: readonly Entry[];
  },
): void {
  const { context, shard, report } = check;
  for (const entry of rows.events) readEntry(check, entry, readSent);
  for (const entry of rows.cursors) {
    const positions = readEntry(check, entry, readCursor);
    const far = [...positions?.keys() ?? []].find((each) => each >= context.store.shards);
    if (far !== undefined) report("record", entry.key, `has a place in shard ${far}, which there is not`);
  }
  for (const entry of rows.relays) readEntry(check, entry, readRelay);
  for (const { key } of [...rows.events, ...rows.cursors]) {
    const topic = unescapeText(splitKey(key)[1]!);
    if (shardOfTopic(topic, context.store.shards) !== shard) {
      report("placement", key, "the topic is in the wrong shard");
    }
  }
}

/** A row of a log tells of a version that its run has had. */
export function checkLogRow(check: ShardCheck, entry: Entry): RunRow | undefined {
  const { context, shard, report } = check;
  const row = readEntry(check, entry, readLog);
  if (!row) return undefined;
  const isPlaced = shardOfRunId(row.runId, context.store.shards) === shard &&
    shardOf(context, row.definition, row.key) === shard;
  if (!isPlaced) report("placement", entry.key, "the log tells of a run of another shard");
  return {
    runId: row.runId,
    compare(run) {
      // A run that is gone may have been deleted since.
      if (run === undefined || run === "damaged") return;
      if (run.definition !== row.definition || run.key !== row.key) {
        report("I8", entry.key, `tells of run ${row.runId} under another definition or key`);
      } else if (row.recordVersion > run.version) {
        report("I8", entry.key, `tells of version ${row.recordVersion} of a run that is at ${run.version}`);
      }
    },
  };
}

/** What is held back is still in the log. */
export async function checkHeldRows(check: ShardCheck, entries: readonly Entry[]): Promise<void> {
  const { context, shard, report } = check;
  for (const entry of entries) {
    const row = readEntry(check, entry, readHeld);
    if (!row) continue;
    const definition = unescapeText(splitKey(entry.key)[1]!);
    const key = keyspace.log.front(definition) + stamp(row.version);
    const logged = await context.reader.get(shard, key);
    const change = logged && readEntry({ report: () => {} }, logged, readLog);
    if (change?.runId !== row.runId) report("I8", entry.key, "what it holds back is not in the log");
  }
}
