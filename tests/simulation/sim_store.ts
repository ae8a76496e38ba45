/**
 * The store as one host sees it: over a network that delays, loses, repeats nothing but may deliver late.
 *
 * @module
 */
import { OutcomeUnknownError, PawlError, StoreBusyError } from "../../core/errors.ts";
import type {
  CallResult,
  CommitCall,
  OnHint,
  ReadRequest,
  ReadResult,
  Store,
} from "../../core/store/store.ts";
import type { Host } from "./host.ts";
import type { Shadow } from "./shadow.ts";
import type { World } from "./world.ts";

/** How often each fault strikes, drawn per seed. */
export interface StoreFaults {
  readonly busy: number;
  readonly failed: number;
  readonly lostReply: number;
  readonly lateRequest: number;
  readonly lostHint: number;
  /** Longest trip to the store, in ms. */
  readonly tripMsMax: number;
}

/** Rates of a seed: most worlds have few faults of each kind, some have many of one. */
export function drawFaults(world: World): StoreFaults {
  const rate = (most: number) => world.chance(0.5) ? 0 : world.random.float() * most;
  return {
    busy: rate(0.1),
    failed: rate(0.05),
    lostReply: rate(0.15),
    lateRequest: rate(0.1),
    lostHint: world.chance(0.5) ? 1 : world.random.float(),
    tripMsMax: world.pick([1, 5, 40]),
  };
}

export class SimStore implements Store {
  readonly limits: Store["limits"];
  readonly shards: number;
  readonly #world: World;
  readonly #host: Host;
  readonly #base: Store;
  readonly #shadow: Shadow;
  readonly #faults: StoreFaults;

  constructor(world: World, host: Host, base: Store, shadow: Shadow, faults: StoreFaults) {
    this.#world = world;
    this.#host = host;
    this.#base = base;
    this.#shadow = shadow;
    this.#faults = faults;
    this.limits = base.limits;
    this.shards = base.shards;
  }

  read(requests: readonly ReadRequest[]): Promise<readonly ReadResult[]> {
    return new Promise((resolve, reject) => {
      this.#world.schedule(this.#trip(), () => {
        const busy = this.#world.fault("busy read", this.#faults.busy / 3);
        const result = busy ? undefined : this.#base.read(requests);
        this.#host.later(
          this.#trip(),
          () => result ? resolve(result) : reject(new StoreBusyError("busy read")),
        );
      });
    });
  }

  commit(calls: readonly CommitCall[]): Promise<readonly CallResult[]> {
    return new Promise((resolve, reject) => {
      const answer = (settle: () => void) => this.#host.later(this.#trip(), settle);
      this.#world.schedule(this.#trip(), () => {
        const world = this.#world;
        if (!this.#host.alive && world.chance(0.5)) return;
        if (world.fault("busy", this.#faults.busy)) return answer(() => reject(new StoreBusyError("busy")));
        if (world.fault("failed commit", this.#faults.failed)) {
          return answer(() => reject(new PawlError("STORE_FAILED", "the disk coughs")));
        }
        if (world.fault("late request", this.#faults.lateRequest)) {
          world.schedule(world.between(1, 500), () => void this.#apply(calls));
          return answer(() => reject(new OutcomeUnknownError("the reply is late, and so is the request")));
        }
        const lost = world.fault("lost reply", this.#faults.lostReply);
        const result = this.#apply(calls);
        answer(() => lost ? reject(new OutcomeUnknownError("the reply was lost")) : resolve(result));
      });
    });
  }

  watch(onHint: OnHint): () => void {
    return this.#base.watch!((shard, committerId) => {
      if (this.#world.fault("lost hint", this.#faults.lostHint)) return;
      this.#host.later(this.#trip(), () => onHint(shard, committerId));
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #apply(calls: readonly CommitCall[]): Promise<readonly CallResult[]> {
    const result = this.#base.commit(calls);
    // The memory store has applied it by now; its answer is known before the next event.
    result.then((results) => this.#shadow.applied(this.#host.name, calls, results));
    return result;
  }

  #trip(): number {
    return this.#world.between(0, this.#faults.tripMsMax);
  }
}
