import type { RunRecord } from "../parts/run_record.ts";
import { checkName } from "./check_input.ts";
import type { EngineContext } from "./context.ts";
import { findRuns } from "./list.ts";

/** Which timers to list. All given fields must match. */
export interface TimerQuery {
  /** Name of a definition, or of any of several; it need not be carried by this engine. */
  readonly definition?: string | readonly string[];
  /** Timers of runs at this status, or any of several. */
  readonly status?: string | readonly string[];
  /** Timers of runs of one key; needs one `definition`. */
  readonly key?: string;
  /** Only timers of runs whose key begins so. */
  readonly keyPrefix?: string;
  /** Runs of a page; default 25. */
  readonly limit?: number;
  /** From the page before. */
  readonly cursor?: string;
}

/** A timer that a run waits for. */
export interface TimerInfo {
  /** The run. */
  readonly runId: string;
  /** Its key. */
  readonly key: string;
  /** Its definition. */
  readonly definition: string;
  /** Where it is. */
  readonly status: string;
  /** Which of the status's timeouts. */
  readonly name: string;
  /** When it is due. */
  readonly at: Date;
  /** Failed attempts. */
  readonly attempt: number;
  /** Its run is paused or stalled: it fires, if due by then, when the run goes on. */
  readonly waits: boolean;
}

/** One page of timers. */
export interface TimerPage {
  /** By creation of their runs, oldest first; those of one run by due time. */
  readonly items: readonly TimerInfo[];
  /** Where the next page begins; absent: there is none. A page may be empty and still have one. */
  readonly cursor?: string;
}

/**
 * @returns The timers of unfinished runs.
 * @throws {PawlError} `INVALID_ARGUMENT`.
 */
export async function listTimers(context: EngineContext, query: TimerQuery): Promise<TimerPage> {
  if (query.key !== undefined) checkName(query.key, "key", context.limits.keyLengthMax);
  const runState = ["initiated", "running", "paused", "stalled"] as const;
  const hasTimer = (run: RunRecord) => run.timers.length > 0;
  const { runs, cursor } = await findRuns(context, { ...query, runState, order: "oldest" }, hasTimer);
  return { items: runs.flatMap(timersOf), ...(cursor !== undefined && { cursor }) };
}

function timersOf(run: RunRecord): TimerInfo[] {
  const { id: runId, key, definition, status, state } = run;
  const waits = state === "paused" || state === "stalled";
  return [...run.timers].sort((a, b) => a.at - b.at).map(({ name, at, attempt }) => {
    return { runId, key, definition, status, name, at: new Date(at), attempt, waits };
  });
}
