import type { Cancel, Clock } from "../ports/clock.ts";
import type { GroupCommitter } from "../store/group_commit.ts";
import type { Store } from "../store/store.ts";

/** What a hub needs of its engine. */
export interface StreamHubOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly committer: Pick<GroupCommitter, "id">;
  /** How often to wake everybody, for what no hint told of. */
  readonly pollMs: number;
}

/** Somebody who waits for rows in some shards. */
interface Listener {
  readonly shards: ReadonlySet<number>;
  readonly wake: () => void;
}

/**
 * Wakes those who wait for rows of streams: at once for what this engine writes, by the store's hints for what others
 * write, and every poll for what no hint told of. While nobody waits, nothing of it runs.
 */
export class StreamHub {
  readonly #options: StreamHubOptions;
  readonly #listeners = new Set<Listener>();
  readonly #changed = new Set<number>();
  #cancel: Cancel | undefined;
  #unwatch: (() => void) | undefined;

  /**
   * @param options Ports.
   */
  constructor(options: StreamHubOptions) {
    this.#options = options;
  }

  /**
   * Waits for rows.
   *
   * @param shards Where.
   * @param wake Called whenever there may be new ones, until the wait is ended.
   * @returns Ends it.
   */
  listen(shards: ReadonlySet<number>, wake: () => void): () => void {
    const listener = { shards, wake };
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) this.#begin();
    return () => {
      if (this.#listeners.delete(listener) && this.#listeners.size === 0) this.#end();
    };
  }

  /** This engine has written rows of streams there. */
  changed(shard: number): void {
    if (this.#listeners.size === 0) return;
    this.#changed.add(shard);
    // Gathered: what one commit brings wakes each listener once.
    if (this.#changed.size === 1) this.#options.clock.soon(() => this.#wakeChanged());
  }

  #wakeChanged(): void {
    const changed = [...this.#changed];
    this.#changed.clear();
    for (const { shards, wake } of [...this.#listeners]) {
      if (changed.some((shard) => shards.has(shard))) wake();
    }
  }

  #begin(): void {
    const { store, committer } = this.#options;
    const own = `${committer.id}.`;
    this.#unwatch = store.watch?.((shard, committerId) => {
      if (!committerId.startsWith(own)) this.changed(shard);
    });
    this.#arm();
  }

  #arm(): void {
    const { clock, pollMs } = this.#options;
    this.#cancel = clock.after(pollMs, () => {
      this.#arm();
      for (const { wake } of [...this.#listeners]) wake();
    });
  }

  #end(): void {
    this.#cancel?.();
    this.#unwatch?.();
    this.#unwatch = undefined;
  }
}
