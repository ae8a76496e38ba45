import { PawlError } from "../errors.ts";
import { type ChangeOf, land } from "../parts/run_change.ts";
import type { RunRecord } from "../parts/run_record.ts";
import { sleep } from "../ports/clock.ts";
import type { Definition } from "./behaviour.ts";
import type { EngineContext } from "./context.ts";

/** For whom a result is kept: the owner of the run's shard. */
export interface Lander {
  /** Whose code it was. */
  readonly definition: Definition;
  /** The shard is another engine's now: the result is void. */
  readonly over: boolean;
  /** Aborted then. */
  readonly ended: AbortSignal;
  /** Told that the lease is lost. */
  failed(error: unknown): void;
}

/** A result that could not be stored. */
export interface Unlanded {
  readonly changeOf: ChangeOf;
  /** Why not. */
  readonly error: unknown;
}

/**
 * A result that is in hand is not given up while this engine owns the shard, whatever ails the store. A result that the
 * store will never take becomes a failed attempt.
 *
 * @param context The engine.
 * @param owner Whose run it is.
 * @param run The record that the attempt began with.
 * @param unlanded The result.
 * @param store Tries to store a change.
 */
export async function landSurely(
  context: EngineContext,
  owner: Lander,
  run: RunRecord,
  unlanded: Unlanded,
  store: (changeOf: ChangeOf) => Promise<void>,
): Promise<void> {
  let { changeOf, error } = unlanded;
  for (let attempt = 1; !owner.over; attempt++) {
    const code = error instanceof PawlError ? error.code : undefined;
    if (code === "LEASE_LOST") return owner.failed(error);
    if (code === "RUN_NOT_FOUND" || code === "STORE_CLOSED") return;
    if (code === "LIMIT_EXCEEDED") changeOf = asFailure(context, owner.definition, run, error as PawlError);
    context.logger.log("error", "Cannot store a step's result; trying again", {
      definition: run.definition,
      runId: run.id,
      status: run.status,
      attempt: run.attempt + 1,
      error: String(error),
      code,
    });
    await sleep(context.clock, Math.min(5_000, 50 * 2 ** Math.min(attempt, 7)), owner.ended).catch(() => {});
    if (owner.over) return;
    try {
      return await store(changeOf);
    } catch (again) {
      error = again;
    }
  }
}

function asFailure(
  context: EngineContext,
  { behaviour }: Definition,
  run: RunRecord,
  error: PawlError,
): ChangeOf {
  const failure = { name: error.name, message: error.message, code: error.code };
  const attempt = { visit: run.visit, durationMs: 0, chance: context.random.float() };
  return land(behaviour, attempt, { kind: "error", error: failure });
}
