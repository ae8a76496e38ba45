/**
 * What `admin.verify()` asks of locks: that their rows fit each other, and the runs that hold them or wait.
 *
 * @module
 */
import { decodeLock, type LockRecord, lockTable, shardOfNamespace, shareOf } from "../parts/lock_record.ts";
import { decodeAsk, decodePlaces, decodeWaiter } from "../parts/lock_rows.ts";
import { bucketOf, type RunLock, type RunRecord } from "../parts/run_record.ts";
import { decodeRecord } from "../parts/run_row.ts";
import { splitKey, unescapeText } from "../store/key.ts";
import { keyspace } from "../store/keyspace.ts";
import type { Entry } from "../store/store.ts";
import { readAll, readEntry, type ShardCheck } from "./verify_rows.ts";
import { readRun } from "./write_change.ts";

/** Rows of locks, of one page. */
export interface LockEntries {
  readonly locks: readonly Entry[];
  readonly waits: readonly Entry[];
  readonly asks: readonly Entry[];
  readonly places: readonly Entry[];
  readonly dues: readonly Entry[];
}

/** How long a grant that its run does not know may be on its way, or back. */
const onTheWayMs = 60_000;

/** Each row has the rows beside it that it must have, and stands in the shard of its namespace. */
export async function checkLockRows(check: ShardCheck, entries: LockEntries): Promise<void> {
  for (const entry of [...entries.locks, ...entries.waits, ...entries.asks, ...entries.places]) {
    const [, namespace] = partsOf(entry);
    const shard = shardOfNamespace(check.context.store.shards, namespace!);
    if (shard !== check.shard) check.report("placement", entry.key, "the lock is in the wrong shard");
  }
  for (const entry of entries.places) readEntry(check, entry, decodePlaces);
  await checkLocks(check, entries.locks);
  await checkWaits(check, entries.waits);
  await checkAsks(check, entries.asks);
  await checkDues(check, entries.dues);
}

const partsOf = ({ key }: Entry) => splitKey(key).map(unescapeText);

function lockOf(entry: Entry): LockRecord {
  const [, namespace, name] = partsOf(entry);
  return decodeLock(namespace!, name!, entry);
}

async function checkLocks(check: ShardCheck, entries: readonly Entry[]): Promise<void> {
  for (const entry of entries) {
    const lock = readEntry(check, entry, lockOf);
    if (!lock) continue;
    const { holders, tokens, capacity, kind } = lock;
    const used = holders.reduce((sum, { weight }) => sum + shareOf(lock, weight), 0);
    // A semaphore that was made smaller drains.
    if (used > capacity) {
      const problem = `${used} permits of ${capacity} are held`;
      if (kind === "semaphore") check.note("I11", entry.key, problem);
      else check.report("I11", entry.key, problem);
    }
    const known = new Set(holders.map(({ token }) => token));
    if (known.size < holders.length || holders.some(({ token }) => token > tokens)) {
      check.report("I11", entry.key, `tokens ${[...known].join(", ")} of holders, and ${tokens} as the last`);
    }
    await checkCounts(check, entry, lock);
    for (const { holder, run, request, since } of holders) {
      const isNew = check.context.clock.now() - since < onTheWayMs;
      if (run === undefined || isNew || await isKnown(check, holder, request)) continue;
      check.report("I11", entry.key, `run ${holder} holds it and does not know of it`);
    }
  }
}

async function checkCounts(check: ShardCheck, { key }: Entry, lock: LockRecord): Promise<void> {
  const { namespace, name, waiters } = lock;
  const rows = lockTable.rows(lock);
  const limit = Math.min(waiters + 1, check.context.limits.readPageMax);
  const [queue, ...found] = await readAll(check, [
    { ...keyspace.wait.range(namespace, name), limit },
    ...rows.map((row) => ({ get: row.key })),
  ]);
  const isShort = queue!.length < Math.min(waiters, limit);
  if (isShort || (queue!.length > waiters)) {
    check.report("index", key, `${waiters} wait, but ${queue!.length} stand in its queue`);
  }
  found.forEach((each, index) => {
    if (!each[0]) check.report("index", rows[index]!.key, `missing for lock "${name}"`);
  });
}

/** Its record says so, or the chore that gives it back is on its way. */
async function isKnown({ context }: ShardCheck, runId: string, request: string): Promise<boolean> {
  const held = await readRun(context, runId);
  if (held?.record.lock?.request === request) return true;
  const shard = parseInt(runId.slice(-4), 16) % context.store.shards;
  const range = { ...keyspace.chore.range(runId), limit: context.limits.readPageMax };
  const [chores] = await context.reader.read(shard, [range]);
  return chores!.some(({ value }) => value.includes(`"request":${JSON.stringify(request)}`));
}

async function checkWaits(check: ShardCheck, entries: readonly Entry[]): Promise<void> {
  for (const entry of entries) {
    const waiter = readEntry(check, entry, decodeWaiter);
    if (!waiter) continue;
    const [, namespace] = partsOf(entry);
    const [[ask]] = await readAll(check, [
      { get: keyspace.ask.key(namespace!, waiter.holder, waiter.request) },
    ]) as [readonly Entry[]];
    const isThere = ask && readEntry({ report: () => {} }, ask, decodeAsk)?.place === waiter.place;
    if (!isThere) check.report("index", entry.key, "no place of its request stands beside it");
  }
}

async function checkAsks(check: ShardCheck, entries: readonly Entry[]): Promise<void> {
  for (const entry of entries) {
    const ask = readEntry(check, entry, decodeAsk);
    if (!ask) continue;
    const [, namespace] = partsOf(entry);
    const found = await readAll(
      check,
      ask.names.map((name) => ({ get: keyspace.wait.key(namespace!, name, ask.place) })),
    );
    if (found.some((each) => !each[0])) {
      check.report("index", entry.key, "it does not stand in all of its queues");
    }
  }
}

async function checkDues(check: ShardCheck, entries: readonly Entry[]): Promise<void> {
  for (const entry of entries) {
    const [, , namespace, name] = partsOf(entry);
    const [[row]] = await readAll(check, [{ get: keyspace.lock.key(namespace!, name!) }]) as [
      readonly Entry[],
    ];
    const lock = row && readEntry({ report: () => {} }, row, lockOf);
    if (row && !lock) continue;
    if (lock && lockTable.rows(lock).some(({ key }) => key === entry.key)) continue;
    check.report("index", entry.key, "no lock stands behind this index row");
  }
}

/** A run that holds locks does, by their records; one that waits for them stands in their queues, or is due. */
export async function checkRunLocks(check: ShardCheck, entries: readonly Entry[]): Promise<void> {
  // Most runs have none.
  for (const entry of entries.filter(({ value }) => value.includes(',"lock":{'))) {
    const run = readEntry({ report: () => {} }, entry, (each) => decodeRecord(each.value));
    const problem = run?.lock && await problemOf(check, run, run.lock);
    if (!run || !problem) continue;
    // It may have moved on while its locks were looked at.
    const again = await readRun(check.context, run.id);
    if (again?.record.version === run.version) check.report("I11", entry.key, problem);
  }
}

async function problemOf(
  { context }: ShardCheck,
  run: RunRecord,
  lock: RunLock,
): Promise<string | undefined> {
  const { namespace, request, wants, tokens } = lock;
  const [asks, ...found] = await context.reader.read(shardOfNamespace(context.store.shards, namespace), [
    { get: keyspace.ask.key(namespace, run.id, request) },
    ...wants.map(({ name }) => ({ get: keyspace.lock.key(namespace, name) })),
  ]);
  const isHeld = wants.every((_, index) => {
    const entry = found[index]![0];
    const { holders = [] } = entry && readEntry({ report: () => {} }, entry, lockOf) || {};
    const holder = holders.find((each) => each.request === request);
    return holder && (!tokens || holder.token === tokens[index]);
  });
  if (tokens) return isHeld ? undefined : "it takes itself for the holder of a lock that it does not hold";
  const isAsleep = bucketOf(run.state) === "active" && run.stepDue === undefined;
  if (!isAsleep || isHeld || asks!.length > 0) return undefined;
  return "it waits for a lock in no queue";
}
