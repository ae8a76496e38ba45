/**
 * What an attempt of user code comes to, on its way into the record: of a step, of a callback, or of a timer.
 *
 * @module
 */
import type { HistoryEvent } from "./history.ts";
import {
  type Change,
  type ChangeOf,
  ended,
  enter,
  paused,
  type Rules,
  type StepPolicy,
} from "./run_change.ts";
import { policyOf } from "./run_policy.ts";
import {
  type Changes,
  earliestDue,
  isFinished,
  nextRecord,
  type Payload,
  type RunError,
  type RunRecord,
  type RunTimer,
} from "./run_record.ts";

/** What one attempt came to. `payload`: the data's JSON text, absent when it was not touched. */
export type Landing =
  | {
    readonly kind: "move";
    readonly to: string;
    /** The timers that begin with the status. */
    readonly timers?: readonly RunTimer[];
    readonly payload?: Payload;
  }
  | { readonly kind: "repeat" | "skip"; readonly payload?: Payload }
  | { readonly kind: "rearm"; readonly at: number; readonly payload?: Payload }
  | { readonly kind: "pause" | "cancel" | "fail"; readonly reason: string; readonly payload?: Payload }
  | { readonly kind: "error"; readonly error: RunError };

/** Which attempt a landing belongs to. */
export interface Attempt {
  readonly visit: number;
  /** The payload it began with: what it saves is refused when that has changed meanwhile. */
  readonly payload: string;
  readonly durationMs: number;
  /** From 0 to 1, drawn once per attempt: the jitter of its retry. */
  readonly chance: number;
  /** Whose code it was; absent: the step's. */
  readonly by?: "step" | "callback" | "timer";
  /** The lock's request that it began with: under another, or none, it must not land. */
  readonly lock?: string | undefined;
  /** The timer, as it was when it fired. */
  readonly timer?: RunTimer | undefined;
}

/**
 * A result. It lands when the run is still in the visit the attempt was started for (a paused run stays paused);
 * otherwise it is discarded, and history says so.
 *
 * @param rules The definition's rules.
 * @param attempt Which attempt it was.
 * @param landing What it came to.
 * @returns The change.
 */
export function land(rules: Rules, attempt: Attempt, landing: Landing): ChangeOf {
  return (run, now) => {
    const event = eventOf(attempt);
    const late = lateness(run, attempt, landing);
    if (late) return { event: { ...event, kind: "late", ...lateDetail(run, landing, late) } };
    switch (landing.kind) {
      case "move":
        return {
          after: enter(rules, run, now, attempt.by === "callback" ? { ...landing, by: "callback" } : landing),
          event: { ...event, kind: "move", from: run.status, to: landing.to },
        };
      case "repeat":
        return {
          after: enter(rules, run, now, {
            to: run.status,
            timers: timersLeft(run, attempt),
            ...(attempt.by && { by: attempt.by }),
            ...saved(landing),
          }),
          event: { ...event, kind: "repeat", from: run.status, to: run.status },
        };
      case "skip":
      case "rearm":
        return {
          after: stay(run, now, attempt, landing.kind === "rearm" ? landing.at : undefined, landing.payload),
          event: { ...event, kind: landing.kind, from: run.status },
        };
      case "pause":
        return {
          after: paused(rules, run, now, landing.reason, {
            ...saved(landing),
            timers: timersLeft(run, attempt),
          }),
          event: { ...event, kind: "pause", reason: landing.reason },
        };
      case "cancel":
      case "fail":
        return {
          after: ended(rules, run, now, {
            state: landing.kind === "fail" ? "failed" : "cancelled",
            reason: landing.reason,
            payload: landing.payload,
          }),
          event: { ...event, kind: landing.kind, reason: landing.reason },
        };
      case "error":
        return attempt.timer
          ? failedTimer(rules, run, now, { ...attempt, timer: attempt.timer }, landing.error)
          : failedStep(rules, run, now, attempt, landing.error);
    }
  };
}

function eventOf({ by = "step", timer, durationMs }: Attempt): Omit<HistoryEvent, "kind"> {
  return timer ? { by, name: timer.name, durationMs } : { by, durationMs };
}

/** Why a result fits no more. */
function lateness(run: RunRecord, attempt: Attempt, landing: Landing): string | undefined {
  const { timer } = attempt;
  if (run.visit !== attempt.visit || isFinished(run.state)) return "the run had moved on";
  if (timer && !run.timers.some((each) => isSame(each, timer))) return "the timer was gone";
  if (attempt.lock !== undefined && run.lock?.request !== attempt.lock) return "its lock was lost meanwhile";
  const saves = landing.kind !== "error" && landing.payload !== undefined;
  // Saved over it, what somebody else wrote meanwhile would be lost; the same visit is tried again with that.
  if (saves && run.payload !== attempt.payload) return "the data had changed meanwhile; it runs again";
  return undefined;
}

/** A resume has let its attempts begin anew while it ran, perhaps; it is the same timer still. */
function isSame(now: RunTimer, then: RunTimer): boolean {
  const isSameAttempt = now.attempt === then.attempt || now.attempt === 0;
  return now.name === then.name && now.round === then.round && isSameAttempt;
}

function lateDetail({ state }: RunRecord, landing: Landing, why: string): Partial<HistoryEvent> {
  // An error message may quote data that is being erased.
  if (state === "deletion-requested" || state === "deleted") return { reason: why };
  if (landing.kind === "move") return { to: landing.to, reason: why };
  if (landing.kind === "error") return { error: landing.error, reason: why };
  return { reason: `${why}; it answered ${landing.kind}` };
}

function saved(landing: { readonly payload?: Payload }): { readonly payload?: Payload } {
  return landing.payload ? { payload: landing.payload } : {};
}

/** A timer that has fired is over, whatever its function answered but an error. */
function timersLeft(run: RunRecord, { timer }: Attempt): readonly RunTimer[] {
  return timer ? run.timers.filter((each) => each.name !== timer.name) : run.timers;
}

/** The run stays in its visit: a step waits for something else, a callback changes nothing, a timer is over or set again. */
function stay(
  run: RunRecord,
  now: number,
  attempt: Attempt,
  rearmAt: number | undefined,
  payload: Payload | undefined,
): RunRecord {
  const isStep = attempt.by === undefined || attempt.by === "step";
  const left = timersLeft(run, attempt);
  const { timer } = attempt;
  const again = rearmAt !== undefined && timer
    ? { name: timer.name, at: rearmAt, attempt: 0, round: timer.round + 1 }
    : undefined;
  const timers = again ? [...left, again] : left;
  const stepDue = isStep ? undefined : run.stepDue;
  return nextRecord(run, {
    ...(isStep && { attempt: 0, lock: undefined }),
    ...(attempt.by !== "callback" && { crashes: crashesLeft(run, now, isStep), lastError: undefined }),
    state: run.state === "initiated" ? "running" : undefined,
    updatedAt: now,
    timers,
    stepDue,
    due: run.state === "paused" ? run.due : earliestDue(stepDue, timers),
    payload,
  });
}

/** A timer that lands clears nothing of a step that is due as well: that one may be what takes processes down. */
function crashesLeft({ crashes, stepDue }: RunRecord, now: number, isStep: boolean): number {
  return !isStep && stepDue !== undefined && stepDue <= now ? crashes : 0;
}

/** A failed attempt of a run's step. */
export function failedStep(
  rules: Rules,
  run: RunRecord,
  now: number,
  attempt: Attempt,
  error: RunError,
): Change {
  const count = run.attempt + 1;
  const event: HistoryEvent = {
    kind: "error",
    by: "step",
    from: run.status,
    error,
    durationMs: attempt.durationMs,
  };
  const failed = { attempt: count, crashes: 0, lastError: error };
  return failure(rules, run, now, { policy: policyOf(rules, run), count, chance: attempt.chance }, {
    what: `the step of "${run.status}"`,
    event,
    failed,
    retryAt: (stepDue) => ({ stepDue, due: earliestDue(stepDue, run.timers) }),
  });
}

function failedTimer(
  rules: Rules,
  run: RunRecord,
  now: number,
  attempt: Attempt & { readonly timer: RunTimer },
  error: RunError,
): Change {
  const { durationMs, chance } = attempt;
  const timer = run.timers.find(({ name }) => name === attempt.timer.name)!;
  const count = timer.attempt + 1;
  const event: HistoryEvent = {
    kind: "error",
    by: "timer",
    name: timer.name,
    from: run.status,
    error,
    durationMs,
  };
  const withTimer = (at: number) =>
    run.timers.map((each) => each.name === timer.name ? { ...each, at, attempt: count } : each);
  return failure(rules, run, now, { policy: rules.timerPolicy?.(run.status, timer.name), count, chance }, {
    what: `timer "${timer.name}" of "${run.status}"`,
    event,
    failed: { crashes: crashesLeft(run, now, false), lastError: error, timers: withTimer(timer.at) },
    retryAt: (at) => {
      const timers = withTimer(at);
      return { timers, due: earliestDue(run.stepDue, timers) };
    },
  });
}

/** What a failed attempt leads to: nothing while paused, a pause after too many, else another attempt later. */
function failure(
  rules: Rules,
  run: RunRecord,
  now: number,
  { policy, count, chance }: { policy: StepPolicy | undefined; count: number; chance: number },
  { what, event, failed, retryAt }: {
    readonly what: string;
    readonly event: HistoryEvent;
    readonly failed: Changes;
    readonly retryAt: (at: number) => Changes;
  },
): Change {
  if (run.state === "paused") return { after: nextRecord(run, { ...failed, updatedAt: now }), event };
  if (policy && policy.pauseAfterErrors > 0 && count >= policy.pauseAfterErrors) {
    const reason = `${what} failed ${count} times, the last with: ${failed.lastError!.message}`;
    return { after: paused(rules, run, now, reason, failed), event: { ...event, reason } };
  }
  const at = now + (policy ? backoffMs(policy, count, chance) : 0);
  return { after: nextRecord(run, { ...failed, ...retryAt(at), updatedAt: now }), event };
}

/**
 * The wait before the next attempt: exponential, bounded, and with jitter somewhere in its upper half.
 *
 * @param policy The step's policy.
 * @param failures Failed attempts so far, from 1.
 * @param chance From 0 to 1.
 * @returns Whole milliseconds.
 */
export function backoffMs(
  policy: Pick<StepPolicy, "retryFactor" | "retryMaxMs" | "retryInitialMs" | "retryJitter">,
  failures: number,
  chance: number,
): number {
  // Bounded before it is multiplied: the power overflows to Infinity, and zero times Infinity is no number.
  const growth = Math.min(Number.MAX_SAFE_INTEGER, policy.retryFactor ** (failures - 1));
  const full = Math.min(policy.retryMaxMs, policy.retryInitialMs * growth);
  return Math.round(policy.retryJitter ? full * (0.5 + chance / 2) : full);
}
