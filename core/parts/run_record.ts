/**
 * The run record: all that is true of a run now. Its text has flat fields, and the user's payload last.
 *
 * @module
 */
import type { LockDemand } from "./lock_ops.ts";
import type { RunPolicy } from "./run_policy.ts";

/** Life-cycle state of a run. */
export type RunState =
  | "initiated" // triggered, no step has landed yet
  | "running"
  | "paused"
  | "stalled" // at a status that the deployed code does not know
  | "completed"
  | "failed"
  | "cancelled"
  | "terminated"
  | "deletion-requested"
  | "deleted";

/** What a failed attempt left behind. */
export interface RunError {
  /** The error's `name`. */
  readonly name: string;
  /** Its message, cut to the limit. */
  readonly message: string;
  /** Its `code`, if it had one. */
  readonly code?: string;
}

/** A due time of a run at its status, besides its step's. */
export interface RunTimer {
  /** Which function it calls: unique among the timers of its status. */
  readonly name: string;
  /** When it is due. */
  readonly at: number;
  /** Its failed attempts since it was set. */
  readonly attempt: number;
  /** How often it was set again. */
  readonly round: number;
}

/** Which occurrence of which schedule started a run. */
export interface RunOrigin {
  /** The schedule's id. */
  readonly schedule: string;
  /** Tells it from one of the same id that was deleted before. */
  readonly life: string;
  /** Which of its starts; grows. */
  readonly start: number;
  /** The time of the occurrence. */
  readonly at: number;
}

/** A lock, or several, that a run asks for, waits for or holds at its status. */
export interface RunLock {
  readonly namespace: string;
  /** Its request: never used again. */
  readonly request: string;
  readonly wants: readonly LockDemand[];
  /** How long it is held at most; absent: until the run leaves the status. */
  readonly holdMs?: number;
  /** When it waits no more; absent: it waits as long as it takes. */
  readonly deadline?: number;
  /** What then becomes of the run. */
  readonly otherwise?: "fail" | "skip";
  /** The token for each of `wants`; absent: not granted yet. No object by name: a lock may be called `data`. */
  readonly tokens?: readonly number[];
}

/** The token of each lock that a run holds, by its name. */
export function tokensByName({ wants, tokens = [] }: RunLock): Readonly<Record<string, number>> {
  return Object.fromEntries(tokens.map((token, index) => [wants[index]!.name, token]));
}

/** The record as the engine handles it. */
export interface RunRecord {
  readonly id: string;
  readonly definition: string;
  readonly key: string;
  readonly createdAt: number;
  /** Where it was triggered from; absent: nobody asked. */
  readonly traceOrigin?: string | undefined;
  /** The occurrence that started it; absent: no schedule did. */
  readonly origin?: RunOrigin | undefined;
  /** What its caller asked for its steps; absent: its definition alone says. */
  readonly policies?: readonly RunPolicy[] | undefined;
  /** The run of the same key before this one: the list of a key's runs is linked, so no index row is paid for it. */
  readonly previous: string | undefined;
  readonly state: RunState;
  readonly status: string;
  /** Grows by exactly one per change. */
  readonly version: number;
  /** Which entry of a status this is; a step's result lands only in the visit it was started for. */
  readonly visit: number;
  /** Failed attempts of this visit. */
  readonly attempt: number;
  /** Attempts of this visit that took their process down. */
  readonly crashes: number;
  readonly updatedAt: number;
  /** Where its row stands in the due index: the earliest of all it has to do; absent: it has none. */
  readonly due: number | undefined;
  /** When its step may start; absent: it waits for something else. */
  readonly stepDue: number | undefined;
  /** What else may happen to it at its status; they end with the status, and wait while it is paused. */
  readonly timers: readonly RunTimer[];
  /** The lock of its step; absent: it has asked for none. It ends with the visit, and so tells its chores. */
  readonly lock?: RunLock | undefined;
  readonly reason: string | undefined;
  readonly lastError: RunError | undefined;
  /** Version of the definition's data that the payload is of. */
  readonly dataVersion: number;
  /** The payload is a codec's text, not the user's JSON itself. */
  readonly sealed: boolean;
  /** The payload as JSON text. */
  readonly payload: string;
  /** The constant front of its stored text, made once per run. */
  readonly head: string;
  /** The key of its row, made once per run. */
  readonly rowKey: string;
}

/** User data as it is stored: JSON text, or a codec's text as a JSON string. */
export interface Payload {
  readonly text: string;
  readonly sealed: boolean;
  /** Version of the definition's data that it is of; absent: that of the payload before it. */
  readonly version?: number;
}

/** What a change sets; a due time, `reason` or `lastError` given as `undefined` is cleared. */
export interface Changes {
  readonly state?: RunState | undefined;
  readonly status?: string;
  readonly visit?: number;
  readonly attempt?: number;
  readonly crashes?: number;
  readonly updatedAt?: number;
  readonly due?: number | undefined;
  readonly stepDue?: number | undefined;
  readonly timers?: readonly RunTimer[];
  readonly lock?: RunLock | undefined;
  readonly reason?: string | undefined;
  readonly lastError?: RunError | undefined;
  readonly payload?: Payload | undefined;
}

const finished: ReadonlySet<RunState> = new Set<RunState>([
  "completed",
  "failed",
  "cancelled",
  "terminated",
  "deletion-requested",
  "deleted",
]);

/** Whether nothing more can happen to a run but deletion. */
export function isFinished(state: RunState): boolean {
  return finished.has(state);
}

/**
 * Since when the step of a run that is due has been due. A work row stays where it is while the next step is due at once, so the
 * due time alone may be of an earlier step.
 */
export function dueSince(run: RunRecord): number {
  return Math.max(run.stepDue ?? 0, run.updatedAt);
}

/** All run states, in the order of a life. */
export const runStates: readonly RunState[] = [
  "initiated",
  "running",
  "paused",
  "stalled",
  "completed",
  "failed",
  "cancelled",
  "terminated",
  "deletion-requested",
  "deleted",
];

/**
 * The list index knows one bucket for `initiated` and `running`: the move from one to the other would cost two rows.
 *
 * @param state A run state.
 * @returns The bucket its list row stands in.
 */
export function bucketOf(state: RunState): string {
  return state === "initiated" || state === "running" ? "active" : state;
}

/** The timers of a run that has none: one list for all, as most have none. */
export const noTimers: readonly RunTimer[] = [];

/**
 * When an active run has something to do next.
 *
 * @param stepDue When its step may start.
 * @param timers Its timers.
 * @returns The earliest of them.
 */
export function earliestDue(
  stepDue: number | undefined,
  timers: readonly RunTimer[],
): number | undefined {
  let due = stepDue;
  for (const { at } of timers) if (due === undefined || at < due) due = at;
  return due;
}

/** The fields of a record that never change. */
export type RunIdentity = Pick<
  RunRecord,
  "id" | "definition" | "key" | "createdAt" | "previous" | "traceOrigin" | "origin" | "policies"
>;

/** The fields of a record that can change. */
export type RunStanding = Omit<RunRecord, keyof RunIdentity | "head" | "rowKey">;

/**
 * A record with other values in its changing fields, one version on.
 *
 * @param record The record as it is.
 * @param changes What changes; a field given as `undefined` is cleared.
 * @returns The next record.
 */
export function nextRecord(record: RunRecord, changes: Changes): RunRecord {
  // Field by field, as this runs for every step: spreading would give each kind of change a shape of its own.
  return {
    id: record.id,
    definition: record.definition,
    key: record.key,
    createdAt: record.createdAt,
    previous: record.previous,
    traceOrigin: record.traceOrigin,
    origin: record.origin,
    policies: record.policies,
    head: record.head,
    rowKey: record.rowKey,
    state: changes.state ?? record.state,
    status: changes.status ?? record.status,
    version: record.version + 1,
    visit: changes.visit ?? record.visit,
    attempt: changes.attempt ?? record.attempt,
    crashes: changes.crashes ?? record.crashes,
    updatedAt: changes.updatedAt ?? record.updatedAt,
    due: "due" in changes ? changes.due : record.due,
    stepDue: "stepDue" in changes ? changes.stepDue : record.stepDue,
    timers: changes.timers ?? record.timers,
    lock: record.lock === undefined ? changes.lock : lockAfter(record, changes),
    reason: "reason" in changes ? changes.reason : record.reason,
    lastError: "lastError" in changes ? changes.lastError : record.lastError,
    dataVersion: changes.payload?.version ?? record.dataVersion,
    sealed: changes.payload ? changes.payload.sealed : record.sealed,
    payload: changes.payload ? changes.payload.text : record.payload,
  };
}

/** A lock is for one visit of a status. */
function lockAfter(record: RunRecord, changes: Changes): RunLock | undefined {
  if ("lock" in changes) return changes.lock;
  const isOver = changes.visit !== undefined || (changes.state !== undefined && isFinished(changes.state));
  return isOver ? undefined : record.lock;
}
