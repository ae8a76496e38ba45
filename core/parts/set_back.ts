/**
 * A clock that was far ahead, as of a device whose year was wrong, and has been set right: what was written by it waits for
 * a time that is as far away again.
 *
 * @module
 */
import type { ChangeOf } from "./run_change.ts";
import { earliestDue, isFinished, nextRecord, type RunTimer } from "./run_record.ts";

/** How far ahead of now a record must have been changed; clocks of engines differ by less. */
export const aheadMsMin = 60_000;

/** Whether a time of the past can only have been told by a clock that was ahead. */
export function isAhead(at: number, now: number): boolean {
  return at - now > aheadMsMin;
}

/**
 * Lets a run wait from now on as long as it was to wait then.
 *
 * @param timerAt When a timer that was just set at this status would be due; `undefined`: that is not known.
 * @returns The change; none for a run that was not changed by such a clock, or that has ended.
 */
export function setBack(timerAt: (name: string) => number | undefined): ChangeOf {
  return (run, now) => {
    if (!isAhead(run.updatedAt, now) || isFinished(run.state) || run.due === undefined) return {};
    const aheadMs = run.updatedAt - now;
    const sooner = (at: number) => Math.max(now, at - aheadMs);
    const stepDue = run.stepDue === undefined ? undefined : sooner(run.stepDue);
    const timers = run.timers.map((timer) => ({ ...timer, at: timerTime(timer, sooner, timerAt) }));
    const due = run.state === "paused" ? sooner(run.due) : earliestDue(stepDue, timers);
    const { lock } = run;
    const waits = lock?.deadline === undefined ? lock : { ...lock, deadline: sooner(lock.deadline) };
    const days = (aheadMs / 86_400_000).toFixed(1);
    return {
      after: nextRecord(run, { stepDue, timers, due, lock: waits, updatedAt: now }),
      event: {
        kind: "set-back",
        by: "engine",
        reason: `the clock was ${days} days ahead when the run was changed last`,
      },
    };
  };
}

/** A wait is as long as it was; a date stays what it is. */
function timerTime(
  timer: RunTimer,
  sooner: (at: number) => number,
  timerAt: (name: string) => number | undefined,
): number {
  const isWait = timer.round > 0 || timer.attempt > 0;
  return isWait ? sooner(timer.at) : Math.min(timer.at, timerAt(timer.name) ?? timer.at);
}
