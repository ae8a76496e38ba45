/**
 * What may still happen to a finished run: its data is erased, and at last it is removed.
 *
 * @module
 */
import { allow, type ChangeOf, type Rules } from "./run_change.ts";
import { nextRecord, type Payload, type RunError, type RunState } from "./run_record.ts";

const deletable: readonly RunState[] = ["completed", "failed", "cancelled", "terminated"];

/**
 * Asks for the erasure of a finished run's data; the owner does it.
 *
 * @returns The change.
 */
export function requestDeletion(reason: string): ChangeOf {
  return (run, now) => {
    allow("delete data of", run, deletable);
    const after = nextRecord(run, {
      state: "deletion-requested",
      reason,
      attempt: 0,
      lastError: undefined,
      updatedAt: now,
      due: now,
    });
    return { after, event: { kind: "delete-request", by: "operator", reason } };
  };
}

/**
 * The record once the data is erased everywhere else.
 *
 * @param payload What is left of it.
 * @returns The change.
 */
export function erased(rules: Rules, payload: Payload): ChangeOf {
  return (run, now) => {
    if (run.state !== "deletion-requested") return {};
    const { keepFinishedMs } = rules;
    const after = nextRecord(run, {
      state: "deleted",
      lastError: undefined,
      updatedAt: now,
      due: keepFinishedMs === undefined ? undefined : now + keepFinishedMs,
      payload,
    });
    return { after, event: { kind: "delete", by: "engine" } };
  };
}

/**
 * An erasure that failed is tried again.
 *
 * @param error What it failed with.
 * @param retryMs When.
 * @returns The change.
 */
export function notErased(error: RunError, retryMs: (attempt: number) => number): ChangeOf {
  return (run, now) => {
    if (run.state !== "deletion-requested") return {};
    const attempt = run.attempt + 1;
    const due = now + retryMs(attempt);
    return {
      after: nextRecord(run, { attempt, lastError: error, updatedAt: now, due }),
      event: { kind: "error", by: "engine", error },
    };
  };
}

/**
 * A finished run that was once to be removed by now is kept for longer, or for ever, by the deployed code.
 *
 * @returns The change.
 */
export function keepLonger(rules: Rules): ChangeOf {
  return (run) => {
    const { keepFinishedMs } = rules;
    const due = keepFinishedMs === undefined ? undefined : run.updatedAt + keepFinishedMs;
    return { after: nextRecord(run, { due }), event: { kind: "keep", by: "engine" } };
  };
}
