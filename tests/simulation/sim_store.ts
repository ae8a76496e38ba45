/**
 * The store as one host sees it: over a network that delays, loses, repeats, and delivers late.
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
import type { StoreFaults } from "./faults.ts";
import type { Host } from "./host.ts";
import type { Shadow } from "./shadow.ts";
import type { World } from "./world.ts";

/** One host's handle on the one store. */
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
        // A request of a machine that has died meanwhile may still have been on the wire.
        if (!this.#host.alive && this.#world.chance(0.5)) return;
        const refusal = this.#refusal();
        if (refusal) return answer(() => reject(refusal));
        this.#deliver(calls).then(
          (results) => answer(() => resolve(results)),
          (error) => answer(() => reject(error)),
        );
      });
    });
  }

  /** The commit fails as a whole, and surely has not been applied. */
  #refusal(): PawlError | undefined {
    const { busy, failed, tooLarge } = this.#faults;
    if (this.#world.fault("busy", busy)) return new StoreBusyError("busy");
    if (this.#world.fault("failed commit", failed)) return new PawlError("STORE_FAILED", "the disk coughs");
    if (this.#world.fault("too large", tooLarge)) {
      return new PawlError("LIMIT_EXCEEDED", "the quota is small");
    }
    return undefined;
  }

  async #deliver(calls: readonly CommitCall[]): Promise<readonly CallResult[]> {
    const world = this.#world;
    const { lateRequest, lostReply, repeatedRequest } = this.#faults;
    if (world.fault("late request", lateRequest)) {
      world.schedule(world.between(1, 500), () => void this.#apply(calls));
      throw new OutcomeUnknownError("the reply is late, and so is the request");
    }
    if (world.fault("repeated request", repeatedRequest)) {
      world.schedule(world.between(0, 500), () => void this.#apply(calls));
    }
    const isLost = world.fault("lost reply", lostReply);
    const results = await this.#apply(calls);
    if (isLost) throw new OutcomeUnknownError("the reply was lost");
    return results;
  }

  watch(onHint: OnHint): () => void {
    return this.#base.watch!((shard, committerId) => {
      if (!this.#host.alive) return;
      if (this.#world.fault("lost hint", this.#faults.lostHint)) return;
      this.#host.later(this.#trip(), () => onHint(shard, committerId));
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** The memory store applies at once; its answer is known before the next event. */
  async #apply(calls: readonly CommitCall[]): Promise<readonly CallResult[]> {
    const results = await this.#base.commit(calls);
    this.#shadow.applied(this.#host, calls, results);
    return results;
  }

  #trip(): number {
    return this.#world.between(0, this.#faults.tripMsMax);
  }
}
