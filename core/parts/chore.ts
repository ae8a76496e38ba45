/**
 * A chore: work that follows from a change of a run, outside the run's own lane. Today that is a hook, which sees the run
 * as it was at the change. A chore is due at some time, or parked after too many failures until somebody retries it.
 *
 * @module
 */
import { PawlError } from "../errors.ts";
import { parseStored } from "../json.ts";
import { keyspace } from "../store/keyspace.ts";
import { table } from "../store/table.ts";
import type { Change } from "./run_change.ts";
import { type RunError, type RunRecord, type RunState } from "./run_record.ts";
import { decodeRecord, encodeRecord } from "./run_row.ts";

/** Which change of a run's state a hook hears of. */
export type HookKind = "complete" | "pause" | "resume" | "cancel" | "fail" | "delete";

/** What an integration hears of: an attempt of a step or timer has failed; a run has failed, or was paused by errors. */
export type ErrorKind = "step-error" | "run-error";

/** The engine's own hook: tells a schedule that its run has ended. No user's hook has a name of this form. */
export const scheduleHook = "\nschedule";

/** A piece of work that is still to be done. */
export interface Chore {
  /** The run, then which change, then which of its hooks. */
  readonly id: string;
  /** What it follows from; `lock`: the run has given up a lock, or its request. */
  readonly kind: HookKind | ErrorKind | "lock";
  /** Name of the hook. */
  readonly hook: string;
  /** The timer whose attempt has failed; absent: it is of a step, or of no attempt. */
  readonly timer?: string | undefined;
  /** Failed attempts. */
  readonly attempt: number;
  /** When it is to be done; absent: it is parked. */
  readonly due: number | undefined;
  readonly lastError: RunError | undefined;
  /** The run as it was at the change. */
  readonly run: RunRecord;
}

/** The chore that gives back a lock, or withdraws its request; no hook of a user's can have that name. */
export const lockHook = "\nlock";

/**
 * @param before The run before a change.
 * @param run The run after it.
 * @returns The chore that sees to the lock that the run has given up; `undefined`: it has not.
 */
export function lockChore(before: RunRecord, run: RunRecord, now: number): Chore | undefined {
  const { lock } = before;
  if (!lock || run.lock?.request === lock.request) return undefined;
  const id = lockChoreId(run);
  // Of the run's data nothing is kept with it.
  const of = { ...run, lock, payload: "null", sealed: false, reason: undefined, lastError: undefined };
  return { id, kind: "lock", hook: lockHook, attempt: 0, due: now, lastError: undefined, run: of };
}

/** @returns The id of the chore that a change of a run's lock brings. */
export function lockChoreId({ id, version }: RunRecord): string {
  return `${id}-${version}-lock`;
}

/** What a change of a run's state is called, if anybody may want to hear of it. */
export function hookKindOf(before: RunState, after: RunState): HookKind | undefined {
  if (before === after) return undefined;
  switch (after) {
    case "completed":
      return "complete";
    case "paused":
      return "pause";
    case "cancelled":
      return "cancel";
    case "failed":
      return "fail";
    case "deleted":
      return "delete";
    case "running":
      return before === "paused" ? "resume" : undefined;
    default:
      return undefined;
  }
}

/**
 * What a change is called where it is an error.
 *
 * @param before The run before it.
 * @param change The change.
 * @returns None for most: `undefined`. Both, when an attempt has failed that was the last.
 */
export function errorKindsOf(before: RunRecord, { after, event }: Change): readonly ErrorKind[] | undefined {
  const isAttempt = event?.kind === "error";
  if (!after || after.state === before.state) return isAttempt ? stepError : undefined;
  // A pause by the engine itself: of a run that took its process down too often.
  const isStopped = after.state === "paused" && (isAttempt || event?.by === "engine");
  if (isStopped || after.state === "failed") return isAttempt ? bothErrors : runError;
  return isAttempt ? stepError : undefined;
}

const stepError = ["step-error"] as const;
const runError = ["run-error"] as const;
const bothErrors = ["step-error", "run-error"] as const;

/**
 * @param run The run after the change.
 * @param index Which of the change's hooks.
 * @returns The id of its chore, which begins with the run's.
 */
export function choreId(run: RunRecord, index: number): string {
  return `${run.id}-${run.version}-${index}`;
}

/** The run that a chore is of. */
export function runIdOfChore(id: string): string {
  return id.slice(0, id.indexOf("-"));
}

const runMark = ',"run":';

/** The stored text of a chore. */
export function encodeChore(chore: Chore): string {
  let text = `{"kind":"${chore.kind}","hook":${JSON.stringify(chore.hook)},"attempt":${chore.attempt}`;
  if (chore.timer !== undefined) text += `,"timer":${JSON.stringify(chore.timer)}`;
  if (chore.due !== undefined) text += `,"due":${chore.due}`;
  if (chore.lastError !== undefined) text += `,"lastError":${JSON.stringify(chore.lastError)}`;
  return `${text}${runMark}${encodeRecord(chore.run)}}`;
}

/**
 * @param id The chore's.
 * @param text Its stored text.
 * @returns The chore.
 * @throws {PawlError} `STORE_CORRUPT` when it is none.
 */
export function decodeChore(id: string, text: string): Chore {
  // The run comes last, and before it inside strings the quotes are escaped.
  const at = text.indexOf(runMark);
  const head = Object(parseStored(at < 0 ? "" : text.slice(0, at) + "}", `chore ${id}`)) as Chore;
  if (typeof head.kind !== "string" || typeof head.hook !== "string" || !Number.isInteger(head.attempt)) {
    throw new PawlError("STORE_CORRUPT", `Cannot read chore ${id}: it lacks a kind, hook or attempt`);
  }
  return {
    id,
    kind: head.kind,
    hook: head.hook,
    timer: head.timer,
    attempt: head.attempt,
    due: head.due,
    lastError: head.lastError,
    run: decodeRecord(text.slice(at + runMark.length, -1), `chore ${id}`),
  };
}

/** The key of a chore's row. */
export function choreKey(id: string): string {
  return keyspace.chore.key(runIdOfChore(id), id);
}

/** Writes chores with the row of the one index they stand in. */
export const choreTable = /* @__PURE__ */ table<Chore, string | number>({
  key: (chore) => choreKey(chore.id),
  encode: encodeChore,
  indexes: [{
    place: ({ due }) => due ?? "parked",
    key: ({ run, due, id }) =>
      due === undefined
        ? keyspace.parked.key(run.definition, id)
        : keyspace.todo.key(run.definition, due, id),
  }],
});
