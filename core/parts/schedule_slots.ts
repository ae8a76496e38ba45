/**
 * The occurrences of a schedule on the line of time.
 *
 * @module
 */
import { hash32 } from "../hash.ts";
import type { ScheduleRecord } from "./schedule_record.ts";

/** The first time of a recurrence strictly after another; `undefined`: there is none. */
export type SlotsAfter = (after: number) => number | undefined;

type Timed = Pick<ScheduleRecord, "id" | "rules">;

/**
 * @param after An occurrence, or any other time.
 * @returns The schedule's next occurrence strictly after it, and when it is due.
 */
export function slotAt(
  { id, rules }: Timed,
  slots: SlotsAfter,
  after: number,
): { readonly at: number; readonly due: number } | undefined {
  const { from, until = Infinity, jitterMs } = rules;
  const at = slots(from === undefined ? after : Math.max(after, from - 1));
  if (at === undefined || at > until) return undefined;
  if (jitterMs === 0) return { at, due: at };
  // Never past the occurrence after it, which would have to wait for it.
  const room = Math.min(jitterMs, (slots(at) ?? Infinity) - at);
  return { at, due: at + Math.floor(room * hash32(`${id} ${at}`) / 2 ** 32) };
}

/** Occurrences that were passed over. */
export interface Passed {
  readonly until: number;
  readonly count: number;
  readonly isMore: boolean;
}

/**
 * Counts occurrences without going on for ever.
 *
 * @param range From an occurrence to a time, without that; at most so many.
 * @returns How many, and which was the last.
 */
export function countSlots(
  schedule: Timed,
  slots: SlotsAfter,
  { from, before, max }: { readonly from: number; readonly before: number; readonly max: number },
): Passed {
  const last = Math.min(before - 1, schedule.rules.until ?? Infinity);
  let until = from;
  let count = 1;
  for (let at = slots(from); at !== undefined && at <= last; at = slots(at)) {
    if (count === max) return { until: Math.max(until, last), count, isMore: true };
    until = at;
    count++;
  }
  return { until, count, isMore: false };
}

const template = "{scheduledFor}";

/** Whether each occurrence has a key of its own. */
export function hasOwnKeys(key: string): boolean {
  return key.includes(template);
}

/** The key of the run of an occurrence. */
export function keyOf(key: string, at: number): string {
  return key.replaceAll(template, new Date(at).toISOString());
}

/** How long what waits for a run's end is let be, though nobody has told of it: 1 min, 2 min, ... at most an hour. */
export function recheckMs(attempt: number): number {
  return Math.min(3_600_000, 60_000 * 2 ** Math.min(attempt - 1, 6));
}

/** How long an occurrence waits whose key is in use by a run that is none of the schedule's. */
export function busyMs(attempt: number): number {
  return Math.min(60_000, 1_000 * 2 ** Math.min(attempt - 1, 6));
}
