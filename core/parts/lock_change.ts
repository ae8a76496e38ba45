/**
 * What becomes of a run whose step needs a lock. Its record alone says whether it waits and what it holds: the request is
 * in the record before it is in any queue, and a grant that the record does not take is given back.
 *
 * @module
 */
import { failedStep } from "./landing.ts";
import { type ChangeOf, ended, type Rules } from "./run_change.ts";
import type { HistoryEvent } from "./history.ts";
import {
  bucketOf,
  type Changes,
  earliestDue,
  nextRecord,
  type RunError,
  type RunLock,
  type RunRecord,
} from "./run_record.ts";

/** What a run asks for. */
export interface LockWish extends Omit<RunLock, "request" | "tokens" | "deadline"> {
  /** How long it waits; absent: as long as it takes. */
  readonly timeoutMs?: number;
}

function eventOf(
  kind: HistoryEvent["kind"],
  { wants, tokens }: Pick<RunLock, "wants" | "tokens">,
): HistoryEvent {
  const name = wants.map((want) => want.name).join(", ");
  const token = tokens?.[0];
  return { kind, by: "engine", name, ...(token !== undefined && { token }) };
}

/**
 * Writes down what a run is about to ask for.
 *
 * @param visit The visit that it was decided for.
 * @param wish What.
 * @returns The change.
 */
export function lockRequested(visit: number, wish: LockWish): ChangeOf {
  return (run, now) => {
    if (run.visit !== visit || run.lock || bucketOf(run.state) !== "active" || run.stepDue === undefined) {
      return {};
    }
    const { timeoutMs, ...rest } = wish;
    const lock: RunLock = {
      ...rest,
      request: `${run.id}-${run.version + 1}`,
      ...(timeoutMs !== undefined && { deadline: now + timeoutMs }),
    };
    return { after: nextRecord(run, { lock, updatedAt: now }), event: eventOf("lock-requested", lock) };
  };
}

/**
 * Lets a run wait, until its lock is granted or its patience ends.
 *
 * @returns The change.
 */
export function lockWaits(request: string): ChangeOf {
  return (run, now) => {
    const { lock } = run;
    if (lock?.request !== request || lock.tokens || bucketOf(run.state) !== "active") return {};
    return {
      after: nextRecord(run, { updatedAt: now, ...dueAt(run, lock.deadline) }),
      event: eventOf("lock-waits", lock),
    };
  };
}

/** A run that stands still is due for nothing new. */
function dueAt(run: RunRecord, stepDue: number | undefined): Changes {
  if (bucketOf(run.state) !== "active") return {};
  return { stepDue, due: earliestDue(stepDue, run.timers) };
}

/**
 * A run takes its grant; what it has not asked for, or not any more, changes nothing.
 *
 * @returns The change.
 */
export function lockGranted(request: string, tokens: Readonly<Record<string, number>>): ChangeOf {
  return (run, now) => {
    if (run.lock?.request !== request || run.lock.tokens) return {};
    const lock = { ...run.lock, tokens: run.lock.wants.map(({ name }) => tokens[name]!) };
    return {
      after: nextRecord(run, { lock, updatedAt: now, ...dueAt(run, now) }),
      event: eventOf("lock-acquired", lock),
    };
  };
}

/**
 * The run's patience is over.
 *
 * @param rules The definition's.
 * @param request What it has waited for.
 * @param chance The jitter of the next attempt.
 * @returns The change.
 */
export function lockTimedOut(rules: Rules, request: string, chance: number): ChangeOf {
  return (run, now) => {
    const { lock } = run;
    if (lock?.request !== request || lock.tokens || bucketOf(run.state) !== "active") return {};
    const event = eventOf("lock-timeout", lock);
    const message = `${event.name} of namespace "${lock.namespace}" was not granted in time`;
    if (lock.otherwise === "fail") {
      return { after: ended(rules, run, now, { state: "failed", reason: message }), event };
    }
    if (lock.otherwise === "skip") {
      const state = run.state === "initiated" ? "running" as const : undefined;
      const changes = { state, attempt: 0, lock: undefined, updatedAt: now, ...dueAt(run, undefined) };
      return { after: nextRecord(run, changes), event };
    }
    return lockFailed(rules, request, { name: "PawlError", code: "LOCK_TIMEOUT", message }, chance, event)(
      run,
      now,
    );
  };
}

/**
 * What a run asks for cannot be had: a failed attempt of its step.
 *
 * @param event What history says instead of `error`.
 * @returns The change.
 */
export function lockFailed(
  rules: Rules,
  request: string,
  error: RunError,
  chance: number,
  event?: HistoryEvent,
): ChangeOf {
  return (run, now) => {
    if (run.lock?.request !== request) return {};
    const attempt = { visit: run.visit, payload: run.payload, durationMs: 0, chance };
    const change = failedStep(rules, { ...run, lock: undefined }, now, attempt, error);
    return event ? { ...change, event: { ...change.event, ...event, error } } : change;
  };
}

/**
 * Takes its lock from a run: what its attempt comes to lands no more, and its step begins anew, with another request.
 *
 * @returns The change.
 */
export function lockLost(rules: Rules, request: string, reason: string): ChangeOf {
  return (run, now) => {
    const { lock } = run;
    if (lock?.request !== request) return {};
    const isAsked = rules.policy(run.status) !== undefined;
    return {
      after: nextRecord(run, { lock: undefined, updatedAt: now, ...(isAsked && dueAt(run, now)) }),
      event: { ...eventOf("lock-lost", lock), reason },
    };
  };
}
