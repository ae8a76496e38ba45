/**
 * What the starts and ends of runs do to their schedule, as pure functions of its record. Each of them is applied once,
 * whoever brings it, and however often.
 *
 * @module
 */
import type { RunOrigin } from "./run_record.ts";
import type { Outcome, OutcomeRow } from "./schedule_outcome.ts";
import {
  isBuffered,
  type Occurrence,
  overlapOf,
  type ScheduleRecord,
  type ScheduleResult,
} from "./schedule_record.ts";
import { busyMs } from "./schedule_slots.ts";

/** A change of a schedule: what it becomes, and the outcomes that come with it. */
export interface ScheduleChange {
  readonly after: ScheduleRecord;
  readonly outcomes: readonly OutcomeRow[];
}

/** What a start came to. */
export type Landed =
  | { readonly kind: "started"; readonly runId: string }
  | { readonly kind: "busy" | "failed"; readonly reason: string }
  /** A later one was decided before, as of this number: an earlier schedule of the same id was here. */
  | { readonly kind: "behind"; readonly start: number };

/** Results that a schedule remembers. */
const resultsMax = 10;

/** The record one version on. */
export function nextSchedule(
  schedule: ScheduleRecord,
  now: number,
  changes: Partial<ScheduleRecord>,
): ScheduleRecord {
  return { ...schedule, ...changes, version: schedule.version + 1, updatedAt: now };
}

/**
 * The start that is under way was decided.
 *
 * @param schedule As it is.
 * @param start Which start.
 * @param landed What it came to.
 * @param now The time.
 * @returns The change; `undefined`: somebody has told of it before.
 */
export function startLanded(
  schedule: ScheduleRecord,
  start: number,
  landed: Landed,
  now: number,
): ScheduleChange | undefined {
  const { starting, waiting } = schedule;
  if (starting?.start !== start) return undefined;
  const { at, kind, overlap, since } = starting;
  const occurrence: Occurrence = { at, kind, since, ...(overlap && { overlap }) };
  switch (landed.kind) {
    case "started":
      return started(schedule, landed.runId, now);
    case "behind": {
      const changes = { starting: undefined, start: landed.start, waiting: [occurrence, ...waiting] };
      return { after: nextSchedule(schedule, now, changes), outcomes: [] };
    }
    case "busy": {
      if (!isBuffered(overlapOf(schedule, occurrence))) {
        return passedOver(schedule, { kind: "skipped", reason: landed.reason }, now);
      }
      const attempt = (schedule.retry?.attempt ?? 0) + 1;
      const retry = { attempt, at: now + busyMs(attempt) };
      const changes = { starting: undefined, retry, waiting: [occurrence, ...waiting] };
      return { after: nextSchedule(schedule, now, changes), outcomes: [] };
    }
    case "failed":
      return passedOver(schedule, { kind: "failed", reason: landed.reason }, now);
  }
}

function started(schedule: ScheduleRecord, runId: string, now: number): ScheduleChange {
  const { at, kind, start } = schedule.starting!;
  const { counts, left, running } = schedule;
  const outcome: Outcome = { kind: "started", by: kind, start, runId, decidedAt: now };
  const isLast = kind === "slot" && left === 1;
  const after = nextSchedule(schedule, now, {
    starting: undefined,
    retry: undefined,
    running: [...running, { at, kind, start, runId }],
    counts: { ...counts, started: counts.started + 1 },
    outcomes: schedule.outcomes + 1,
    ...(left !== undefined && kind === "slot" && { left: left - 1 }),
    ...(isLast && { next: undefined }),
  });
  return { after, outcomes: [{ at, form: "at", outcome }] };
}

function passedOver(
  schedule: ScheduleRecord,
  { kind, reason }: { readonly kind: "skipped" | "failed"; readonly reason: string },
  now: number,
): ScheduleChange {
  const { at, kind: by } = schedule.starting!;
  const { counts, rules } = schedule;
  const isPaused = kind === "failed" && rules.pauseOnFailure;
  const after = nextSchedule(schedule, now, {
    starting: undefined,
    counts: { ...counts, [kind]: counts[kind] + 1 },
    outcomes: schedule.outcomes + 1,
    ...(isPaused && {
      isEnabled: false,
      note: `paused, as ${new Date(at).toISOString()} could not be started: ${reason}`,
    }),
  });
  return { after, outcomes: [{ at, form: "at", outcome: { kind, by, reason, decidedAt: now } }] };
}

/**
 * A run of the schedule has ended. It may be told of before its start was, as whoever started it may have died.
 *
 * @param schedule As it is.
 * @param origin The run's.
 * @param result How it ended.
 * @param now The time.
 * @returns The change; `undefined`: that is known, or it is no run of this schedule.
 */
export function runEnded(
  schedule: ScheduleRecord,
  origin: Pick<RunOrigin, "life" | "start">,
  result: ScheduleResult,
  now: number,
): ScheduleChange | undefined {
  const { start } = origin;
  if (schedule.life !== origin.life || schedule.deletedAt !== undefined) return undefined;
  const first = startLanded(schedule, start, { kind: "started", runId: result.runId }, now);
  const before = first?.after ?? schedule;
  if (!before.running.some((each) => each.start === start)) return undefined;
  const isPaused = result.state === "failed" && before.rules.pauseOnFailure && before.isEnabled;
  const changes: Partial<ScheduleRecord> = {
    running: before.running.filter((each) => each.start !== start),
    results: [...before.results, result].slice(-resultsMax),
    retry: undefined,
    ...(isPaused && {
      isEnabled: false,
      note: `paused, as run ${result.runId} of ${new Date(result.at).toISOString()} failed`,
    }),
  };
  // One change, though two things are told of.
  const after = first ? { ...before, ...changes } : nextSchedule(before, now, changes);
  return { after, outcomes: first?.outcomes ?? [] };
}
