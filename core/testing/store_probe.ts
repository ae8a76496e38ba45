import type {
  Batch,
  BatchResult,
  CallResult,
  Check,
  CommitCall,
  Entry,
  Put,
  ReadOp,
  Store,
  Version,
} from "../store/store.ts";
import { holds, same } from "./check.ts";

/** What one case has to work with. */
export interface StoreLab {
  /** An open store that was empty at the start. */
  readonly store: Store;
  /** Short words for using it. */
  readonly probe: StoreProbe;
  /** Closes the store and opens its data again; absent where data ends with the store. */
  readonly reopen?: () => Promise<StoreProbe>;
}

/** A rule as an experiment. */
export interface StoreCase {
  /** A sentence about the store. */
  readonly name: string;
  /** What the store must have for the case to mean anything. */
  readonly needs?: "outcomes" | "reopen" | "watch";
  /** Rejects when the rule is broken. */
  readonly run: (lab: StoreLab) => Promise<void>;
}

/** A batch with the parts that matter. */
export function batch(parts: Partial<Batch>): Batch {
  return { checks: [], puts: [], deletes: [], ...parts };
}

/** A batch that writes one key. */
export function put(key: string, value: unknown, ...checks: Check[]): Batch {
  return batch({ checks, puts: [{ key, value: JSON.stringify(value) }] });
}

/** Everything there is. */
export const everything: ReadOp = { start: " ", end: "~~", limit: 1_000 };

/** Short words for what every case does with a store. */
export class StoreProbe {
  /** The store under test. */
  readonly store: Store;
  readonly #name: string;
  #calls = 0;

  /**
   * @param store The store under test.
   * @param name The front of its committers' ids: each probe needs its own.
   */
  constructor(store: Store, name = "probe") {
    this.store = store;
    this.#name = name;
  }

  /** A call by a committer of its own. */
  call(batches: readonly Batch[], options: { shard?: number; guard?: Check } = {}): CommitCall {
    const { shard = 0, guard } = options;
    return {
      shard,
      committer: { id: `${this.#name}${++this.#calls}`, callId: "1" },
      ...(guard && { guard }),
      batches,
    };
  }

  /** Commits one call and expects it to be done. */
  async commit(
    batches: readonly Batch[],
    options: { shard?: number; guard?: Check } = {},
  ): Promise<BatchResult[]> {
    return done((await this.store.commit([this.call(batches, options)]))[0]);
  }

  /**
   * Writes one entry.
   *
   * @returns Its version.
   */
  async put(key: string, value: unknown, shard = 0): Promise<Version> {
    return versionOf((await this.commit([put(key, value)], { shard }))[0]);
  }

  /** Writes many entries, in commits of a size that every store takes. */
  async putAll(puts: readonly Put[], shard = 0): Promise<void> {
    for (let from = 0; from < puts.length; from += 100) {
      await this.commit([batch({ puts: puts.slice(from, from + 100) })], { shard });
    }
  }

  /** Reads one list per op, in one shard. */
  async read(ops: readonly ReadOp[], shard = 0): Promise<readonly (readonly Entry[])[]> {
    const results = await this.store.read([{ shard, ops }]);
    same(results.length, 1, "number of read results");
    same(results[0]!.length, ops.length, "number of op results");
    return results[0]!;
  }

  /** Reads one key. */
  async get(key: string, shard = 0): Promise<Entry | undefined> {
    const [found] = await this.read([{ get: key }], shard);
    holds(found!.length <= 1, `a get of "${key}" found ${found!.length} entries`);
    return found![0];
  }

  /** The value of one key. */
  async value(key: string, shard = 0): Promise<unknown> {
    const entry = await this.get(key, shard);
    return entry && JSON.parse(entry.value);
  }

  /** The keys of a range; of everything but outcome rows if none is given. */
  async keys(op: ReadOp = everything, shard = 0): Promise<string[]> {
    const [found] = await this.read([op], shard);
    return found!.map((entry) => entry.key).filter((key) => !key.startsWith("outcome "));
  }
}

/** The results of a call that must be done. */
export function done(result: CallResult | undefined): BatchResult[] {
  if (result?.outcome !== "done") throw new Error(`want a call that is done, got ${JSON.stringify(result)}`);
  return [...result.results];
}

/** The version of a batch that must be applied. */
export function versionOf(result: BatchResult | undefined): Version {
  if (!result?.ok) throw new Error(`want a batch that is applied, got ${JSON.stringify(result)}`);
  return result.version;
}

/** A batch's fate in one letter or number: `+`, or the index of its failed check. */
export function fates(results: readonly BatchResult[]): (string | number)[] {
  return results.map((result) => result.ok ? "+" : result.failed);
}
