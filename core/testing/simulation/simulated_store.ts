/**
 * The store as one host sees it: over a network that delays, loses, repeats, and delivers late.
 *
 * @module
 */
import { OutcomeUnknownError, PawlError, StoreBusyError } from "../../errors.ts";
import type { CallResult, CommitCall, OnHint, ReadRequest, ReadResult, Store } from "../../store/store.ts";
import { kindOfBatch } from "./coverage.ts";
import type { FaultName } from "./faults.ts";
import type { Host } from "./host.ts";
import type { Shadow } from "./shadow.ts";
import type { World } from "./world.ts";

/** Trips of slow commits and reads, and of reads that the store gives up. */
const slowMs = { low: 200, high: 3_000 };

/** One host's handle on the one store. */
export class SimulatedStore implements Store {
  readonly limits: Store["limits"];
  readonly shards: number;
  readonly #world: World;
  readonly #host: Host;
  readonly #base: Store;
  readonly #shadow: Shadow;
  readonly #tripMsMax: number;

  /**
   * @param host Whose handle it is.
   * @param base The store itself; it must apply a commit at once.
   * @param shadow Is told of everything that is applied.
   * @param tripMsMax Longest usual trip.
   */
  constructor(world: World, host: Host, base: Store, shadow: Shadow, tripMsMax: number) {
    this.#world = world;
    this.#host = host;
    this.#base = base;
    this.#shadow = shadow;
    this.#tripMsMax = tripMsMax;
    this.limits = base.limits;
    this.shards = base.shards;
  }

  read(requests: readonly ReadRequest[]): Promise<readonly ReadResult[]> {
    return new Promise((resolve, reject) => {
      // What dead code asks for, nobody hears.
      if (!this.#host.alive) return;
      this.#world.schedule(this.#trip(), () => {
        const answer = (settle: () => void, ms = this.#trip()) => this.#host.later(ms, settle);
        if (this.#strikesRead("busy read")) return answer(() => reject(new StoreBusyError("busy read")));
        if (this.#strikesRead("stuck read")) return answer(() => reject(stuck()), this.#slowTrip() * 2);
        const result = this.#base.read(requests);
        answer(() => resolve(result), this.#strikesRead("slow read") ? this.#slowTrip() : this.#trip());
      });
    });
  }

  commit(calls: readonly CommitCall[]): Promise<readonly CallResult[]> {
    return new Promise((resolve, reject) => {
      if (!this.#host.alive) return;
      const isSlow = this.#strikes("slow commit", calls);
      const trip = () => isSlow ? this.#slowTrip() : this.#trip();
      const answer = (settle: () => void) => this.#host.later(trip(), settle);
      this.#world.schedule(trip(), () => {
        // A request of a machine that has died meanwhile may still have been on the wire.
        if (!this.#host.alive && this.#world.chance(0.5)) return;
        const refusal = this.#refusal(calls);
        if (refusal) return answer(() => reject(refusal));
        this.#deliver(calls).then(
          (results) => answer(() => resolve(results)),
          (error) => answer(() => reject(error)),
        );
      });
    });
  }

  watch(onHint: OnHint): () => void {
    return this.#base.watch!((shard, committerId) => {
      if (!this.#host.alive) return;
      if (this.#world.strikes("lost hint")) return;
      this.#host.later(this.#trip(), () => onHint(shard, committerId));
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** The commit fails as a whole, and surely has not been applied. */
  #refusal(calls: readonly CommitCall[]): PawlError | undefined {
    if (this.#strikes("busy", calls)) return new StoreBusyError("busy");
    if (this.#strikes("failed commit", calls)) return new PawlError("STORE_FAILED", "the disk coughs");
    if (this.#strikes("too large", calls)) return new PawlError("LIMIT_EXCEEDED", "the quota is small");
    return undefined;
  }

  async #deliver(calls: readonly CommitCall[]): Promise<readonly CallResult[]> {
    const world = this.#world;
    if (this.#host.alive && this.#strikes("crash at commit", calls)) {
      this.#host.crash();
      if (world.chance(0.5)) await this.#apply(calls);
      return [];
    }
    if (this.#strikes("late request", calls)) {
      world.schedule(world.between(1, 500), () => this.#applyUnheard(calls));
      throw new OutcomeUnknownError("the reply is late, and so is the request");
    }
    if (this.#strikes("repeated request", calls)) {
      world.schedule(world.between(0, 500), () => this.#applyUnheard(calls));
    }
    const isLost = this.#strikes("lost reply", calls);
    const results = await this.#apply(calls);
    if (this.#strikes("freeze at commit", calls)) this.#host.freeze(world.between(100, 4_000));
    if (isLost) throw new OutcomeUnknownError("the reply was lost");
    return results;
  }

  /** The memory store applies at once; its answer is known before the next event. */
  async #apply(calls: readonly CommitCall[]): Promise<readonly CallResult[]> {
    const results = await this.#base.commit(calls);
    this.#world.coverage.answered(calls, results);
    this.#shadow.applied(this.#host, calls, results);
    return results;
  }

  /** Nobody waits for the answer; a store that does not take it has dropped it. */
  #applyUnheard(calls: readonly CommitCall[]): void {
    this.#apply(calls).catch(() => {});
  }

  /** Whether a fault strikes a commit; if so, it is known which kinds of commits it has struck. */
  #strikes(name: FaultName, calls: readonly CommitCall[]): boolean {
    const isStruck = this.#world.strikes(name);
    if (!isStruck) return false;
    this.#world.coverage.hit(name, calls);
    const kinds = calls.flatMap(({ batches }) => batches.map(kindOfBatch)).join(", ") || "settlement";
    this.#world.log(`${this.#host.name}: ${name} (${kinds})`);
    return true;
  }

  #strikesRead(name: FaultName): boolean {
    const isStruck = this.#world.strikes(name);
    if (isStruck) this.#world.log(`${this.#host.name}: ${name}`);
    return isStruck;
  }

  #trip(): number {
    return this.#world.between(0, this.#tripMsMax);
  }

  #slowTrip(): number {
    return this.#world.between(slowMs.low, slowMs.high);
  }
}

function stuck(): PawlError {
  return new PawlError("STORE_UNREACHABLE", "the server does not answer");
}
