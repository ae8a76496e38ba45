/**
 * What its owner may do to a schedule, as pure functions of its record.
 *
 * @module
 */
import { PawlError } from "../errors.ts";
import type { ScheduleChange } from "./schedule_landing.ts";
import { nextSchedule } from "./schedule_landing.ts";
import type { OutcomeRow } from "./schedule_outcome.ts";
import type { Backfill, Occurrence, Overlap, ScheduleRecord, ScheduleRules } from "./schedule_record.ts";
import { isAhead } from "./set_back.ts";
import { countSlots, slotAt, type SlotsAfter } from "./schedule_slots.ts";

/** What a schedule begins with. */
export interface NewSchedule {
  readonly id: string;
  readonly definition: string;
  readonly life: string;
  readonly rules: ScheduleRules;
  readonly payload: { readonly text: string; readonly sealed: boolean; readonly version: number };
  readonly isEnabled: boolean;
  readonly note: string | undefined;
}

/**
 * @param wish What it begins with.
 * @param slots Its recurrence.
 * @param now The time.
 * @param deleted The schedule of the same id that was deleted not long ago: its starts are counted on.
 * @returns The schedule as it begins.
 */
export function newSchedule(
  wish: NewSchedule,
  slots: SlotsAfter,
  now: number,
  deleted: ScheduleRecord | undefined,
): ScheduleRecord {
  const { payload, ...rest } = wish;
  return {
    ...rest,
    payload: payload.text,
    sealed: payload.sealed,
    dataVersion: payload.version,
    createdAt: now,
    updatedAt: now,
    version: 1,
    left: wish.rules.limit,
    next: slotAt(wish, slots, now),
    start: deleted?.start ?? 0,
    triggeredAt: 0,
    running: [],
    waiting: [],
    backfills: [],
    counts: { started: 0, skipped: 0, missed: 0, failed: 0 },
    results: [],
    outcomes: deleted?.outcomes ?? 0,
  };
}

/** How much of the past is counted, and what is said of it. */
export interface PastOver {
  readonly kind: "missed" | "skipped";
  readonly reason: string;
  readonly countMax: number;
}

/** Passes over all occurrences up to now that have not come up yet. */
function pastOver(
  schedule: ScheduleRecord,
  slots: SlotsAfter | undefined,
  now: number,
  { kind, reason, countMax }: PastOver,
): { readonly counts: ScheduleRecord["counts"]; readonly outcomes: readonly OutcomeRow[] } {
  const { next, counts } = schedule;
  if (!next || next.at > now) return { counts, outcomes: [] };
  const range = { from: next.at, before: now + 1, max: countMax };
  // Code that is deployed no more cannot tell how many there were.
  const seen = slots ? countSlots(schedule, slots, range) : { until: now, count: 1, isMore: true };
  return {
    counts: { ...counts, [kind]: counts[kind] + seen.count },
    outcomes: [{ at: next.at, form: "gap", outcome: { kind, reason, ...seen, decidedAt: now } }],
  };
}

/** What `update` changes. */
export interface ScheduleUpdate {
  readonly rules: ScheduleRules;
  readonly payload?: NewSchedule["payload"] | undefined;
  readonly isEnabled: boolean;
  readonly note: string | undefined;
}

/**
 * @param schedule As it is.
 * @param update What it is to become.
 * @param slots Its recurrence before (absent: it is not known any more) and after.
 * @param now The time.
 * @param countMax Passed occurrences that are counted.
 * @returns The change. New times begin now; what the old ones had due is missed.
 */
export function updateSchedule(
  schedule: ScheduleRecord,
  update: ScheduleUpdate,
  slots: { readonly before: SlotsAfter | undefined; readonly after: SlotsAfter },
  now: number,
  countMax: number,
): ScheduleChange {
  const { rules, payload, isEnabled, note } = update;
  const was = schedule.rules;
  const isRetimed = (["type", "spec", "from", "until", "jitterMs"] as const).some((each) =>
    was[each] !== rules[each]
  );
  const used = (was.limit ?? 0) - (schedule.left ?? 0);
  const left = rules.limit === undefined ? undefined : Math.max(0, rules.limit - used);
  const wakes = left !== 0 && schedule.left === 0;
  const over = isRetimed
    ? pastOver(schedule, slots.before, now, { kind: "missed", reason: "it was updated", countMax })
    : { counts: schedule.counts, outcomes: [] };
  const after = nextSchedule(schedule, now, {
    rules,
    asked: schedule.asked ?? was,
    isEnabled,
    note,
    left,
    counts: over.counts,
    outcomes: schedule.outcomes + over.outcomes.length,
    ...(payload && { payload: payload.text, sealed: payload.sealed, dataVersion: payload.version }),
    ...((isRetimed || wakes) && { next: slotAt({ id: schedule.id, rules }, slots.after, now) }),
    ...(left === 0 && { next: undefined }),
  });
  return { after, outcomes: over.outcomes };
}

/**
 * @param isEnabled Whether its occurrences start from now on.
 * @param note Why; kept until the next one.
 * @param past Passes over what was due while it was paused; absent: its catch-up window decides.
 * @returns The change.
 */
export function enableSchedule(
  schedule: ScheduleRecord,
  { isEnabled, note }: { readonly isEnabled: boolean; readonly note: string | undefined },
  now: number,
  past?: { readonly slots: SlotsAfter; readonly countMax: number },
): ScheduleChange {
  if (!past || schedule.isEnabled) {
    return { after: nextSchedule(schedule, now, { isEnabled, note }), outcomes: [] };
  }
  const { slots, countMax } = past;
  const over = pastOver(schedule, slots, now, { kind: "skipped", reason: "it was paused", countMax });
  const after = nextSchedule(schedule, now, {
    isEnabled,
    note,
    counts: over.counts,
    outcomes: schedule.outcomes + over.outcomes.length,
    ...(over.outcomes.length > 0 && { next: slotAt(schedule, slots, now) }),
  });
  return { after, outcomes: over.outcomes };
}

/**
 * An occurrence by hand, also while the schedule is paused. Its time is now, or the next millisecond that names no other
 * occurrence.
 *
 * @returns The change, and the occurrence.
 */
export function triggerSchedule(
  schedule: ScheduleRecord,
  slots: SlotsAfter,
  now: number,
  options: { readonly overlap: Overlap | undefined; readonly waitingMax: number },
): ScheduleChange & { readonly at: number } {
  refuseFull(schedule, options.waitingMax);
  let at = Math.max(now, schedule.triggeredAt + 1);
  // A recurrence of every millisecond leaves no room: then it shares one's name, and the start tells them apart.
  for (let tries = 0; tries < 1_000 && isTaken(schedule, slots, at); tries++) at++;
  const occurrence: Occurrence = { at, kind: "trigger", since: now, overlap: options.overlap };
  const changes = { triggeredAt: at, waiting: [...schedule.waiting, occurrence] };
  return { after: nextSchedule(schedule, now, changes), outcomes: [], at };
}

function isTaken({ running, waiting, starting }: ScheduleRecord, slots: SlotsAfter, at: number): boolean {
  return slots(at - 1) === at || starting?.at === at ||
    [...running, ...waiting].some((each) => each.at === at);
}

function refuseFull({ id, waiting }: ScheduleRecord, waitingMax: number): void {
  if (waiting.length < waitingMax) return;
  throw new PawlError(
    "LIMIT_EXCEEDED",
    `Cannot trigger schedule "${id}": ${waiting.length} occurrences wait already, ` +
      `the limit is ${waitingMax}; wait for its runs, or cancel them`,
  );
}

/** Ranges that may be gone through at a time. */
export const backfillsMax = 10;

/**
 * A range of the past to go through.
 *
 * @returns The change; without occurrences in it, none.
 * @throws {PawlError} `LIMIT_EXCEEDED` when ten others are under way.
 */
export function backfillSchedule(
  schedule: ScheduleRecord,
  slots: SlotsAfter,
  now: number,
  range: { readonly from: number; readonly until: number; readonly overlap: Overlap },
): ScheduleChange | undefined {
  if (schedule.backfills.length >= backfillsMax) {
    throw new PawlError(
      "LIMIT_EXCEEDED",
      `Cannot backfill schedule "${schedule.id}": ${backfillsMax} backfills are under way; wait for one`,
    );
  }
  const at = slots(range.from - 1);
  if (at === undefined || at > range.until) return undefined;
  const backfill: Backfill = { ...range, since: now, at, taken: 0, leftOut: 0 };
  const changes = { backfills: [...schedule.backfills, backfill] };
  return { after: nextSchedule(schedule, now, changes), outcomes: [] };
}

/**
 * Lets a schedule that was changed by a clock which was far ahead go on by one that was set back. What it is about to start,
 * or to look at again, is due now. Occurrences that were passed by then stay so; if there were none, the next one is the
 * next by this clock.
 *
 * @returns The change; none when it was changed by no such clock.
 */
export function setBackSchedule(
  schedule: ScheduleRecord,
  slots: SlotsAfter,
  now: number,
): ScheduleChange | undefined {
  const { starting, waiting, backfills, running, outcomes, next, deletedAt } = schedule;
  if (!isAhead(schedule.updatedAt, now) || deletedAt !== undefined) return undefined;
  const sooner = <Item extends { readonly since: number }>(item: Item): Item => ({
    ...item,
    since: Math.min(item.since, now),
  });
  const isFresh = next && outcomes === 0 && !starting && running.length + waiting.length === 0;
  const after = nextSchedule(schedule, now, {
    starting: starting && sooner(starting),
    waiting: waiting.map(sooner),
    backfills: backfills.map(sooner),
    retry: undefined,
    ...(isFresh && { next: slotAt(schedule, slots, now) }),
  });
  return { after, outcomes: [] };
}

/**
 * @returns The schedule as it is no more; its runs go on.
 */
export function deleteSchedule(schedule: ScheduleRecord, now: number): ScheduleChange {
  const after = nextSchedule(schedule, now, {
    deletedAt: now,
    isEnabled: false,
    next: undefined,
    starting: undefined,
    running: [],
    waiting: [],
    backfills: [],
    retry: undefined,
    results: [],
    payload: "null",
    sealed: false,
  });
  return { after, outcomes: [] };
}
