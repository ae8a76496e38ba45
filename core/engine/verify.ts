/**
 * `admin.verify()`: walks a store and checks every invariant that can be seen standing still. It reports, never throws
 * for what it finds, and holds one page of entries in memory.
 *
 * @module
 */
import { keyAfter } from "../store/key.ts";
import { describeKey, keyspace } from "../store/keyspace.ts";
import type { Entry } from "../store/store.ts";
import { ownershipDamage } from "../parts/ownership_rows.ts";
import type { EngineContext } from "./context.ts";
import { checkChoreRows, checkChores } from "./verify_chores.ts";
import { checkLockRows, checkRunLocks } from "./verify_locks.ts";
import { HistoryCheck } from "./verify_history.ts";
import {
  checkAnswerRow,
  checkIndexRow,
  checkKeyRow,
  checkRuns,
  recordsOf,
  type ShardCheck,
} from "./verify_rows.ts";
import { checkScheduleRows, checkSchedules } from "./verify_schedules.ts";
import { checkHeldRows, checkLogRow, checkStreamRows } from "./verify_streams.ts";

/** Something in the store that should not be, or that may be looked at. */
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
  /**
   * What this engine's code does not explain and older code may: moves along no edge of today's machines. Of a machine
   * that never lost an edge, each is a fault. At most 1,000.
   */
  readonly notes: readonly Finding[];
}

const findingsMax = 1_000;

/** Entries read at a time. */
const pageEntries = 1_000;

/**
 * @param context The engine.
 * @param signal Ends the walk.
 * @returns What it saw.
 */
export async function verifyStore(context: EngineContext, signal?: AbortSignal): Promise<VerifyReport> {
  const findings: Finding[] = [];
  const notes: Finding[] = [];
  let entries = 0;
  let runs = 0;
  for (let shard = 0; shard < context.store.shards; shard++) {
    const into = (list: Finding[]) => (invariant: string, key: string, problem: string) => {
      if (list.length < findingsMax) list.push({ invariant, shard, key, problem });
    };
    const check: ShardCheck = { context, shard, report: into(findings), note: into(notes) };
    const histories = new HistoryCheck(check);
    for await (const page of pagesOf(check, signal)) {
      entries += page.length;
      runs += await checkPage(check, histories, page);
    }
    histories.end();
  }
  return { ok: findings.length === 0, entries, runs, findings, notes };
}

async function* pagesOf({ context, shard }: ShardCheck, signal: AbortSignal | undefined) {
  const { entriesPerRangeMax } = context.store.limits;
  const limit = Math.min(pageEntries, entriesPerRangeMax);
  for (let start = "";;) {
    signal?.throwIfAborted();
    const [page] = await context.reader.read(shard, [{ start, end: "\x7f", limit }]);
    yield page!;
    if (page!.length < limit) return;
    start = keyAfter(page!.at(-1)!.key);
  }
}

/** Entries of a page by the space they are in. */
async function checkPage(
  check: ShardCheck,
  histories: HistoryCheck,
  page: readonly Entry[],
): Promise<number> {
  const bySpace = new Map<string, Entry[]>();
  for (const entry of page) {
    const described = describeKey(entry.key);
    if (!described) {
      check.report("keyspace", entry.key, "no registered prefix has this shape");
      continue;
    }
    const found = bySpace.get(described.space.name) ?? [];
    bySpace.set(described.space.name, found);
    found.push(entry);
  }
  const of = (space: { readonly name: string }) => bySpace.get(space.name) ?? [];
  for (const entry of [...of(keyspace.owner), ...of(keyspace.presence)]) {
    const damage = ownershipDamage(entry);
    if (damage) check.report("record", entry.key, damage);
  }
  const streams = {
    events: of(keyspace.event),
    cursors: of(keyspace.cursor),
    relays: of(keyspace.relay),
  };
  checkStreamRows(check, streams);
  await checkHeldRows(check, of(keyspace.held));
  await histories.add(of(keyspace.history));
  const runs = await checkRuns(check, of(keyspace.run));
  await checkRunLocks(check, of(keyspace.run));
  await checkLockRows(check, {
    locks: of(keyspace.lock),
    waits: of(keyspace.wait),
    asks: of(keyspace.ask),
    places: of(keyspace.places),
    dues: of(keyspace.lockDue),
  });
  await checkChoreRows(check, [...of(keyspace.todo), ...of(keyspace.parked)]);
  await checkSchedules(check, of(keyspace.schedule));
  await checkScheduleRows(check, {
    ticks: of(keyspace.tick),
    outcomes: of(keyspace.occurrence),
    marks: of(keyspace.mark),
  });
  const rows = [
    ...of(keyspace.list).map((entry) => checkIndexRow(check, entry)),
    ...of(keyspace.work).map((entry) => checkIndexRow(check, entry)),
    ...of(keyspace.key).map((entry) => checkKeyRow(check, entry)),
    ...of(keyspace.idempotency).map((entry) => checkAnswerRow(check, entry)),
    ...of(keyspace.log).map((entry) => checkLogRow(check, entry)),
    ...await checkChores(check, of(keyspace.chore)),
  ].filter((row) => row !== undefined);
  const records = await recordsOf(check, rows.map((row) => row.runId));
  for (const row of rows) row.compare(records.get(row.runId));
  return runs;
}
