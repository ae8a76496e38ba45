import { PawlError } from "../errors.ts";
import { land } from "../parts/landing.ts";
import {
  lockFailed,
  lockGranted,
  lockRequested,
  lockTimedOut,
  lockWaits,
  type LockWish,
} from "../parts/lock_change.ts";
import type { LockAnswer } from "../parts/lock_ops.ts";
import type { ChangeOf } from "../parts/run_change.ts";
import type { RunLock, RunRecord } from "../parts/run_record.ts";
import { type EngineContext, openPayload } from "./context.ts";
import { readData } from "./data_rules.ts";
import type { Disposed } from "./dispose.ts";
import type { HotRun } from "./hot_runs.ts";
import { lockWish } from "./lock_wish.ts";
import type { TurnHost } from "./run_turn.ts";
import { runError } from "./step_runner.ts";

/** Asks for the locks of runs. */
export interface LockAsker {
  ask(run: RunRecord, lock: RunLock): Promise<LockAnswer>;
  giveBack(run: RunRecord, lock: RunLock): Promise<void>;
}

/**
 * The turn of a run that asks for its step's lock. What it asks for is in its record before it asks, so an engine that
 * takes over asks the same again, and whatever ends the visit knows what there is to give back.
 *
 * @param context The engine.
 * @param host The owner of the run's shard.
 * @param run The run; due.
 * @param locks `ask` asks the lock's shard, where the same request has the same answer; `giveBack` ends a request.
 * @returns What it came to.
 * @throws What keeps it from going on; user code never throws here.
 */
export async function lockTurn(
  context: EngineContext,
  host: TurnHost,
  run: HotRun,
  locks: LockAsker,
): Promise<Disposed> {
  const { behaviour } = host.definition;
  if (!run.record.lock) {
    const { visit, payload } = run.record;
    let changeOf: ChangeOf;
    try {
      changeOf = lockRequested(visit, await wishOf(context, host, run.record));
    } catch (error) {
      const attempt = { visit, payload, durationMs: 0, chance: context.random.float() };
      const failure = runError(error, context.limits.messageLengthMax);
      changeOf = land(behaviour, attempt, { kind: "error", error: failure });
    }
    await host.apply(run, changeOf);
  }
  const { lock } = run.record;
  if (!lock || lock.tokens) return "done";
  const answer = await locks.ask(run.record, lock);
  const applied = host.apply(run, (record, now) => {
    const { request, deadline } = lock;
    const chance = context.random.float();
    if (answer.kind === "granted") return lockGranted(request, answer.tokens)(record, now);
    if (answer.kind === "refused") {
      const error = { name: "PawlError", code: answer.code, message: answer.why };
      return lockFailed(behaviour, request, error, chance)(record, now);
    }
    const isLate = answer.kind === "busy" || (deadline !== undefined && now >= deadline);
    return isLate ? lockTimedOut(behaviour, request, chance)(record, now) : lockWaits(request)(record, now);
  });
  const isGone = await applied.then(() => false, (error) => {
    if (error instanceof PawlError && error.code === "RUN_NOT_FOUND") return true;
    throw error;
  });
  // Its run may have ended while it was asked for, and what it gave up then was not yet there.
  const isAsked = answer.kind === "granted" || answer.kind === "waiting";
  if (isAsked && run.record.lock?.request !== lock.request || isGone) await locks.giveBack(run.record, lock);
  return isGone ? "gone" : "done";
}

async function wishOf(context: EngineContext, host: TurnHost, record: RunRecord): Promise<LockWish> {
  const { behaviour } = host.definition;
  const { lock } = behaviour.policy(record.status)!;
  if (typeof lock !== "function") return lockWish(lock, context.limits);
  const data = readData(behaviour.data, record, await openPayload(context, record));
  const { id: runId, key, status } = record;
  const run = { runId, key, status, createdAt: new Date(record.createdAt), data };
  return lockWish(await lock(run), context.limits);
}
