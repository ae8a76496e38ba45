/**
 * What `admin.verify()` asks of records and of the rows that follow from them.
 *
 * @module
 */
import { readAnswer, readLatest } from "../parts/key_rows.ts";
import { shardOfRunId } from "../parts/run_id.ts";
import { bucketOf, earliestDue, isFinished, type RunRecord } from "../parts/run_record.ts";
import { decodeRecord, runTable } from "../parts/run_row.ts";
import { splitKey, unescapeText } from "../store/key.ts";
import { keyspace } from "../store/keyspace.ts";
import type { Entry, ReadOp } from "../store/store.ts";
import { type EngineContext, shardOf } from "./context.ts";

/** Where a walk is, and whom it tells. */
export interface ShardCheck {
  readonly context: EngineContext;
  readonly shard: number;
  /** Of what should not be. */
  report(invariant: string, key: string, problem: string): void;
  /** Of what older code may explain. */
  note(invariant: string, key: string, problem: string): void;
}

/** A run that a row leads to: its record, `undefined` when there is none, or `"damaged"`. */
export type Found = RunRecord | "damaged" | undefined;

/** A row that leads to a run. */
export interface RunRow {
  readonly runId: string;
  compare(run: Found): void;
}

/**
 * @param check Where; nothing is reported of the value, as the walk comes to it itself.
 * @returns What reading gives, or `undefined` with a report.
 */
export function readEntry<Row>(
  check: Pick<ShardCheck, "report">,
  entry: Entry,
  read: (entry: Entry) => Row,
): Row | undefined {
  try {
    return read(entry);
  } catch (error) {
    check.report("record", entry.key, String(error));
    return undefined;
  }
}

/** Ops in slices that the store takes; each slice is a snapshot of its own. */
export async function readAll(
  { context, shard }: ShardCheck,
  ops: readonly ReadOp[],
): Promise<(readonly Entry[])[]> {
  const size = Math.min(1_000, context.store.limits.opsPerReadMax);
  const found: (readonly Entry[])[] = [];
  for (let from = 0; from < ops.length; from += size) {
    found.push(...await context.reader.read(shard, ops.slice(from, from + size)));
  }
  return found;
}

/** The records of these runs. */
export async function recordsOf(
  check: ShardCheck,
  runIds: readonly string[],
): Promise<ReadonlyMap<string, Found>> {
  const ids = [...new Set(runIds)];
  const found = await readAll(check, ids.map((id) => ({ get: keyspace.run.key(id) })));
  return new Map(ids.map((id, index) => [id, readFound(found[index]![0])]));
}

function readFound(entry: Entry | undefined): Found {
  try {
    return entry && decodeRecord(entry.value, entry.key);
  } catch {
    return "damaged";
  }
}

/**
 * Each record in its place, with its index rows, a history and a row of its key.
 *
 * @returns How many could be read.
 */
export async function checkRuns(check: ShardCheck, entries: readonly Entry[]): Promise<number> {
  const runs = entries.flatMap((entry) => {
    const run = readEntry(check, entry, readWhole);
    return run ? [{ entry, run }] : [];
  });
  const ops = runs.map(({ run }): readonly ReadOp[] => [
    { get: keyspace.key.key(run.definition, run.key) },
    { ...keyspace.history.range(run.id), limit: 1 },
    ...runTable.rows(run).map((row) => ({ get: row.key })),
  ]);
  const found = await readAll(check, ops.flat());
  for (const [index, { entry, run }] of runs.entries()) {
    const [keyRow, history, ...rows] = found.splice(0, ops[index]!.length).map((each) => each[0]);
    checkRun(check, entry, run);
    if (!history) check.report("I2", entry.key, `version ${run.version} with 0 changes in history`);
    checkLatest(check, entry, run, keyRow);
    runTable.rows(run).forEach((row, at) => {
      if (rows[at]?.value === row.value) return;
      check.report("index", row.key, `missing or wrong for run ${run.id}`);
    });
  }
  return runs.length;
}

/** The payload is looked at nowhere else. */
function readWhole(entry: Entry): RunRecord {
  const run = decodeRecord(entry.value, entry.key);
  JSON.parse(run.payload);
  return run;
}

function checkRun({ context, shard, report }: ShardCheck, { key }: Entry, run: RunRecord): void {
  if (key !== keyspace.run.key(run.id)) report("record", key, `holds run ${run.id}`);
  const byId = shardOfRunId(run.id, context.store.shards);
  if (byId !== shard || shardOf(context, run.definition, run.key) !== shard) {
    report("placement", key, "the run is in the wrong shard");
  }
  if (isFinished(run.state) && (run.stepDue !== undefined || run.timers.length > 0)) {
    report("I4", key, `a run that is ${run.state} has a step or timer due`);
  }
  if (bucketOf(run.state) === "active" && run.due !== earliestDue(run.stepDue, run.timers)) {
    report("I9", key, `due at ${run.due}, but its step at ${run.stepDue} and timers otherwise`);
  }
}

/** An unfinished run is the latest of its key; so there is one at most. */
function checkLatest(check: ShardCheck, { key }: Entry, run: RunRecord, keyRow: Entry | undefined): void {
  const behaviour = check.context.definitions.get(run.definition)?.behaviour;
  if (isFinished(run.state)) {
    // The runs between it and a key's latest may have been removed first, and that one with the row.
    const mayBeLeft = !behaviour || behaviour.keepFinishedMs !== undefined;
    if (!keyRow && !mayBeLeft) check.report("I1", key, `key "${run.key}" has no row`);
    return;
  }
  if (!keyRow) return check.report("I1", key, `key "${run.key}" has no row`);
  const latest = readFoundLatest(keyRow);
  if (latest === undefined || latest === run.id) return;
  check.report("I1", key, `the run is unfinished but not the latest of key "${run.key}", which is ${latest}`);
}

function readFoundLatest(entry: Entry): string | undefined {
  try {
    return readLatest(entry);
  } catch {
    return undefined;
  }
}

/** An index row has a run behind it that wants it. */
export function checkIndexRow({ report }: ShardCheck, { key }: Entry): RunRow {
  return {
    runId: splitKey(key).at(-1)!,
    compare(run) {
      if (run === "damaged" || (run && runTable.rows(run).some((row) => row.key === key))) return;
      report("index", key, "no run stands behind this index row");
    },
  };
}

/** A key leads to a run of that key. */
export function checkKeyRow(check: ShardCheck, entry: Entry): RunRow | undefined {
  const runId = readEntry(check, entry, readLatest);
  return runId === undefined ? undefined : ofKey(check, entry, runId, "I1");
}

/** A kept answer leads to a run of that key. */
export function checkAnswerRow(check: ShardCheck, entry: Entry): RunRow | undefined {
  const kept = readEntry(check, entry, readAnswer);
  return kept && ofKey(check, entry, kept.runId, "idempotency");
}

function ofKey({ report }: ShardCheck, entry: Entry, runId: string, invariant: string): RunRow {
  const [, definition, key] = splitKey(entry.key).map(unescapeText);
  return {
    runId,
    compare(run) {
      if (run === "damaged" || (run?.definition === definition && run?.key === key)) return;
      report(
        invariant,
        entry.key,
        `leads to run ${runId}, ${run ? "which has another key" : "which is gone"}`,
      );
    },
  };
}

/** An active run at a status with a step has it due, unless that step waits for something else. */
export function isLost({ context }: ShardCheck, run: RunRecord, waits: boolean): boolean {
  const isQueued = run.lock !== undefined && run.lock.tokens === undefined;
  if (bucketOf(run.state) !== "active" || run.stepDue !== undefined || waits || isQueued) return false;
  return context.definitions.get(run.definition)?.behaviour.policy(run.status) !== undefined;
}
