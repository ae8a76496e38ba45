/**
 * What an integration is told of what has failed.
 *
 * @module
 */
import type { Chore } from "../parts/chore.ts";
import { policyOf } from "../parts/run_policy.ts";
import type { RunError } from "../parts/run_record.ts";
import type { Behaviour } from "./behaviour.ts";
import type { RunView } from "./run_view.ts";

/** How many attempts there were, and how many there may be. */
export interface AttemptCount {
  /** Failed attempts in a row, this one included; a resume of the run counts anew. */
  readonly attempt: number;
  /** After how many the run is paused; absent: it is tried for ever. */
  readonly attemptsMax?: number;
  /** How many are left; `Infinity` where it is tried for ever. */
  readonly attemptsLeft: number;
  /**
   * Whether so much of what there may be is used up.
   *
   * @param share From 0 to 1; default 0.8.
   * @returns Never true where it is tried for ever.
   */
  isNearLimit(share?: number): boolean;
}

/** An attempt of a step, or of a timer, that has failed. */
export interface ActivityFailure extends AttemptCount {
  /** Names it: the same whenever it is told again, so it is the key for whatever is started because of it. */
  readonly id: string;
  /** What the attempt failed with. */
  readonly error: RunError;
  /** Whose attempt it was. */
  readonly by: "step" | "timer";
  /** Which timer's; absent: it was the step's. */
  readonly timer?: string;
  /** The run as it was then. */
  readonly run: RunView;
}

/** A run that has failed, or was paused because of errors. */
export interface WorkflowFailure extends AttemptCount {
  /** Names it: the same whenever it is told again, so it is the key for whatever is started because of it. */
  readonly id: string;
  /** What became of the run. */
  readonly outcome: "failed" | "paused";
  /** Why, as the run has it. */
  readonly reason: string;
  /** What the last attempt failed with; absent: the run failed by its own code, or took its process down too often. */
  readonly error?: RunError;
  /** The run as it was then. */
  readonly run: RunView;
}

/** What is left of an error whose run's data was deleted meanwhile. */
const erased: RunError = { name: "Error", message: "" };

/** @returns What an integration is told of a failed attempt. */
export function activityFailure(behaviour: Behaviour, chore: Chore, run: RunView): ActivityFailure {
  const { timer } = chore;
  return {
    id: `${idOf(chore)}:step`,
    error: chore.run.lastError ?? erased,
    by: timer === undefined ? "step" : "timer",
    ...(timer !== undefined && { timer }),
    ...countOf(behaviour, chore),
    run,
  };
}

/** @returns What an integration is told of a run that goes on no more by itself. */
export function workflowFailure(behaviour: Behaviour, chore: Chore, run: RunView): WorkflowFailure {
  const { state, crashes, lastError, reason = "" } = chore.run;
  const isByAttempt = state === "paused" && crashes === 0;
  return {
    id: `${idOf(chore)}:run`,
    outcome: state === "paused" ? "paused" : "failed",
    reason,
    ...(isByAttempt && { error: lastError ?? erased }),
    ...countOf(behaviour, chore),
    run,
  };
}

function idOf({ run: { id, version } }: Chore): string {
  return `${id}:${version}`;
}

function countOf(behaviour: Behaviour, { run, timer }: Chore): AttemptCount {
  const policy = timer === undefined ? policyOf(behaviour, run) : behaviour.timerPolicy?.(run.status, timer);
  const timed = run.timers.find(({ name }) => name === timer);
  const attempt = timer === undefined ? run.attempt : timed?.attempt ?? 0;
  const max = policy?.pauseAfterErrors ?? 0;
  return {
    attempt,
    ...(max > 0 && { attemptsMax: max }),
    attemptsLeft: max > 0 ? Math.max(0, max - attempt) : Infinity,
    isNearLimit: (share = 0.8) => max > 0 && attempt >= share * max,
  };
}
