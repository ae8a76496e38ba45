/**
 * `admin.verify()`: walks a store and checks every invariant that can be seen standing still. It reports, never throws.
 *
 * @module
 */
import { bucketOf, decodeRecord, isFinished, type RunRecord, runTable } from "../parts/run_record.ts";
import { parseStored } from "../json.ts";
import { decodeHistory, type HistoryRow } from "../parts/history.ts";
import { keyAfter } from "../store/key.ts";
import { describeKey, keyspace } from "../store/keyspace.ts";
import type { Entry } from "../store/store.ts";
import { type EngineContext, shardOf, shardOfRun } from "./context.ts";

/** Something in the store that should not be. */
export interface Finding {
  /** The invariant, as ARCHITECTURE.md names it. */
  readonly invariant: string;
  /** The shard. */
  readonly shard: number;
  /** The key it was seen at. */
  readonly key: string;
  /** What is wrong. */
  readonly problem: string;
}

/** What a walk saw. */
export interface VerifyReport {
  /** True when there are no findings. */
  readonly ok: boolean;
  /** Entries looked at. */
  readonly entries: number;
  /** Runs looked at. */
  readonly runs: number;
  /** What should not be; at most 1,000. */
  readonly findings: readonly Finding[];
}

const findingsMax = 1_000;

/**
 * @param context The engine.
 * @param signal Ends the walk.
 * @returns What it saw.
 */
export async function verifyStore(context: EngineContext, signal?: AbortSignal): Promise<VerifyReport> {
  const findings: Finding[] = [];
  let entries = 0;
  let runs = 0;
  for (let shard = 0; shard < context.store.shards; shard++) {
    const all = await readShard(context, shard, signal);
    entries += all.size;
    const report = (invariant: string, key: string, problem: string) => {
      if (findings.length < findingsMax) findings.push({ invariant, shard, key, problem });
    };
    runs += checkShardEntries(context, shard, all, report);
  }
  return { ok: findings.length === 0, entries, runs, findings };
}

type Report = (invariant: string, key: string, problem: string) => void;

async function readShard(
  context: EngineContext,
  shard: number,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, Entry>> {
  const all = new Map<string, Entry>();
  const limit = Math.min(1_000, context.store.limits.entriesPerRangeMax);
  for (let start = "";;) {
    signal?.throwIfAborted();
    const [page] = await context.reader.read(shard, [{ start, end: "\x7f", limit }]);
    for (const entry of page!) all.set(entry.key, entry);
    if (page!.length < limit) return all;
    start = keyAfter(page!.at(-1)!.key);
  }
}

function checkShardEntries(
  context: EngineContext,
  shard: number,
  all: ReadonlyMap<string, Entry>,
  report: Report,
): number {
  const expected = new Set<string>();
  const unfinished = new Map<string, string>();
  const histories = new Map<string, HistoryRow[]>();
  const records: { readonly entry: Entry; readonly run: RunRecord }[] = [];
  for (const entry of all.values()) {
    const described = describeKey(entry.key);
    if (!described) report("keyspace", entry.key, "no registered prefix has this shape");
    else if (described.space.name === keyspace.run.name) {
      const run = readEntry(entry, (each) => decodeRecord(each.value), report);
      if (run) records.push({ entry, run });
    } else if (described.space.name === keyspace.history.name) {
      const rows = histories.get(described.parts.runId!) ?? [];
      histories.set(described.parts.runId!, rows);
      const row = readEntry(entry, decodeHistory, report);
      if (row) rows.push(row);
    }
  }
  for (const { entry, run } of records) {
    const rows = histories.get(run.id) ?? [];
    checkRun(context, shard, entry, run, all, expected, report);
    checkWork(context, run, rows, entry.key, report);
    if (!isFinished(run.state)) {
      const name = keyspace.key.key(run.definition, run.key);
      const other = unfinished.get(name);
      if (other) {
        report("I1", entry.key, `runs ${other} and ${run.id} of key "${run.key}" are both unfinished`);
      }
      unfinished.set(name, run.id);
    }
    checkHistory(context, run, rows, entry.key, report);
  }
  for (const key of all.keys()) {
    const name = describeKey(key)?.space.name;
    const isIndex = name === keyspace.list.name || name === keyspace.work.name;
    if (isIndex && !expected.has(key)) report("index", key, "no run stands behind this index row");
  }
  return records.length;
}

function readEntry<Row>(entry: Entry, decode: (entry: Entry) => Row, report: Report): Row | undefined {
  try {
    return decode(entry);
  } catch (error) {
    report("record", entry.key, String(error));
    return undefined;
  }
}

function checkRun(
  context: EngineContext,
  shard: number,
  entry: Entry,
  run: RunRecord,
  all: ReadonlyMap<string, Entry>,
  expected: Set<string>,
  report: Report,
): void {
  if (entry.key !== keyspace.run.key(run.id)) report("record", entry.key, `holds run ${run.id}`);
  if (shardOfRun(context, run.id) !== shard || shardOf(context, run.definition, run.key) !== shard) {
    report("placement", entry.key, "the run is in the wrong shard");
  }
  for (const row of runTable.rows(run)) {
    expected.add(row.key);
    if (all.get(row.key)?.value !== row.value) report("index", row.key, `missing or wrong for run ${run.id}`);
  }
  const keyRow = all.get(keyspace.key.key(run.definition, run.key));
  const latest = keyRow && readEntry(keyRow, readLatest, report);
  if (!keyRow) report("I1", entry.key, `key "${run.key}" has no row`);
  else if (latest && !isFinished(run.state) && latest.runId !== run.id) {
    report("I1", entry.key, `the run is unfinished but not the latest of key "${run.key}"`);
  }
}

const readLatest = (entry: Entry) => parseStored(entry.value, "key row") as { readonly runId: string };

/** A finished run has nothing due; an active one at a status with a step has, unless its step answered `skip`. */
function checkWork(
  context: EngineContext,
  run: RunRecord,
  rows: readonly HistoryRow[],
  key: string,
  report: Report,
): void {
  if (isFinished(run.state) && run.due !== undefined) {
    report("I4", key, `a run that is ${run.state} has work due`);
  }
  const behaviour = context.definitions.get(run.definition)?.behaviour;
  const waits = bucketOf(run.state) === "active" && run.due === undefined && behaviour?.policy(run.status);
  const last = rows.filter((row) => row.kind !== "late").at(-1);
  if (waits && last?.kind !== "skip") {
    report("I9", key, `the run is ${run.state} at "${run.status}" but nothing is due`);
  }
}

/** History has one row per version of the record, each move along an edge, nothing but late results after the end. */
function checkHistory(
  context: EngineContext,
  run: RunRecord,
  rows: readonly HistoryRow[],
  key: string,
  report: Report,
): void {
  const changes = rows.filter((row) => row.kind !== "late").sort((a, b) => a.position - b.position);
  changes.forEach((row, index) => {
    if (row.version !== index + 1) report("I2", key, `history row ${index + 1} has version ${row.version}`);
    const previous = changes[index - 1];
    if (previous && isFinished(previous.runState)) {
      report("I4", key, `${row.kind} after ${previous.runState}`);
    }
  });
  if (changes.length !== run.version) {
    report("I2", key, `version ${run.version} with ${changes.length} changes in history`);
  }
  const edges = context.definitions.get(run.definition)?.behaviour.edges;
  for (const row of edges ? changes : []) {
    if (row.kind !== "move" || edges!.get(row.from!)?.includes(row.to!)) continue;
    report("I3", key, `moved from "${row.from}" to "${row.to}", which is no edge`);
  }
}
