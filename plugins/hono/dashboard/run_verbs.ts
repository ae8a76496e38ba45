/**
 * What can be done to runs.
 *
 * @module
 */
import type { BatchFailure, DefinitionView } from "../contract.ts";
import { ask, pathOf, queryOf } from "./api.ts";
import type { RunFilter } from "./run_filter.ts";
import type { ListedRun, RunVerb } from "./wire.ts";

/** A verb in words. */
export interface VerbText {
  readonly label: string;
  readonly labelOfAll: string;
  /** What a reader should know before. */
  readonly consequence: string;
  readonly isDangerous: boolean;
  /** The states in which it is allowed. */
  readonly states: readonly string[];
}

/** Each verb in words. */
export const verbTexts: Readonly<Record<RunVerb, VerbText>> = {
  pause: {
    label: "Pause",
    labelOfAll: "Pause all",
    consequence: "Nothing is started until it is resumed. A step that is running may still land.",
    isDangerous: false,
    states: ["initiated", "running"],
  },
  resume: {
    label: "Resume",
    labelOfAll: "Resume all",
    consequence: "It goes on at once, and its failed attempts are forgotten.",
    isDangerous: false,
    states: ["paused"],
  },
  cancel: {
    label: "Cancel",
    labelOfAll: "Cancel all",
    consequence: "It ends where it is, for good. What a running step comes to is discarded.",
    isDangerous: true,
    states: ["initiated", "running", "paused", "stalled"],
  },
  delete: {
    label: "Delete data",
    labelOfAll: "Delete data of all",
    consequence: "Its data is erased from its record, history and hooks. It cannot be brought back.",
    isDangerous: true,
    states: ["completed", "failed", "cancelled", "terminated"],
  },
};

/** All verbs, in the order of their buttons. */
export const runVerbs = Object.keys(verbTexts) as readonly RunVerb[];

/** A filter of the runs that a verb is for, where the reader has not said which states are meant. */
export function filterFor(verb: RunVerb, filter: RunFilter): RunFilter {
  return filter.states.length > 0 ? filter : { ...filter, states: verbTexts[verb].states };
}

/** Which run. */
export type RunName = Pick<ListedRun, "definition" | "key" | "runId">;

/** Does it to one run: this one, not the latest of its key. */
export async function doToRun(
  verb: RunVerb,
  { definition, key, runId }: RunName,
  reason: string,
  signal?: AbortSignal,
): Promise<void> {
  const path = `runs/${pathOf(definition, key)}`;
  if (verb === "delete") {
    await ask(`${path}${queryOf({ runId, reason })}`, { method: "DELETE", signal });
    return;
  }
  const why = verb !== "resume" && reason !== "" ? { reason } : {};
  await ask(`${path}/${verb}`, { method: "POST", body: { runId, ...why }, signal });
}

/** How far something with many runs has come. */
export interface Progress {
  readonly matched: number;
  readonly done: number;
  readonly failed: number;
  readonly failures: readonly (Omit<BatchFailure, "code"> & Partial<BatchFailure>)[];
  /** There are more than one batch may change. */
  readonly isLimited?: boolean;
}

/** Requests at once. */
const atOnce = 6;

/**
 * Does it to each of some runs.
 *
 * @param tell Hears of each that is done.
 */
export async function doToRuns(
  verb: RunVerb,
  runs: readonly RunName[],
  reason: string,
  signal: AbortSignal,
  tell: (progress: Progress) => void,
): Promise<void> {
  let progress: Progress = { matched: runs.length, done: 0, failed: 0, failures: [] };
  const rest = [...runs];
  async function work() {
    for (let run = rest.shift(); run && !signal.aborted; run = rest.shift()) {
      try {
        await doToRun(verb, run, reason, signal);
        progress = { ...progress, done: progress.done + 1 };
      } catch (error) {
        if (signal.aborted) return;
        const { message, code } = error as Error & { code?: string };
        const failure = { ...run, detail: message, ...(code !== undefined && { code }) };
        progress = { ...progress, failed: progress.failed + 1, failures: [...progress.failures, failure] };
      }
      tell(progress);
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work));
}

/** Whether a run takes a callback where it is. */
export function takesCallback(
  run: Pick<ListedRun, "status" | "runState">,
  definition?: DefinitionView,
): boolean {
  const isGoing = run.runState === "initiated" || run.runState === "running";
  return isGoing && (definition?.callbacks.includes(run.status) ?? false);
}
