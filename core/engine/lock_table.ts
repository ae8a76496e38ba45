/**
 * The locks of a store, changed by compare-and-set by anybody. What one engine asks of a namespace at once goes in one
 * batch, in order, so that ten thousand who ask for one lock do not refuse each other.
 *
 * @module
 */
import { ConflictError, PawlError } from "../errors.ts";
import { findCycle } from "../parts/lock_graph.ts";
import type { LockCare } from "../parts/lock_ops.ts";
import { likelyRows, LockRows, RowsNeeded } from "../parts/lock_rows.ts";
import { type LockGrant, LockView } from "../parts/lock_view.ts";
import { shardOfNamespace } from "../parts/lock_record.ts";
import { sleep } from "../ports/clock.ts";
import type { ReadOp } from "../store/store.ts";
import type { EngineContext } from "./context.ts";
import { HoldWatch } from "./hold_watch.ts";

/** What is to be done with locks of a namespace. */
export interface LockWork<Result> {
  readonly namespace: string;
  /** The locks. */
  readonly names: readonly string[];
  /** The request that it is about; absent: none. */
  readonly ask?: { readonly holder: string; readonly request: string };
  /** Decides; called again on newer rows when somebody else was first. */
  decide(view: LockView): Result;
}

/** What was done. */
export interface LockDone<Result> {
  readonly result: Result;
  /** Grants that it made to others. */
  readonly grants: readonly LockGrant[];
}

/** Told of grants, once they are durable, with the monotonic time before they were made. */
export type OnGrants = (namespace: string, grants: readonly LockGrant[], since: number) => void;

interface Waiting {
  readonly work: LockWork<unknown>;
  readonly resolve: (done: LockDone<unknown>) => void;
  readonly reject: (error: unknown) => void;
}

/** Requests that one batch does for: its rows stay far below what any store takes at once. */
const worksMax = 64;

/** Reads and writes locks. */
export class LockTable {
  /** Judges holds. */
  readonly holds: HoldWatch;
  readonly #context: EngineContext;
  readonly #onGrants: OnGrants;
  readonly #queues = new Map<string, Waiting[]>();
  readonly #care: LockCare;

  /**
   * @param context The engine.
   * @param onGrants Told of all grants to others, once they are durable.
   */
  constructor(context: EngineContext, onGrants: OnGrants) {
    this.#context = context;
    this.#onGrants = onGrants;
    this.holds = new HoldWatch(context.clock);
    this.#care = {
      isOver: (lock, holder) => this.holds.isOver(lock, holder),
      whyNotWait: findCycle,
    };
  }

  /** What is looked at beside the rows. */
  get care(): LockCare {
    return this.#care;
  }

  /** The shard of a namespace. */
  shardOf(namespace: string): number {
    return shardOfNamespace(this.#context.store.shards, namespace);
  }

  /**
   * Does work on locks; what it changed is durable when this resolves.
   *
   * @returns What was decided, and the grants that were made by it.
   * @throws What `decide` throws; `CONFLICT`, or what the store says.
   */
  do<Result>(work: LockWork<Result>): Promise<LockDone<Result>> {
    return new Promise((resolve, reject) => {
      const queue = this.#queues.get(work.namespace);
      const waiting: Waiting = { work, resolve: resolve as Waiting["resolve"], reject };
      if (queue) return void queue.push(waiting);
      this.#queues.set(work.namespace, [waiting]);
      this.#context.clock.soon(() => this.#run(work.namespace));
    });
  }

  async #run(namespace: string): Promise<void> {
    const queue = this.#queues.get(namespace)!;
    while (queue.length > 0) {
      const group = queue.splice(0, worksMax);
      await this.#split(namespace, group);
    }
    this.#queues.delete(namespace);
  }

  /** What is too much for one commit is halved. */
  async #split(namespace: string, group: readonly Waiting[]): Promise<void> {
    try {
      await this.#together(namespace, group);
    } catch (error) {
      const isTooMuch = error instanceof PawlError && error.code === "LIMIT_EXCEEDED";
      if (!isTooMuch || group.length === 1) {
        for (const { reject } of group) reject(error);
        return;
      }
      const middle = group.length >> 1;
      await this.#split(namespace, group.slice(0, middle));
      await this.#split(namespace, group.slice(middle));
    }
  }

  async #together(namespace: string, group: readonly Waiting[]): Promise<void> {
    const { clock, random, committer, limits } = this.#context;
    const shard = this.shardOf(namespace);
    for (let rebase = 0; rebase <= limits.rebasesMax; rebase++) {
      const { view, settle, grants, since } = await this.#decide(shard, namespace, group);
      const batch = view.batch();
      const result = batch && await committer.commit(shard, batch);
      if (!result || result.ok) {
        this.#onGrants(namespace, grants, since);
        return settle();
      }
      // Engines that meet at one lock would refuse each other in step.
      await sleep(clock, Math.min(100, 2 ** rebase) * random.float());
    }
    throw new ConflictError(
      `Cannot change locks of namespace "${namespace}": other writers were first ${limits.rebasesMax} times`,
    );
  }

  async #decide(
    shard: number,
    namespace: string,
    group: readonly Waiting[],
  ): Promise<Decided & { readonly since: number }> {
    const { clock, reader, store } = this.#context;
    const rows = new LockRows(store.limits.entriesPerRangeMax);
    const read = async (ops: readonly ReadOp[]) => {
      for (let from = 0; from < ops.length; from += store.limits.opsPerReadMax) {
        const slice = ops.slice(from, from + store.limits.opsPerReadMax);
        rows.add(slice, await reader.read(shard, slice));
      }
    };
    const likely = group.flatMap(({ work }) => likelyRows(namespace, work.names, work.ask));
    await read([...new Map(likely.map((op) => ["get" in op ? op.get : op.start, op])).values()]);
    for (;;) {
      try {
        return { ...decide(new LockView(namespace, rows, clock.now()), group), since: clock.monotonic() };
      } catch (error) {
        if (!(error instanceof RowsNeeded)) throw error;
        await read(error.ops);
      }
    }
  }
}

/** What a group came to. */
interface Decided {
  readonly view: LockView;
  readonly grants: readonly LockGrant[];
  /** Answers all of it. */
  settle(): void;
}

function decide(view: LockView, group: readonly Waiting[]): Decided {
  const settles = group.map(({ work, resolve, reject }) => {
    const before = view.grants.length;
    try {
      const result = work.decide(view);
      const grants = view.grants.slice(before);
      return () => resolve({ result, grants });
    } catch (error) {
      if (error instanceof RowsNeeded) throw error;
      // One that is refused, or comes upon a damaged row, harms no other.
      return () => reject(error);
    }
  });
  return {
    view,
    grants: view.grants,
    settle: () => {
      for (const settle of settles) settle();
    },
  };
}
