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
  isFinished,
  nextRecord,
  type Payload,
  type RunError,
  type RunRecord,
  type RunState,
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
}

/** What the changes must know of a definition. */
export interface Rules {
  /** The policy of a status's step; `undefined`: the status has no step and waits, or is terminal. */
  policy(status: string): StepPolicy | undefined;
  /** Whether nothing leads out of the status. */
  isTerminal(status: string): boolean;
  /** Every status. */
  readonly statuses: ReadonlySet<string>;
  /** After how long a paused run is resumed; `undefined`: never. */
  readonly pauseRetryMs: number | undefined;
}

/** What one attempt of a step came to. `payload`: the data's JSON text, absent when it was not touched. */
export type Landing =
  | { readonly kind: "move"; readonly to: string; readonly payload?: Payload }
  | { readonly kind: "repeat" | "skip"; readonly payload?: Payload }
  | { readonly kind: "pause" | "cancel" | "fail"; readonly reason: string; readonly payload?: Payload }
  | { readonly kind: "error"; readonly error: RunError };

/** Which attempt a landing belongs to. */
export interface Attempt {
  readonly visit: number;
  readonly durationMs: number;
  /** From 0 to 1, drawn once per attempt: the jitter of its retry. */
  readonly chance: number;
}

/**
 * A step's result. It lands when the run is still in the visit the step was started for (a paused run stays paused);
 * otherwise it is discarded, and history says so.
 *
 * @param rules The definition's rules.
 * @param attempt Which attempt it was.
 * @param landing What it came to.
 * @returns The change.
 */
export function land(rules: Rules, attempt: Attempt, landing: Landing): ChangeOf {
  return (run, now) => {
    const { durationMs } = attempt;
    if (run.visit !== attempt.visit || isFinished(run.state)) {
      return { event: { kind: "late", by: "step", durationMs, ...lateDetail(landing) } };
    }
    switch (landing.kind) {
      case "move":
        return move(rules, run, now, landing.to, landing.payload, durationMs);
      case "repeat":
        return {
          after: enter(rules, run, now, run.status, landing.payload),
          event: { kind: "repeat", by: "step", from: run.status, to: run.status, durationMs },
        };
      case "skip":
        return {
          after: nextRecord(run, {
            ...progress,
            state: run.state === "initiated" ? "running" : undefined,
            updatedAt: now,
            due: run.state === "paused" ? run.due : undefined,
            payload: landing.payload,
          }),
          event: { kind: "skip", by: "step", from: run.status, durationMs },
        };
      case "pause":
        return {
          after: paused(rules, run, now, landing.reason, { payload: landing.payload }),
          event: { kind: "pause", by: "step", reason: landing.reason, durationMs },
        };
      case "cancel":
      case "fail":
        return {
          after: ended(
            run,
            now,
            landing.kind === "fail" ? "failed" : "cancelled",
            landing.reason,
            landing.payload,
          ),
          event: { kind: landing.kind, by: "step", reason: landing.reason, durationMs },
        };
      case "error":
        return failedAttempt(rules, run, now, attempt, landing.error);
    }
  };
}

function lateDetail(landing: Landing): Partial<HistoryEvent> {
  if (landing.kind === "move") return { to: landing.to };
  if (landing.kind === "error") return { error: landing.error };
  return { reason: `the step answered ${landing.kind}` };
}

function move(
  rules: Rules,
  run: RunRecord,
  now: number,
  to: string,
  payload: Payload | undefined,
  durationMs: number,
): Change {
  const event: HistoryEvent = { kind: "move", by: "step", from: run.status, to, durationMs };
  return { after: enter(rules, run, now, to, payload), event };
}

/** The record as it enters a status: the next visit, with its first due time. */
function enter(rules: Rules, run: RunRecord, now: number, to: string, payload?: Payload): RunRecord {
  const policy = rules.policy(to);
  const isEnd = rules.isTerminal(to);
  const isPaused = run.state === "paused";
  return nextRecord(run, {
    state: isEnd ? "completed" : isPaused ? "paused" : "running",
    status: to,
    visit: run.visit + 1,
    attempt: 0,
    crashes: 0,
    updatedAt: now,
    due: isEnd ? undefined : isPaused ? run.due : policy && firstDue(run, now, policy),
    reason: isEnd ? undefined : run.reason,
    lastError: undefined,
    payload,
  });
}

/** A row that is due already stays where it is while the next step is due at once: two rows less per warm step. */
function firstDue(run: RunRecord, now: number, policy: StepPolicy): number {
  if (policy.lagMs > 0) return now + policy.lagMs;
  return run.due !== undefined && run.due <= now ? run.due : now;
}

/** What a landing clears. */
const progress = { attempt: 0, crashes: 0, lastError: undefined };

function failedAttempt(rules: Rules, run: RunRecord, now: number, attempt: Attempt, error: RunError): Change {
  const policy = rules.policy(run.status);
  const count = run.attempt + 1;
  const event: HistoryEvent = {
    kind: "error",
    by: "step",
    from: run.status,
    error,
    durationMs: attempt.durationMs,
  };
  const failed = { attempt: count, crashes: 0, lastError: error };
  if (run.state === "paused") {
    return { after: nextRecord(run, { ...failed, updatedAt: now }), event };
  }
  if (policy && policy.pauseAfterErrors > 0 && count >= policy.pauseAfterErrors) {
    const reason = `the step of "${run.status}" failed ${count} times, the last with: ${error.message}`;
    return { after: paused(rules, run, now, reason, failed), event: { ...event, reason } };
  }
  const due = now + (policy ? backoffMs(policy, count, attempt.chance) : 0);
  return { after: nextRecord(run, { ...failed, updatedAt: now, due }), event };
}

/**
 * The wait before the next attempt: exponential, bounded, and with jitter somewhere in its upper half.
 *
 * @param policy The step's policy.
 * @param failures Failed attempts so far, from 1.
 * @param chance From 0 to 1.
 * @returns Whole milliseconds.
 */
export function backoffMs(policy: StepPolicy, failures: number, chance: number): number {
  // Bounded before it is multiplied: the power overflows to Infinity, and zero times Infinity is no number.
  const growth = Math.min(Number.MAX_SAFE_INTEGER, policy.retryFactor ** (failures - 1));
  const full = Math.min(policy.retryMaxMs, policy.retryInitialMs * growth);
  return Math.round(policy.retryJitter ? full * (0.5 + chance / 2) : full);
}

function paused(rules: Rules, run: RunRecord, now: number, reason: string, also: Changes = {}): RunRecord {
  return nextRecord(run, {
    ...also,
    state: "paused",
    reason,
    updatedAt: now,
    due: rules.pauseRetryMs === undefined ? undefined : now + rules.pauseRetryMs,
  });
}

function ended(run: RunRecord, now: number, state: RunState, reason: string, payload?: Payload): RunRecord {
  return nextRecord(run, { state, reason, updatedAt: now, due: undefined, payload });
}

function allow(verb: string, run: RunRecord, states: readonly RunState[]): void {
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
    // An unknown status is due too: it is set aside as stalled, where the next deployment looks for it.
    const due = rules.policy(run.status) || !rules.statuses.has(run.status) ? now : undefined;
    const after = nextRecord(run, {
      state: "running",
      reason: undefined,
      attempt: 0,
      crashes: 0,
      updatedAt: now,
      due,
    });
    return { after, event: { kind: "resume", by } };
  };
}

/**
 * Ends a run where it is.
 *
 * @returns The change.
 */
export function cancel(reason: string): ChangeOf {
  return (run, now) => {
    allow("cancel", run, ["initiated", "running", "paused", "stalled"]);
    return {
      after: ended(run, now, "cancelled", reason),
      event: { kind: "cancel", by: "operator", reason },
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
 * Takes the due row from a run whose status has lost its step by a redeploy; where nothing leads out of the status any
 * more, the run is complete.
 *
 * @returns The change.
 */
export function withoutStep(rules: Rules): ChangeOf {
  return (run, now) => {
    if (run.due === undefined || rules.policy(run.status)) return {};
    const reason = `status "${run.status}" has no step in the deployed code`;
    const state = rules.isTerminal(run.status) ? "completed" : undefined;
    return {
      after: nextRecord(run, { state, updatedAt: now, due: undefined }),
      event: { kind: "skip", by: "engine", from: run.status, reason },
    };
  };
}

/**
 * Sets aside a run whose status the deployed code does not know.
 *
 * @returns The change.
 */
export function stall(): ChangeOf {
  return (run, now) => {
    const reason = `status "${run.status}" is unknown to the deployed code`;
    return {
      after: nextRecord(run, { state: "stalled", reason, updatedAt: now, due: undefined }),
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
    const due = rules.policy(run.status) ? now : undefined;
    const after = nextRecord(run, { state: "running", reason: undefined, updatedAt: now, due });
    return { after, event: { kind: "resume", by: "engine" } };
  };
}
