/**
 * What `admin.verify()` asks of schedules: each in its place and in the index that its due time says, and no row of one
 * that is not there.
 *
 * @module
 */
import { decodeRecord } from "../parts/run_row.ts";
import { decodeMark, decodeOutcome, type OutcomeRow } from "../parts/schedule_outcome.ts";
import { decodeSchedule, type ScheduleRecord, scheduleTable } from "../parts/schedule_record.ts";
import { splitKey, unescapeText } from "../store/key.ts";
import { keyspace } from "../store/keyspace.ts";
import type { Entry } from "../store/store.ts";
import { shardOfRun } from "./context.ts";
import { shardOfSchedule } from "./schedule_store.ts";
import { readAll, readEntry, type ShardCheck } from "./verify_rows.ts";

/** Each schedule is in its place, says nothing that cannot be, and has its row in the due index. */
export async function checkSchedules(check: ShardCheck, entries: readonly Entry[]): Promise<void> {
  for (const entry of entries) {
    const schedule = readEntry(check, entry, scheduleIn);
    if (!schedule) continue;
    const { context, shard } = check;
    if (shardOfSchedule(context, schedule.id) !== shard) {
      check.report("place", entry.key, "is in another's shard");
    }
    for (const problem of problemsOf(schedule)) check.report("schedule", entry.key, problem);
    const wanted = scheduleTable.rows(schedule);
    const found = await readAll(check, wanted.map(({ key }) => ({ get: key })));
    wanted.forEach(({ key }, index) => {
      if (!found[index]![0]) check.report("index", key, `missing for schedule "${schedule.id}"`);
    });
  }
}

const scheduleIn = ({ key, value }: Entry) => decodeSchedule(unescapeText(splitKey(key)[1]!), value);

function problemsOf(schedule: ScheduleRecord): readonly string[] {
  const { running, waiting, starting, start, next, left, rules, deletedAt, isEnabled } = schedule;
  const starts = [...running.map((each) => each.start), ...starting ? [starting.start] : []];
  const problems: [boolean, string][] = [
    [new Set(starts).size < starts.length, "two starts have one number"],
    [starts.some((each) => each > start), "a start has a number that was not given yet"],
    [next !== undefined && next.due < next.at, "its next occurrence is due before its time"],
    [
      left !== undefined && !(left >= 0 && left <= (rules.limit ?? -1)),
      `${left} starts are left of ${rules.limit}`,
    ],
    [left === 0 && next !== undefined, "it has a next occurrence, and no start left"],
    [waiting.some(({ at }) => at === starting?.at), "an occurrence both starts and waits"],
    [deletedAt !== undefined && (starts.length > 0 || isEnabled), "it is deleted, and goes on"],
  ];
  return problems.flatMap(([is, problem]) => is ? [problem] : []);
}

/** Rows that follow from schedules. */
export interface ScheduleRows {
  readonly ticks: readonly Entry[];
  readonly outcomes: readonly Entry[];
  readonly marks: readonly Entry[];
}

/** Each row has its schedule, and each start its run, if that is still there. */
export async function checkScheduleRows(
  check: ShardCheck,
  { ticks, outcomes, marks }: ScheduleRows,
): Promise<void> {
  const known = new Map<string, ScheduleRecord | undefined>();
  const find = async (id: string) => {
    if (!known.has(id)) known.set(id, await scheduleOf(check, id));
    return known.get(id);
  };
  for (const { key } of ticks) {
    const schedule = await find(unescapeText(splitKey(key)[3]!));
    if (schedule && scheduleTable.rows(schedule).some((each) => each.key === key)) continue;
    check.report("index", key, "no schedule stands behind this index row");
  }
  for (const entry of outcomes) {
    const row = readEntry(check, entry, decodeOutcome);
    if (!row) continue;
    const id = unescapeText(splitKey(entry.key)[1]!);
    if (!await find(id)) check.report("schedule", entry.key, "its schedule is gone");
    await checkStarted(check, entry, id, row);
  }
  for (const entry of marks) {
    const mark = readEntry(check, entry, decodeMark);
    const schedule = mark && await find(unescapeText(splitKey(entry.key)[1]!));
    if (!mark) continue;
    if (!schedule) check.report("schedule", entry.key, "its schedule is gone");
    else if (mark.life === schedule.life && mark.start > schedule.start) {
      check.report("I12", entry.key, `start ${mark.start} was decided, ${schedule.start} was claimed last`);
    }
  }
}

async function scheduleOf({ context }: ShardCheck, id: string): Promise<ScheduleRecord | undefined> {
  const entry = await context.reader.get(shardOfSchedule(context, id), keyspace.schedule.key(id));
  return entry && readEntry({ report: () => {} }, entry, scheduleIn);
}

async function checkStarted(
  check: ShardCheck,
  { key }: Entry,
  id: string,
  { at, outcome }: OutcomeRow,
): Promise<void> {
  if (outcome.kind !== "started") return;
  const { context } = check;
  const entry = await context.reader.get(shardOfRun(context, outcome.runId), keyspace.run.key(outcome.runId));
  const run = entry && readEntry({ report: () => {} }, entry, (each) => decodeRecord(each.value, each.key));
  if (!run) return;
  const { origin } = run;
  if (origin?.schedule === id && origin.at === at && origin.start === outcome.start) return;
  check.report("I12", key, `run ${run.id} is not of this occurrence`);
}
