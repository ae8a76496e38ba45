import type { OutcomeRow } from "../parts/schedule_outcome.ts";
import type { ScheduleRecord } from "../parts/schedule_record.ts";
import { slotAt, type SlotsAfter } from "../parts/schedule_slots.ts";
import type { OccurrenceView, ScheduleDescription, ScheduleView } from "./schedule_types.ts";

/** Occurrences that a description tells of. */
const upcomingMax = 10;

/** A schedule, as the user sees it. */
export function scheduleView(schedule: ScheduleRecord): ScheduleView {
  const { rules, next, left, note } = schedule;
  const { key, startAt, overlap, catchUpMs, jitterMs, pauseOnFailure, limit, from, until, filter } = rules;
  return {
    id: schedule.id,
    definition: schedule.definition,
    key,
    ...(startAt !== undefined && { startAt }),
    recurrence: { type: rules.type, spec: JSON.parse(rules.spec) as unknown },
    overlap,
    catchUpMs,
    jitterMs,
    pauseOnFailure,
    ...(limit !== undefined && { limit, startsLeft: left ?? 0 }),
    ...(from !== undefined && { from: new Date(from) }),
    ...(until !== undefined && { until: new Date(until) }),
    ...(filter !== undefined && { filter }),
    enabled: schedule.isEnabled,
    ...(note !== undefined && { note }),
    ...(next && { next: new Date(next.at) }),
    counts: schedule.counts,
    createdAt: new Date(schedule.createdAt),
    updatedAt: new Date(schedule.updatedAt),
    version: schedule.version,
  };
}

/** A schedule with what it is at. */
export function describeSchedule(
  schedule: ScheduleRecord,
  slots: SlotsAfter,
  data: unknown,
): ScheduleDescription {
  const { next, left = Infinity, starting, waiting, running, results, backfills } = schedule;
  const upcoming: Date[] = [];
  for (let at = next?.at; at !== undefined && upcoming.length < Math.min(upcomingMax, left);) {
    upcoming.push(new Date(at));
    at = slotAt(schedule, slots, at)?.at;
  }
  return {
    ...scheduleView(schedule),
    data,
    upcoming,
    results: results.map(({ at, runId, state, endedAt }) => ({
      scheduledFor: new Date(at),
      runId,
      runState: state,
      endedAt: new Date(endedAt),
    })),
    running: running.map(({ at, runId }) => ({ scheduledFor: new Date(at), runId })),
    waiting: [...starting ? [starting] : [], ...waiting].map(({ at, kind }) => ({
      scheduledFor: new Date(at),
      by: kind,
    })),
    backfills: backfills.map(({ from, until, overlap, at, taken, leftOut }) => ({
      from: new Date(from),
      until: new Date(until),
      overlap,
      at: new Date(at),
      taken,
      leftOut,
    })),
  };
}

/** What became of an occurrence, as the user sees it. */
export function outcomeView(row: OutcomeRow): OccurrenceView {
  const scheduledFor = new Date(row.at);
  const decidedAt = new Date(row.outcome.decidedAt);
  if (row.form === "gap") {
    const { kind, reason, until, count, isMore } = row.outcome;
    const several = { until: new Date(until), count, isMore };
    return { scheduledFor, outcome: kind, by: "slot", reason, decidedAt, several };
  }
  const { kind: outcome, by } = row.outcome;
  if (row.outcome.kind === "started") {
    return { scheduledFor, outcome, by, runId: row.outcome.runId, decidedAt };
  }
  return { scheduledFor, outcome, by, reason: row.outcome.reason, decidedAt };
}
