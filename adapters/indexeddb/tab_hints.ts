import { Hints } from "../../core/store/hints.ts";
import type { CallResult, CommitCall, OnHint } from "../../core/store/store.ts";

/** What a tab tells the others: who committed in which shard. */
type Message = readonly (readonly [shard: number, committerId: string])[];

/** Tells watchers here, and those of every other store of this database in the origin's tabs and workers. */
export class TabHints {
  readonly #hints = new Hints();
  readonly #name: string;
  /** Absent while the page is left: an open one would keep it out of the back/forward cache. */
  #channel: BroadcastChannel | undefined;
  #closed = false;

  constructor(name: string) {
    this.#name = `pawl hints ${name}`;
    this.#listen();
  }

  watch(onHint: OnHint): () => void {
    return this.#hints.watch(onHint);
  }

  announce(calls: readonly CommitCall[], results: readonly CallResult[]): void {
    const changed = this.#hints.announce(calls, results);
    if (changed.length === 0 || this.#closed) return;
    try {
      // What a page does last, as giving back what it owns, is what others want to hear most.
      const channel = this.#channel ?? openChannel(this.#name);
      channel?.postMessage(changed.map(({ shard, committer }) => [shard, committer.id]));
      if (channel !== this.#channel) channel?.close();
    } catch {
      // A hint is never the truth, and the commit has been made: others hear of it by their poll.
    }
  }

  /** The page is left: nothing is heard from now on. */
  leave(): void {
    this.#channel?.close();
    this.#channel = undefined;
  }

  /** The page is shown again: whatever was not heard may have changed any of the shards. */
  comeBack(shards: number): void {
    this.#listen();
    for (let shard = 0; shard < shards; shard++) this.#hints.announceShard(shard);
  }

  close(): void {
    this.#closed = true;
    this.#hints.leave();
    this.leave();
  }

  #listen(): void {
    this.#channel = openChannel(this.#name);
    if (!this.#channel) return;
    this.#channel.onmessage = ({ data }: MessageEvent<Message>) => {
      for (const [shard, committerId] of data) this.#hints.announceShard(shard, committerId);
    };
  }
}

function openChannel(name: string): BroadcastChannel | undefined {
  if (typeof BroadcastChannel === "undefined") return undefined;
  const channel = new BroadcastChannel(name);
  // A hint is no reason for a process to go on.
  (channel as { unref?: () => void }).unref?.();
  return channel;
}
