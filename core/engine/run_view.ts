import {
  type RunError,
  type RunLock,
  type RunRecord,
  type RunState,
  tokensByName,
} from "../parts/run_record.ts";
import type { RunPolicy } from "../parts/run_policy.ts";
import { PawlError } from "../errors.ts";
import { type EngineContext, openPayload } from "./context.ts";
import { readData } from "./data_rules.ts";

/** What a run looks like from outside. */
export interface RunView<Data = unknown> {
  /** Finds the run for ever. */
  readonly runId: string;
  /** The user's key. */
  readonly key: string;
  /** Name of its definition. */
  readonly definition: string;
  /** Where it is. */
  readonly status: string;
  /** Its life-cycle state. */
  readonly runState: RunState;
  /** A copy of its data. */
  readonly data: Data;
  /** Grows by one per change. */
  readonly version: number;
  /** Failed attempts of the current step. */
  readonly attempt: number;
  /** When it was triggered. */
  readonly createdAt: Date;
  /** When it changed last. */
  readonly updatedAt: Date;
  /** Why it was paused, cancelled or failed. */
  readonly reason?: string;
  /** The last attempt's error, until a step lands. */
  readonly lastError?: RunError;
  /** Where it was triggered from, if that was given or `createEngine({ traceOrigin: true })` asks for it. */
  readonly traceOrigin?: string;
  /** The occurrence that started it; absent: no schedule did. */
  readonly origin?: RunOriginView;
  /** What its caller asked for its steps; absent: its definition alone says. */
  readonly policies?: readonly RunPolicy[];
  /** The timers it waits for at its status. */
  readonly timers?: readonly RunTimerView[];
  /** The lock that its step waits for, or holds. */
  readonly lock?: RunLockView;
}

/** Which occurrence of which schedule started a run. */
export interface RunOriginView {
  /** The schedule's id. */
  readonly schedule: string;
  /** The time that the occurrence was for; the run may have started later. */
  readonly scheduledFor: Date;
}

/** A timer of a run. */
export interface RunTimerView {
  /** Which of the status's timeouts. */
  readonly name: string;
  /** When it is due. */
  readonly at: Date;
}

/** A lock of a run. */
export interface RunLockView {
  /** Its namespace. */
  readonly namespace: string;
  /** The lock; of several, all of them. */
  readonly names: readonly string[];
  /** The token for each, once it holds them; absent: it waits. */
  readonly tokens?: Readonly<Record<string, number>>;
}

/**
 * A run with its data as the deployed code knows it. Data of a later version is shown as it is: the run is stalled, or
 * soon will be, and whoever operates it must be able to look.
 *
 * @param context The engine.
 * @param record A run.
 * @returns It, as the user sees it; a plain value where nothing had to be waited for.
 * @throws {PawlError} `MIGRATION_FAILED`.
 */
export function viewOf<Data>(
  context: EngineContext,
  record: RunRecord,
): RunView<Data> | Promise<RunView<Data>> {
  const view = (text: string) => ({ ...outline(record), data: dataOf(context, record, text) as Data });
  const text = openPayload(context, record);
  return typeof text === "string" ? view(text) : text.then(view);
}

/** The view of a verb that has happened already: data that cannot be migrated is shown as it is stored. */
export async function viewAfter(context: EngineContext, record: RunRecord): Promise<RunView> {
  try {
    return await viewOf(context, record);
  } catch (error) {
    if (!(error instanceof PawlError) || error.code !== "MIGRATION_FAILED") throw error;
    context.logger.log("error", "Data could not be migrated and is shown as it is stored", {
      runId: record.id,
      error: error.message,
    });
    return { ...outline(record), data: JSON.parse(await openPayload(context, record)) };
  }
}

function dataOf(context: EngineContext, record: RunRecord, text: string): unknown {
  const rules = context.definitions.get(record.definition)?.behaviour.data;
  // What was erased is data of no version.
  const isReadable = rules && record.dataVersion <= rules.version && record.state !== "deleted";
  return isReadable ? readData(rules, record, text) : JSON.parse(text);
}

/** A view without the data: what a list shows unless asked for more. */
export function outline(record: RunRecord): Omit<RunView, "data"> {
  return {
    runId: record.id,
    key: record.key,
    definition: record.definition,
    status: record.status,
    runState: record.state,
    version: record.version,
    attempt: record.attempt,
    createdAt: new Date(record.createdAt),
    updatedAt: new Date(record.updatedAt),
    ...(record.reason !== undefined && { reason: record.reason }),
    ...(record.lastError !== undefined && { lastError: record.lastError }),
    ...(record.timers.length > 0 && {
      timers: record.timers.map(({ name, at }) => ({ name, at: new Date(at) })),
    }),
    ...(record.lock && { lock: lockView(record.lock) }),
    ...(record.traceOrigin !== undefined && { traceOrigin: record.traceOrigin }),
    ...(record.policies && { policies: record.policies }),
    ...(record.origin && {
      origin: { schedule: record.origin.schedule, scheduledFor: new Date(record.origin.at) },
    }),
  };
}

function lockView(lock: RunLock): RunLockView {
  const names = lock.wants.map(({ name }) => name);
  return { namespace: lock.namespace, names, ...(lock.tokens && { tokens: tokensByName(lock) }) };
}
