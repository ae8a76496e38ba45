import { Hints } from "../../core/store/hints.ts";
import type { CallResult, CommitCall, OnHint } from "../../core/store/store.ts";

/** What a tab tells the others: who committed in which shard. */
type Message = readonly (readonly [shard: number, committerId: string])[];

/** Tells watchers here, and those of every other store of this database in the origin's tabs and workers. */
export class TabHints {
  readonly #hints = new Hints();
  readonly #channel: BroadcastChannel | undefined;
  #closed = false;

  constructor(name: string) {
    this.#channel = typeof BroadcastChannel === "undefined"
      ? undefined
      : new BroadcastChannel(`pawl hints ${name}`);
    if (!this.#channel) return;
    this.#channel.onmessage = ({ data }: MessageEvent<Message>) => {
      for (const [shard, committerId] of data) this.#hints.announceShard(shard, committerId);
    };
    // A hint is no reason for a process to go on.
    (this.#channel as { unref?: () => void }).unref?.();
  }

  watch(onHint: OnHint): () => void {
    return this.#hints.watch(onHint);
  }

  announce(calls: readonly CommitCall[], results: readonly CallResult[]): void {
    const changed = this.#hints.announce(calls, results);
    if (changed.length === 0 || this.#closed) return;
    try {
      this.#channel?.postMessage(changed.map(({ shard, committer }) => [shard, committer.id]));
    } catch {
      // A hint is never the truth, and the commit has been made: others hear of it by their poll.
    }
  }

  close(): void {
    this.#closed = true;
    this.#hints.leave();
    this.#channel?.close();
  }
}
