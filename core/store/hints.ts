import type { CallResult, CommitCall, OnHint } from "./store.ts";

/** Stores of this process, by the identity of the database they have open. */
const open = new Map<string, Set<Hints>>();

/** Tells the watchers of every store of this process that has the same database open. Other processes poll. */
export class Hints {
  readonly #watchers = new Set<OnHint>();
  #peers: Set<Hints> | undefined;
  #storeId = "";

  /**
   * Adds a watcher.
   *
   * @returns Removes it.
   */
  watch(onHint: OnHint): () => void {
    // A function of its own, so that one listener may watch twice and stop once.
    const watcher: OnHint = (shard, committerId) => onHint(shard, committerId);
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** Joins the stores that have this database open. */
  join(storeId: string): void {
    this.#storeId = storeId;
    this.#peers = open.get(storeId) ?? new Set();
    this.#peers.add(this);
    open.set(storeId, this.#peers);
  }

  /** Leaves them. */
  leave(): void {
    this.#watchers.clear();
    this.#peers?.delete(this);
    if (this.#peers?.size === 0) open.delete(this.#storeId);
  }

  /**
   * Announces what a commit changed, after it has returned: a watcher may commit in its turn.
   *
   * @returns What was announced.
   */
  announce(calls: readonly CommitCall[], results: readonly CallResult[]): readonly Changed[] {
    const changed = calls.filter((_, index) => wroteSomething(results[index]!));
    this.#tellAll(changed);
    return changed;
  }

  /** Announces a change of a shard that somebody else made; without a name, one made without a store. */
  announceShard(shard: number, committerId = ""): void {
    this.#tellAll([{ shard, committer: { id: committerId } }]);
  }

  #tellAll(changed: readonly Changed[]): void {
    if (changed.length === 0) return;
    queueMicrotask(() => {
      for (const peer of this.#peers ?? [this]) {
        for (const watcher of peer.#watchers) {
          for (const call of changed) tell(watcher, call);
        }
      }
    });
  }
}

/** Where somebody changed something, and who. */
export interface Changed {
  /** The shard. */
  readonly shard: number;
  /** Who committed. */
  readonly committer: { readonly id: string };
}

function tell(watcher: OnHint, call: Changed): void {
  try {
    watcher(call.shard, call.committer.id);
  } catch {
    // A hint is never the truth: a watcher that throws loses its hint and harms nobody else.
  }
}

function wroteSomething(result: CallResult): boolean {
  return result.outcome === "done" && result.results.some((each) => each.ok);
}
