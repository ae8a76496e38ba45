import type { RunError, RunRecord, RunState } from "../parts/run_record.ts";
import { type EngineContext, openPayload } from "./context.ts";

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
  /** The timers it waits for at its status. */
  readonly timers?: readonly RunTimerView[];
}

/** A timer of a run. */
export interface RunTimerView {
  /** Which of the status's timeouts. */
  readonly name: string;
  /** When it is due. */
  readonly at: Date;
}

/**
 * @param context The engine.
 * @param record A run.
 * @returns It, as the user sees it.
 */
export async function viewOf<Data>(context: EngineContext, record: RunRecord): Promise<RunView<Data>> {
  return { ...outline(record), data: JSON.parse(await openPayload(context, record)) as Data };
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
  };
}
