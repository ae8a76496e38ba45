import { PawlError } from "../errors.ts";
import { type Attempt, land } from "../parts/landing.ts";
import type { ChangeOf } from "../parts/run_change.ts";
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
  /** Which attempt it was. */
  readonly attempt: Attempt;
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
  const { attempt } = unlanded;
  let { changeOf, error } = unlanded;
  for (let tries = 1; !owner.over; tries++) {
    const code = error instanceof PawlError ? error.code : undefined;
    if (code === "LEASE_LOST") return owner.failed(error);
    if (code === "RUN_NOT_FOUND" || code === "STORE_CLOSED") return;
    if (code === "LIMIT_EXCEEDED") changeOf = asFailure(owner.definition, attempt, error as PawlError);
    context.logger.log("error", "Cannot store a step's result; trying again", {
      definition: run.definition,
      runId: run.id,
      status: run.status,
      attempt: run.attempt + 1,
      error: String(error),
      code,
    });
    await sleep(context.clock, Math.min(5_000, 50 * 2 ** Math.min(tries, 7)), owner.ended).catch(() => {});
    if (owner.over) return;
    try {
      return await store(changeOf);
    } catch (again) {
      error = again;
    }
  }
}

function asFailure({ behaviour }: Definition, attempt: Attempt, error: PawlError): ChangeOf {
  const failure = { name: error.name, message: error.message, code: error.code };
  return land(behaviour, attempt, { kind: "error", error: failure });
}
