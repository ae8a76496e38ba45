import { keepLonger } from "../parts/disposal.ts";
import { type ChangeOf, resume, stall, withoutStep, withoutTimer } from "../parts/run_change.ts";
import { boundsOf } from "./lane.ts";
import { isFinished, type RunRecord, type RunTimer } from "../parts/run_record.ts";
import type { Behaviour } from "./behaviour.ts";
import type { Ready } from "./dispatcher.ts";
import { whyStalled } from "./stalled_runs.ts";

/** What a run is due for. */
export type Turn =
  | { readonly kind: "step" | "lock" | "erase" | "remove" }
  | { readonly kind: "timer"; readonly timer: RunTimer };

/** What is to happen with a run that is due. */
export type Decision =
  /** Its turn may start. */
  | { readonly turn: Turn; readonly ready: Ready }
  /** No code runs; the record changes. */
  | { readonly instead: ChangeOf };

const step: Turn = { kind: "step" };
const lock: Turn = { kind: "lock" };
const erase: Turn = { kind: "erase" };
const remove: Turn = { kind: "remove" };

/** Deletions and removals at once in one engine: chores beside the work. */
const disposalsMax = 8;

/**
 * Decides what a run is due for. A timer goes before the step: a step that is always due would otherwise keep its
 * timers out for ever.
 *
 * @param behaviour Its definition's.
 * @param run Its record.
 * @param now The time.
 * @returns The decision; `undefined`: nothing is due.
 */
export function decideTurn(behaviour: Behaviour, run: RunRecord, now: number): Decision | undefined {
  if (run.due === undefined || run.due > now) return undefined;
  if (isFinished(run.state)) return disposal(behaviour, run, now);
  if (run.state === "paused") return { instead: resume(behaviour, "engine") };
  const why = whyStalled(behaviour, run);
  if (why !== undefined) return { instead: stall(why) };
  const timer = run.timers.length === 0 ? undefined : firstDue(run.timers, now);
  if (timer) {
    const policy = behaviour.timerPolicy?.(run.status, timer.name);
    if (!policy) return { instead: withoutTimer(behaviour, timer.name) };
    return {
      turn: { kind: "timer", timer },
      ready: {
        // Names have spaces, but hardly line ends: two with one lane would share one bound.
        status: `${run.status}\n${timer.name}`,
        ...boundsOf(policy),
      },
    };
  }
  const ready = stepReady(behaviour, run.status);
  if (ready && asksForLock(behaviour, run)) {
    // What asks takes no place of what may run.
    return { turn: lock, ready: { status: `${run.status}\nlock`, concurrency: 0 } };
  }
  return ready ? { turn: step, ready } : { instead: withoutStep(behaviour) };
}

function asksForLock(behaviour: Behaviour, { status, lock }: RunRecord): boolean {
  return lock ? !lock.tokens : behaviour.policy(status)!.lock !== undefined;
}

/** How a status's step may start; `undefined`: it has none. */
export function stepReady(behaviour: Behaviour, status: string): Ready | undefined {
  const policy = behaviour.policy(status);
  return policy && { status, ...boundsOf(policy) };
}

function disposal(behaviour: Behaviour, run: RunRecord, now: number): Decision {
  if (run.state === "deletion-requested") {
    return { turn: erase, ready: { status: "\nerase", concurrency: disposalsMax } };
  }
  const { keepFinishedMs } = behaviour;
  const isOver = keepFinishedMs !== undefined && run.updatedAt + keepFinishedMs <= now;
  if (!isOver) return { instead: keepLonger(behaviour) };
  return { turn: remove, ready: { status: "\nremove", concurrency: disposalsMax } };
}

function firstDue(timers: readonly RunTimer[], now: number): RunTimer | undefined {
  let first: RunTimer | undefined;
  for (const timer of timers) if (timer.at <= now && (!first || timer.at < first.at)) first = timer;
  return first;
}
