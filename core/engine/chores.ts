import { LeaseLostError } from "../errors.ts";
import { type Chore, choreKey, choreTable, decodeChore, scheduleHook } from "../parts/chore.ts";
import { backoffMs } from "../parts/landing.ts";
import type { RunError } from "../parts/run_record.ts";
import { isAhead } from "../parts/set_back.ts";
import { BatchBuilder } from "../store/batch.ts";
import { keyspace } from "../store/keyspace.ts";
import type { Version } from "../store/store.ts";
import { AttemptSignal } from "./attempt_call.ts";
import { type Hook, hooksOf } from "./behaviour.ts";
import type { EngineContext } from "./context.ts";
import { boundsOf } from "./lane.ts";
import type { Ready } from "./dispatcher.ts";
import { DueTurns, type TurnTaker } from "./due_turns.ts";
import { noticeCut } from "./notice.ts";
import { isCut } from "./run_turn.ts";
import { viewOf } from "./run_view.ts";
import type { ShardOwnerOptions } from "./owner_options.ts";
import type { ShardOwner } from "./shard_owner.ts";
import { runError, withTimeout } from "./step_runner.ts";
import { untilDone } from "./until_done.ts";

/** A chore as it was read. */
interface HeldChore {
  readonly chore: Chore;
  readonly version: Version;
}

/** What an attempt is counted as that may have taken its engine down. */
const interrupted: RunError = { name: "Interrupted", message: "its engine died, maybe by it" };

/** A hook that the deployed code has no more. */
const unbounded = { concurrency: 0 };

/** The engine's own hook: a schedule may wait for it. */
const endHook: Pick<Hook, "name" | "policy"> = { name: scheduleHook, policy: untilDone };

const isTold = ({ hook }: Chore) => hook === scheduleHook;

/** What becomes of a chore after an attempt; `undefined`: it is done; itself: nothing, it is tried again. */
type Outcome = Chore | undefined;

/**
 * The chores of one definition in one shard: each is tried alone, at least once, until it is done or parked. They share
 * the dispatcher with the runs, and hold up none of them.
 */
export class Chores implements TurnTaker {
  /** Theirs. */
  readonly turns: DueTurns;
  readonly #owner: ShardOwner;
  readonly #options: ShardOwnerOptions;
  readonly #context: EngineContext;
  readonly #held = new Map<string, HeldChore>();
  readonly #running = new Set<AttemptSignal>();

  /**
   * @param owner Whose.
   * @param options The owner's.
   */
  constructor(owner: ShardOwner, options: ShardOwnerOptions) {
    this.#owner = owner;
    this.#options = options;
    this.#context = options.context;
    this.turns = new DueTurns("hooks", keyspace.todo, owner, options, this);
  }

  /** The clock was ahead and has been set back: what would wait for longer than any retry is due now. */
  setBack(): Promise<boolean> {
    return this.turns.setBack(async (id) => {
      const held = await this.#read(id);
      if (held?.chore.due === undefined) return;
      const longestMs = this.#hookOf(held.chore)?.policy.retryMaxMs ?? 0;
      const due = this.#context.clock.now();
      if (!isAhead(held.chore.due - longestMs, due)) return;
      const version = await this.#write(held, { ...held.chore, due });
      if (version !== undefined) this.turns.file(id, due, version);
    });
  }

  /** A change has just brought these. */
  added(chores: readonly Chore[]): void {
    for (const { id, due } of chores) {
      if (due !== undefined && !this.turns.holds(id)) this.turns.file(id, due);
    }
  }

  /** Nothing more is started, and what runs is told. */
  end(): void {
    this.turns.end();
    for (const attempt of this.#running) attempt.abort(new LeaseLostError(`"${this.#owner.name}"`));
  }

  /** @inheritdoc */
  async prepare(id: string): Promise<Ready | undefined> {
    try {
      const held = this.#owner.over || this.#owner.resting ? undefined : await this.#read(id);
      const { chore } = held ?? {};
      if (held && chore?.due !== undefined && chore.due <= this.#context.clock.now() && !this.#owner.over) {
        this.#held.set(id, held);
        return {
          status: `${chore.kind}\n${chore.hook}`,
          ...boundsOf(this.#hookOf(chore)?.policy ?? unbounded),
        };
      }
      this.turns.over(id);
      if (held && chore?.due !== undefined && !this.#owner.resting) {
        this.turns.file(id, chore.due, held.version);
      }
    } catch (error) {
      this.turns.retry(id, error);
    }
    return undefined;
  }

  /** @inheritdoc */
  async run(id: string): Promise<void> {
    const held = this.#held.get(id)!;
    this.#held.delete(id);
    // Decided while it was prepared: whoever is to take the shard over does it.
    if (this.#owner.over || this.#owner.resting) return this.turns.over(id);
    await this.#owner.attend(this.#work(held));
  }

  async #work({ chore, version }: HeldChore): Promise<void> {
    const { id } = chore;
    const { clock, metrics } = this.#context;
    // What the engine does for itself is no hook of anybody's.
    const meter = chore.kind === "lock" || isTold(chore)
      ? undefined
      : metrics?.hooks(this.#owner.definition, chore.kind);
    meter?.started(clock.now() - (chore.due ?? clock.now()), this.#hookOf(chore)?.policy.lagAlertMs);
    const startedAt = clock.monotonic();
    let next: Outcome;
    let settled: Version | undefined;
    try {
      const begun = await this.#begin({ chore, version });
      if (begun === "changed") return this.#again(chore);
      next = begun && await this.#attempt(begun.chore);
      if (begun && next === begun.chore) return this.#again(next);
      if (begun) settled = await this.#settle(begun, next);
    } catch (error) {
      this.turns.retry(id, error);
      meter?.failed();
      return;
    }
    if (next) meter?.failed();
    else meter?.done(clock.monotonic() - startedAt);
    this.turns.over(id);
    this.turns.file(id, next?.due, settled);
    this.turns.readAhead();
  }

  /** Its row has changed before it could begin, or it waits for the network: it is read again. */
  #again({ id, due }: Chore): void {
    this.turns.over(id);
    this.turns.file(id, due);
  }

  #read(id: string): Promise<HeldChore | undefined> {
    return readChore(this.#context, this.#owner.shard, id);
  }

  #hookOf(chore: Chore): Pick<Hook, "name" | "policy"> | undefined {
    if (chore.kind === "lock") return this.#context.locks?.hook;
    return isTold(chore) ? this.#context.features.schedules && endHook : this.#userHook(chore);
  }

  #userHook({ kind, hook }: Chore): Hook | undefined {
    if (kind === "lock") return undefined;
    return hooksOf(this.#owner.definition, kind).find(({ name }) => name === hook);
  }

  /**
   * What was due when the previous owner died may be what killed it: its attempt is counted before it starts. It may as
   * well never have been tried, so one death alone parks nothing.
   */
  async #begin(held: HeldChore): Promise<HeldChore | "changed" | undefined> {
    const { takenOverAt } = this.#options;
    const { chore } = held;
    if (takenOverAt === undefined || chore.due! > takenOverAt) return held;
    const next = this.#afterFailure(chore, interrupted, chore.lastError?.name === interrupted.name);
    if (next.due === undefined) {
      await this.#settle(held, next);
      return undefined;
    }
    const counted = { ...next, due: chore.due };
    const version = await this.#write(held, counted);
    return version === undefined ? "changed" : { chore: counted, version };
  }

  async #attempt(chore: Chore): Promise<Outcome> {
    const hook = this.#hookOf(chore);
    if (!hook) {
      const message = `the deployed code has no hook "${chore.hook}"`;
      return { ...chore, due: undefined, lastError: { name: "Error", message } };
    }
    const end = new AttemptSignal();
    this.#running.add(end);
    try {
      const result = this.#perform(chore, end.signal);
      const { timeoutMs } = hook.policy;
      await (timeoutMs > 0 ? withTimeout(this.#context, result, timeoutMs, end) : result);
      return undefined;
    } catch (error) {
      if (isCut(this.#context, hook.policy)) {
        noticeCut(this.#context, chore.run, hook.name);
        return chore;
      }
      return this.#afterFailure(chore, runError(error, this.#context.limits.messageLengthMax));
    } finally {
      this.#running.delete(end);
    }
  }

  async #perform(chore: Chore, signal: AbortSignal): Promise<unknown> {
    const { features: { schedules }, locks } = this.#context;
    if (chore.kind === "lock") return await locks!.giveBack(chore.run);
    if (isTold(chore)) return await schedules!.tellEnd(this.#context, this.#options, chore.run);
    const view = await viewOf(this.#context, chore.run);
    return await this.#userHook(chore)!.run(view, signal, chore);
  }

  #afterFailure(chore: Chore, error: RunError, mayPark = true): Chore {
    const { clock, random, logger } = this.#context;
    const policy = this.#hookOf(chore)?.policy;
    const attempt = chore.attempt + 1;
    const isEnough = !policy ||
      (mayPark && policy.pauseAfterErrors > 0 && attempt >= policy.pauseAfterErrors);
    logger.log(isEnough ? "error" : "warn", isEnough ? "A hook is parked" : "A hook failed", {
      definition: this.#owner.name,
      runId: chore.run.id,
      hook: chore.hook,
      attempt,
      error: error.name,
      code: error.code,
    });
    const due = isEnough ? undefined : clock.now() + backoffMs(policy, attempt, random.float());
    return { ...chore, attempt, due, lastError: error };
  }

  /**
   * The attempt has been made: its outcome is written over whatever has become of the row, but its run's erasure, of which
   * its error may tell what the attempt still saw.
   *
   * @returns The version of that write.
   */
  async #settle(held: HeldChore, next: Outcome): Promise<Version | undefined> {
    let current: HeldChore | undefined = held;
    for (let rebase = 0; current && rebase <= this.#context.limits.rebasesMax; rebase++) {
      const after: Outcome = current === held ? next : next && withoutWords(next, current.chore);
      const version = await this.#write(current, after);
      if (version !== undefined) return version;
      current = await this.#read(held.chore.id);
    }
    return undefined;
  }

  async #write({ chore, version }: HeldChore, next: Outcome): Promise<Version | undefined> {
    const batch = new BatchBuilder().check(choreKey(chore.id), version);
    if (next) choreTable.write(batch, chore, next);
    else choreTable.remove(batch, chore);
    if (!next) this.#context.locks?.addReleased(batch, chore);
    const { shard, guard, name } = this.#owner;
    const result = await this.#context.committer.commit(shard, batch, guard);
    if (result.ok) return result.version;
    if (result.reason === "lease-lost") throw new LeaseLostError(`"${name}" in shard ${shard}`);
    return undefined;
  }
}

function withoutWords(next: Chore, { run }: Chore): Chore {
  return { ...next, run, lastError: next.lastError && { ...next.lastError, message: "" } };
}

/**
 * @param id A chore's.
 * @returns It, or `undefined` when it is done or was never there.
 */
export async function readChore(
  context: EngineContext,
  shard: number,
  id: string,
): Promise<HeldChore | undefined> {
  const entry = await context.reader.get(shard, choreKey(id));
  return entry && { chore: decodeChore(id, entry.value), version: entry.version };
}
