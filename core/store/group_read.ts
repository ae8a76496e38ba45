import { type Clock, sleep } from "../ports/clock.ts";
import { isPassing } from "./passing.ts";
import type { Entry, ReadOp, ReadRequest, ReadResult, Store } from "./store.ts";

interface Waiting {
  readonly shard: number;
  readonly ops: readonly ReadOp[];
  readonly resolve: (result: readonly (readonly Entry[])[]) => void;
  readonly reject: (error: unknown) => void;
}

/** Tries of a read that meets a store which is locked or away, and the milliseconds after which none is begun. */
const triesMax = 10;
const patienceMs = 5_000;

/** Gathers the reads of everything that runs at once into one trip to the store. */
export class GroupReader {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #impatient = new AbortController();
  #waiting: Waiting[] = [];
  /** Trips made, for the benchmarks. */
  trips = 0;

  /**
   * @param store The store.
   * @param clock Its `soon` ends a group.
   */
  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /**
   * Reads in one shard; all ops see one snapshot.
   *
   * @param shard The shard.
   * @param ops What to read.
   * @returns One list of entries per op.
   */
  read(shard: number, ops: readonly ReadOp[]): Promise<readonly (readonly Entry[])[]> {
    return new Promise((resolve, reject) => this.#wait({ shard, ops, resolve, reject }));
  }

  /**
   * Reads one key.
   *
   * @returns Its entry, if it is there.
   */
  get(shard: number, key: string): Promise<Entry | undefined> {
    return new Promise((resolve, reject) => {
      this.#wait({ shard, ops: [{ get: key }], resolve: (found) => resolve(found[0]![0]), reject });
    });
  }

  /** From now on no read is tried again: nobody is to wait for a store that is away. */
  hurry(): void {
    this.#impatient.abort();
  }

  #wait(each: Waiting): void {
    this.#waiting.push(each);
    if (this.#waiting.length === 1) this.#clock.soon(() => this.#flush());
  }

  #flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    // Slices stay under the store's limit on ops; they need not share a snapshot, as no two callers' reads do.
    let slice: Waiting[] = [];
    let ops = 0;
    for (const each of waiting) {
      if (slice.length > 0 && ops + each.ops.length > this.#store.limits.opsPerReadMax) {
        this.#send(slice);
        slice = [];
        ops = 0;
      }
      slice.push(each);
      ops += each.ops.length;
    }
    this.#send(slice);
  }

  async #send(slice: readonly Waiting[]): Promise<void> {
    // One request per shard: an adapter may give each request its own snapshot.
    const requests = new Map<number, ReadOp[]>();
    const places = slice.map((each) => {
      const ops = requests.get(each.shard) ?? [];
      requests.set(each.shard, ops);
      const from = ops.length;
      ops.push(...each.ops);
      return from;
    });
    const shards = [...requests.keys()];
    const list: ReadRequest[] = shards.map((shard) => ({ shard, ops: requests.get(shard)! }));
    this.trips++;
    try {
      const results = await this.#readSurely(list);
      slice.forEach((each, index) => {
        const found = results[shards.indexOf(each.shard)]!;
        each.resolve(found.slice(places[index]!, places[index]! + each.ops.length));
      });
    } catch (error) {
      for (const each of slice) each.reject(error);
    }
  }

  /** Busy or away is not an answer: the read is tried again. */
  async #readSurely(requests: readonly ReadRequest[]): Promise<readonly ReadResult[]> {
    const patientUntil = this.#clock.monotonic() + patienceMs;
    for (let attempt = 1;; attempt++) {
      try {
        return await this.#store.read(requests);
      } catch (error) {
        const patient = attempt < triesMax && this.#clock.monotonic() < patientUntil;
        if (!isPassing(error) || !patient) throw error;
        await sleep(this.#clock, 5 * 2 ** attempt, this.#impatient.signal).catch(() => {
          throw error;
        });
      }
    }
  }
}
