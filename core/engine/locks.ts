/**
 * The locks of one engine: what its runs ask for and give back, and what is done so that a grant reaches the run that
 * waits for it, whoever dies on the way.
 *
 * @module
 */
import { type Chore, lockHook } from "../parts/chore.ts";
import { encodeHistory } from "../parts/history.ts";
import { lockGranted, lockLost } from "../parts/lock_change.ts";
import { changeHold, giveUp, type LockAnswer, requestLocks, takeAway, untold } from "../parts/lock_ops.ts";
import { decodeLock, type LockHolder, type LockRecord, untoldMs } from "../parts/lock_record.ts";
import type { LockGrant } from "../parts/lock_view.ts";
import type { RunLock, RunRecord } from "../parts/run_record.ts";
import type { BatchBuilder } from "../store/batch.ts";
import { splitKey, stamp, unescapeText } from "../store/key.ts";
import { keyspace } from "../store/keyspace.ts";
import type { Definition, Hook } from "./behaviour.ts";
import { needsLocks } from "./feature.ts";
import type { EngineContext } from "./context.ts";
import type { Disposed } from "./dispose.ts";
import { type HotRun, Stale } from "./hot_runs.ts";
import { LockClients } from "./lock_clients.ts";
import { LockTable } from "./lock_table.ts";
import { lockTurn } from "./lock_turn.ts";
import { changeRun } from "./operate.ts";
import type { Ownership } from "./ownership.ts";
import type { TurnHost } from "./run_turn.ts";
import { untilDone } from "./until_done.ts";
import { readRun } from "./write_change.ts";

/** Locks looked at in one round because they are due, per shard: the next round looks at the next. */
const dueMax = 64;

/** What locks need of the engine that has them. */
export interface LockHost {
  readonly ownership: Ownership;
  /** Lets waits hear of other engines' commits, also on an engine that never starts. */
  listen(): void;
}

/** Asks for locks, and sees to them. */
export class Locks {
  /** Reads and writes them. */
  readonly table: LockTable;
  /** Those who wait and hold, but are no runs. */
  readonly clients: LockClients;
  readonly #context: EngineContext;
  #host: LockHost | undefined;
  #isUsed = false;

  /** @param context The engine. */
  constructor(context: EngineContext) {
    this.#context = context;
    this.table = new LockTable(context, (...grants) => this.clients.granted(...grants));
    this.clients = new LockClients(context, this);
  }

  /** A definition has joined those that the engine carries. */
  carry({ behaviour }: Definition): void {
    this.#isUsed ||= needsLocks(behaviour);
  }

  /** Joins it to the rest of its engine. */
  bind(host: LockHost): void {
    this.#host = host;
  }

  /** Lets waits hear of other engines' commits. */
  listen(): void {
    this.#isUsed = true;
    this.#host?.listen();
  }

  /** The turn of a run that asks for its lock. */
  turn(host: TurnHost, run: HotRun): Promise<Disposed> {
    this.#isUsed = true;
    return lockTurn(this.#context, host, run, {
      ask: (record, lock) => this.#ask(record, lock),
      giveBack: (record, lock) => this.giveBack({ ...record, lock }),
    });
  }

  async #ask(run: RunRecord, lock: RunLock): Promise<LockAnswer> {
    const { namespace, request, wants, holdMs, deadline } = lock;
    const names = namesOf(lock);
    const mayWait = deadline === undefined || this.#context.clock.now() < deadline;
    const hold = holdMs === undefined ? {} : { holdMs };
    const asked = { request, holder: run.id, run: run.definition, wants, mayWait, ...hold };
    const { result, grants } = await this.table.do({
      namespace,
      names,
      ask: asked,
      decide: (view) => requestLocks(view, asked, this.table.care),
    });
    await this.deliver(namespace, grants);
    return result;
  }

  /** What the engine does with a chore that gives a lock back. */
  readonly hook: Pick<Hook, "name" | "policy"> = { name: lockHook, policy: untilDone };

  /** It is done only when those who were granted it have been told: if it dies before, it begins again. */
  async giveBack({ id, lock }: RunRecord): Promise<void> {
    this.#isUsed = true;
    if (lock) await this.release(lock.namespace, namesOf(lock), { holder: id, request: lock.request });
  }

  /** That a lock is others' from here on goes with the end of its chore. */
  addReleased(batch: BatchBuilder, { kind, run }: Chore): void {
    const { lock } = run;
    if (kind !== "lock" || !lock?.tokens) return;
    const name = namesOf(lock).join(", ");
    const token = lock.tokens[0]!;
    const event = { kind: "lock-released", by: "engine", name, token } as const;
    batch.putStamped(keyspace.history.front(run.id), encodeHistory(event, run, this.#context.clock.now()));
  }

  /**
   * Ends a request, and tells whoever is granted what it had; the same again tells those who may not have been told.
   *
   * @param entries Whether only the last entry is left.
   * @returns Whether it had a lock.
   */
  async release(
    namespace: string,
    names: readonly string[],
    who: { readonly holder: string; readonly request: string },
    entries = false,
  ): Promise<boolean> {
    const { result, grants } = await this.table.do({
      namespace,
      names,
      ask: who,
      decide(view) {
        const had = giveUp(view, names, who, entries);
        return { had, before: had === "none" ? untold(view, names) : [] };
      },
    });
    await this.deliver(namespace, [...grants, ...result.before]);
    return result.had === "released" || result.had === "left";
  }

  /** Tells runs of their grants. What a run does not want any more is given back, and goes to the next. */
  async deliver(namespace: string, grants: readonly LockGrant[]): Promise<void> {
    await Promise.all(grants.map(async (grant) => {
      if (grant.run === undefined || await this.#tell(grant)) return;
      await this.release(namespace, Object.keys(grant.tokens), grant);
    }));
  }

  /** @returns Whether the run holds it. */
  async #tell({ holder, request, tokens }: LockGrant): Promise<boolean> {
    const held = await readRun(this.#context, holder);
    if (!held) return false;
    try {
      const run = await changeRun(this.#context, this.#host!.ownership, held, (record, now) => {
        // A copy in memory may be old: only what the store says is a refusal.
        if (record.lock?.request !== request) throw new Stale();
        return lockGranted(request, tokens)(record, now);
      });
      return run.lock?.request === request;
    } catch (error) {
      if (error instanceof Stale || (error as { code?: unknown }).code === "RUN_NOT_FOUND") return false;
      throw error;
    }
  }

  /** Looks after those who wait here, and, for an engine that works, after locks that somebody should look at. */
  async look(works: boolean): Promise<void> {
    const shards = works && this.#isUsed ? this.#context.store.shards : 0;
    await Promise.all([
      this.clients.look(),
      ...Array.from({ length: shards }, (_, shard) => this.#lookAtDue(shard)),
    ]);
  }

  async #lookAtDue(shard: number): Promise<void> {
    const { reader, clock } = this.#context;
    const { start } = keyspace.lockDue.range();
    const end = start + stamp(clock.now() + 1);
    const [due] = await reader.read(shard, [{ start, end, limit: dueMax }]);
    await Promise.all(due!.map(async ({ key }) => {
      const [, , namespace, name] = splitKey(key).map(unescapeText);
      const entry = await reader.get(shard, keyspace.lock.key(namespace!, name!));
      if (entry) await this.lookAt(decodeLock(namespace!, name!, entry));
    }));
  }

  /** Ends holds that are over, and sees to it that grants have been heard of. */
  async lookAt(lock: LockRecord): Promise<void> {
    const { namespace, name, holders } = lock;
    const now = this.#context.clock.now();
    for (const holder of holders) {
      const { run, told, since, request, names = [name] } = holder;
      if (this.table.holds.isOver(lock, holder)) await this.revoke(lock, holder, "it was held for too long");
      else if (run !== undefined && !told && since + untoldMs <= now) {
        const { result } = await this.table.do({ namespace, names, decide: (view) => untold(view, names) });
        await this.deliver(namespace, result.filter((grant) => grant.request === request));
        await this.table.do({
          namespace,
          names,
          decide: (view) => changeHold(view, names, request, () => ({ told: true })),
        });
      }
    }
  }

  /**
   * Takes a lock away from its holder. A run is told first, in its own record: what its step comes to from then on lands no
   * more, and that commit carries the release.
   *
   * @param by For its history.
   * @param isForced Whether the next is granted it before the run is told.
   */
  async revoke(lock: LockRecord, holder: LockHolder, by: string, isForced = false): Promise<void> {
    const { namespace, name } = lock;
    const isTold = holder.run !== undefined && await this.#takeFrom(holder, by);
    if (isTold && !isForced) return;
    const until = holder.run === undefined && !isForced ? holder.until : undefined;
    const { grants } = await this.table.do({
      namespace,
      names: holder.names ?? [name],
      decide: (view) => takeAway(view, name, holder.token, until),
    });
    await this.deliver(namespace, grants);
  }

  /** @returns Whether its record held it: then the release is on its way. */
  async #takeFrom({ holder, request, run }: LockHolder, by: string): Promise<boolean> {
    const behaviour = this.#context.definitions.get(run!)?.behaviour;
    const held = await readRun(this.#context, holder);
    if (held?.record.lock?.request !== request) return false;
    if (!behaviour) return true;
    try {
      await changeRun(this.#context, this.#host!.ownership, held, (record, now) => {
        if (record.lock?.request !== request) throw new Stale();
        return lockLost(behaviour, request, by)(record, now);
      });
      return true;
    } catch (error) {
      if (error instanceof Stale) return true;
      throw error;
    }
  }
}

function namesOf({ wants }: RunLock): readonly string[] {
  return wants.map(({ name }) => name);
}
