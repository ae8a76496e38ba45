/**
 * Every way a run may change, as pure functions from the record as it is to the record as it becomes. The engine
 * applies one by compare-and-set and, when somebody else was first, applies it again to what is there now: a step's
 * result is *rebased* so, its user code never runs again for it.
 *
 * @module
 */
import { RunStateError } from "../errors.ts";
import { type HistoryEvent } from "./history.ts";
import {
  bucketOf,
  type Changes,
  earliestDue,
  nextRecord,
  noTimers,
  type Payload,
  type RunRecord,
  type RunState,
  type RunTimer,
} from "./run_record.ts";

/** What a change decides: the next record (absent: it stays) and what history says. */
export interface Change {
  readonly after?: RunRecord;
  readonly event?: HistoryEvent;
}

/** A change of a run, given the record as it is and the time. */
export type ChangeOf = (run: RunRecord, now: number) => Change;

/** How a status's step is retried; all times in milliseconds. */
export interface StepPolicy {
  /** Wait before the second attempt. */
  readonly retryInitialMs: number;
  /** Longest wait. */
  readonly retryMaxMs: number;
  /** Growth per attempt. */
  readonly retryFactor: number;
  /** Waits are spread over their upper half. */
  readonly retryJitter: boolean;
  /** Failed attempts after which the run is paused; 0: never. */
  readonly pauseAfterErrors: number;
  /** Wait between entering the status and starting its step. */
  readonly lagMs: number;
  /** Steps of this status that one engine runs at once; 0: no bound of its own. */
  readonly concurrency: number;
  /** Longest run of one attempt; 0: no limit. */
  readonly timeoutMs: number;
  /** Lag behind its due time above which a start raises the alert of its metric; 0: never. */
  readonly lagAlertMs: number;
  /** Starts of this status's step by one engine in any span of time; absent: no bound. */
  readonly rateLimit?: { readonly limit: number; readonly perMs: number } | undefined;
  /** It can come to nothing while there is no network. */
  readonly needsNetwork: boolean;
  /** The lock that it needs, as the user gave it; absent: none. */
  readonly lock?: unknown;
}

/** What the changes must know of a definition. */
export interface Rules {
  /** The policy of a status's step; `undefined`: the status has no step and waits, or is terminal. */
  policy(status: string): StepPolicy | undefined;
  /** The policy of a timer's function; `undefined`: the status has no such timer. Absent: no status has any. */
  timerPolicy?(status: string, name: string): StepPolicy | undefined;
  /** Whether nothing leads out of the status. */
  isTerminal(status: string): boolean;
  /** Every status. */
  readonly statuses: ReadonlySet<string>;
  /** After how long a paused run is resumed; `undefined`: never. */
  readonly pauseRetryMs: number | undefined;
  /** How long a finished run is kept; `undefined`: for ever. */
  readonly keepFinishedMs?: number | undefined;
}

/** Where a run goes. */
export interface Entry {
  readonly to: string;
  /** Default: none. */
  readonly timers?: readonly RunTimer[];
  readonly payload?: Payload;
  /** Whose code led there. */
  readonly by?: "step" | "callback" | "timer";
}

/** The record as it enters a status: the next visit, with its first due time. */
export function enter(rules: Rules, run: RunRecord, now: number, entry: Entry): RunRecord {
  const { to, payload, timers = noTimers } = entry;
  if (rules.isTerminal(to)) return ended(rules, run, now, { state: "completed", status: to, payload });
  const policy = rules.policy(to);
  const isPaused = run.state === "paused";
  const stepDue = isPaused || !policy ? undefined : firstDue(run, now, policy, entry);
  return nextRecord(run, {
    state: isPaused ? "paused" : "running",
    status: to,
    visit: run.visit + 1,
    attempt: 0,
    crashes: 0,
    updatedAt: now,
    stepDue,
    timers,
    due: isPaused ? run.due : timers.length === 0 ? stepDue : earliestDue(stepDue, timers),
    lastError: undefined,
    payload,
  });
}

/**
 * A row that is due already stays where it is while the next step is due at once: two rows less per warm step. A callback
 * may be another engine's, and the owner sees by the row that the run is due for something else now.
 */
function firstDue(run: RunRecord, now: number, policy: StepPolicy, { by }: Entry): number {
  if (policy.lagMs > 0) return now + policy.lagMs;
  return by !== "callback" && run.due !== undefined && run.due <= now ? run.due : now;
}

/** The record as it waits for somebody, or for its automatic resume. */
export function paused(
  rules: Rules,
  run: RunRecord,
  now: number,
  reason: string,
  also: Changes = {},
): RunRecord {
  return nextRecord(run, {
    ...also,
    state: "paused",
    reason,
    updatedAt: now,
    stepDue: undefined,
    due: rules.pauseRetryMs === undefined ? undefined : now + rules.pauseRetryMs,
  });
}

/** How a run ends. */
export interface End {
  readonly state: RunState;
  readonly reason?: string;
  /** The terminal status, when it has got to one. */
  readonly status?: string;
  readonly payload?: Payload | undefined;
}

/** The record as it ends; what is left to do is to remove it, if it is not kept for ever. */
export function ended(rules: Rules, run: RunRecord, now: number, end: End): RunRecord {
  const { state, status, reason, payload } = end;
  return nextRecord(run, {
    state,
    reason,
    updatedAt: now,
    stepDue: undefined,
    timers: noTimers,
    due: rules.keepFinishedMs === undefined ? undefined : now + rules.keepFinishedMs,
    payload,
    ...(status !== undefined && {
      status,
      visit: run.visit + 1,
      attempt: 0,
      crashes: 0,
      lastError: undefined,
    }),
  });
}

/** The record as it goes on after standing still. */
function goOn(rules: Rules, run: RunRecord, now: number, also: Changes = {}): RunRecord {
  // An unknown status is due too: it is set aside as stalled, where the next deployment looks for it.
  const stepDue = rules.policy(run.status) || !rules.statuses.has(run.status) ? now : undefined;
  const timers = run.timers.length === 0 ? noTimers : run.timers.map((timer) => ({ ...timer, attempt: 0 }));
  return nextRecord(run, {
    ...also,
    state: "running",
    reason: undefined,
    updatedAt: now,
    stepDue,
    timers,
    due: earliestDue(stepDue, timers),
  });
}

/** Refuses a verb in any other state. */
export function allow(verb: string, run: RunRecord, states: readonly RunState[]): void {
  if (!states.includes(run.state)) throw new RunStateError(verb, run.id, run.state, states);
}

/**
 * An operator stops a run between steps; a step already running may still land.
 *
 * @returns The change.
 */
export function pause(rules: Rules, reason: string): ChangeOf {
  return (run, now) => {
    allow("pause", run, ["initiated", "running"]);
    return { after: paused(rules, run, now, reason), event: { kind: "pause", by: "operator", reason } };
  };
}

/**
 * Lets a paused run go on, with a fresh count of attempts.
 *
 * @returns The change.
 */
export function resume(rules: Rules, by: "operator" | "engine"): ChangeOf {
  return (run, now) => {
    allow("resume", run, ["paused"]);
    return { after: goOn(rules, run, now, { attempt: 0, crashes: 0 }), event: { kind: "resume", by } };
  };
}

/**
 * Ends a run where it is.
 *
 * @returns The change.
 */
export function cancel(rules: Rules, reason: string, by: "operator" | "schedule" = "operator"): ChangeOf {
  return (run, now) => {
    allow("cancel", run, ["initiated", "running", "paused", "stalled"]);
    return {
      after: ended(rules, run, now, { state: "cancelled", reason }),
      event: { kind: "cancel", by, reason },
    };
  };
}

/**
 * Ends a run where it is, for another to take its place; no hook hears of it.
 *
 * @returns The change.
 */
export function terminate(rules: Rules, reason: string): ChangeOf {
  return (run, now) => {
    allow("terminate", run, ["initiated", "running", "paused", "stalled"]);
    return {
      after: ended(rules, run, now, { state: "terminated", reason }),
      event: { kind: "terminate", by: "schedule", reason },
    };
  };
}

/** Writes down that an attempt is about to start which may take its process down, or pauses a run that did so too often. */
export function interrupted(rules: Rules, crashesMax: number): ChangeOf {
  return (run, now) => {
    // An operator may have been first: what is not about to run is left alone.
    if (run.due === undefined || run.due > now || bucketOf(run.state) !== "active") return {};
    if (run.crashes >= crashesMax) {
      const reason = `the step of "${run.status}" took its process down ${run.crashes} times`;
      return { after: paused(rules, run, now, reason), event: { kind: "pause", by: "engine", reason } };
    }
    return {
      after: nextRecord(run, { crashes: run.crashes + 1, updatedAt: now }),
      event: { kind: "interrupted", by: "engine", from: run.status },
    };
  };
}

/**
 * Takes the due time from a run whose status has lost its step by a redeploy; where nothing leads out of the status any
 * more, the run is complete.
 *
 * @returns The change.
 */
export function withoutStep(rules: Rules): ChangeOf {
  return (run, now) => {
    // Also where no step is due: a record that is due for nothing would come up again and again.
    if (rules.policy(run.status)) return {};
    const reason = `status "${run.status}" has no step in the deployed code`;
    const event: HistoryEvent = { kind: "skip", by: "engine", from: run.status, reason };
    if (rules.isTerminal(run.status)) return { after: ended(rules, run, now, { state: "completed" }), event };
    const due = earliestDue(undefined, run.timers);
    return { after: nextRecord(run, { updatedAt: now, stepDue: undefined, due, lock: undefined }), event };
  };
}

/**
 * Takes a timer from a run whose status has lost it by a redeploy.
 *
 * @param name The timer.
 * @returns The change.
 */
export function withoutTimer(rules: Rules, name: string): ChangeOf {
  return (run, now) => {
    if (rules.timerPolicy?.(run.status, name)) return {};
    const timers = run.timers.filter((timer) => timer.name !== name);
    const reason = `status "${run.status}" has no timer "${name}" in the deployed code`;
    const event: HistoryEvent = { kind: "skip", by: "engine", name, from: run.status, reason };
    if (rules.isTerminal(run.status)) return { after: ended(rules, run, now, { state: "completed" }), event };
    return {
      after: nextRecord(run, { updatedAt: now, timers, due: earliestDue(run.stepDue, timers) }),
      event,
    };
  };
}

/**
 * Sets aside a run that the deployed code cannot go on with.
 *
 * @param because Why; default: its status is unknown.
 * @returns The change.
 */
export function stall(because?: string): ChangeOf {
  return (run, now) => {
    const reason = because ?? `status "${run.status}" is unknown to the deployed code`;
    return {
      after: nextRecord(run, {
        state: "stalled",
        reason,
        updatedAt: now,
        stepDue: undefined,
        due: undefined,
      }),
      event: { kind: "stall", by: "engine", reason },
    };
  };
}

/**
 * Takes a stalled run up again when the deployed code knows its status.
 *
 * @returns The change.
 */
export function unstall(rules: Rules): ChangeOf {
  return (run, now) => {
    if (run.state !== "stalled") return {};
    return { after: goOn(rules, run, now), event: { kind: "resume", by: "engine" } };
  };
}
