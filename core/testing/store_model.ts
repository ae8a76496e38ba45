/**
 * A model of a store, simple enough to be right by inspection, and random commits to try against it. It settles nothing
 * itself: it takes the versions a store gave and says whether everything else follows.
 *
 * @module
 */
import type { Random } from "../ports/random.ts";
import { encodeKey, stamp } from "../store/key.ts";
import type {
  Batch,
  BatchResult,
  CallResult,
  Check,
  CommitCall,
  Entry,
  ReadOp,
  Version,
} from "../store/store.ts";
import { holds, same } from "./check.ts";

/** What a random check asks of a key: its version now, its absence, or a version it had once. */
export type Expectation = "now" | "absent" | "stale";

/** A batch by numbers, so that a property test can shrink it. */
export interface PlannedBatch {
  /** Which keys to check, and for what. */
  readonly checks: readonly { readonly key: number; readonly expect: Expectation }[];
  /** Which keys to write. */
  readonly puts: readonly { readonly key: number; readonly stamped: boolean }[];
  /** Which keys to remove. */
  readonly deletes: readonly number[];
}

/** A call by numbers. */
export interface PlannedCall {
  /** Taken modulo the store's shards. */
  readonly shard: number;
  /** A check of the whole call. */
  readonly guard?: { readonly key: number; readonly expect: Expectation };
  /** Its batches. */
  readonly batches: readonly PlannedBatch[];
}

/** Few keys, so that batches meet. */
export const plannedKeys = 6;

/** What one shard must hold. */
class ShardModel {
  readonly entries = new Map<string, Entry>();
  readonly past: Version[] = [];
  newest = 0;

  holds(check: Check): boolean {
    return (this.entries.get(check.key)?.version ?? null) === check.version;
  }

  /** Checks a batch's answer against the rules, and takes its effects over. */
  apply(batch: Batch, result: BatchResult): void {
    const failed = batch.checks.findIndex((check) => !this.holds(check));
    same(result.ok ? -1 : result.failed, failed, `first failed check of ${JSON.stringify(batch)}`);
    if (!result.ok) return;
    const { version } = result;
    holds(version > this.newest, `version ${version} is not above ${this.newest}`);
    this.newest = version;
    this.past.push(version);
    for (const key of batch.deletes) this.entries.delete(key);
    for (const { key: front, value, stamped } of batch.puts) {
      const key = stamped ? front + stamp(version) : front;
      this.entries.set(key, { key, value, version });
    }
  }

  read(op: ReadOp): Entry[] {
    if ("get" in op) return [this.entries.get(op.get)].filter((entry) => entry !== undefined);
    const found = [...this.entries.values()]
      .filter(({ key }) => key >= op.start && key < op.end)
      .sort((a, b) => a.key < b.key ? -1 : 1);
    return (op.reverse ? found.reverse() : found).slice(0, op.limit);
  }
}

/** What a whole store must hold. */
export class StoreModel {
  readonly #shards: ShardModel[];
  #values = 0;
  #calls = 0;

  /**
   * @param shards The store's shard count.
   */
  constructor(shards: number) {
    this.#shards = Array.from({ length: shards }, () => new ShardModel());
  }

  /** Turns numbers into calls, by what the model holds now. */
  plan(planned: readonly PlannedCall[]): CommitCall[] {
    return planned.map(({ shard: number, guard, batches }) => {
      const shard = number % this.#shards.length;
      return {
        shard,
        committer: { id: `model ${++this.#calls}`, callId: "1" },
        ...(guard && { guard: this.#check(shard, guard) }),
        batches: batches.map((batch) => this.#batch(shard, batch)),
      };
    });
  }

  /**
   * Follows a commit, in order.
   *
   * @throws {Error} When the store answered what the rules do not allow.
   */
  apply(calls: readonly CommitCall[], results: readonly CallResult[]): void {
    same(results.length, calls.length, "number of results");
    calls.forEach((call, index) => {
      const result = results[index]!;
      const shard = this.#shards[call.shard]!;
      const held = call.guard === undefined || shard.holds(call.guard);
      same(result.outcome, held ? "done" : "guard-failed", `outcome of ${JSON.stringify(call)}`);
      if (result.outcome !== "done") return;
      same(result.results.length, call.batches.length, "number of batch results");
      call.batches.forEach((batch, at) => shard.apply(batch, result.results[at]!));
    });
  }

  /** What a read must find. */
  read(shard: number, op: ReadOp): Entry[] {
    return this.#shards[shard]!.read(op);
  }

  #batch(shard: number, planned: PlannedBatch): Batch {
    const free = new Set<string>();
    const unused = (key: string) => free.size < free.add(key).size;
    const puts = planned.puts.map(({ key, stamped }) => ({
      key: stamped ? encodeKey("seq", String(key)) + " " : this.#key(shard, key),
      value: JSON.stringify({ value: ++this.#values }),
      ...(stamped && { stamped }),
    }));
    return {
      checks: planned.checks.map((check) => this.#check(shard, check)),
      puts: puts.filter(({ key }) => unused(key)),
      deletes: planned.deletes.map((key) => this.#key(shard, key)).filter(unused),
    };
  }

  #check(shard: number, planned: { readonly key: number; readonly expect: Expectation }): Check {
    const { entries, past } = this.#shards[shard]!;
    const key = this.#key(shard, planned.key);
    if (planned.expect === "absent") return { key, version: null };
    if (planned.expect === "now") return { key, version: entries.get(key)?.version ?? null };
    return { key, version: past[(planned.key * 7) % Math.max(1, past.length)] ?? 1 };
  }

  /** Numbers beyond the few plain keys name stamped keys that exist. */
  #key(shard: number, number: number): string {
    const stamped = [...this.#shards[shard]!.entries.keys()].filter((key) => key.startsWith("seq "));
    if (number >= plannedKeys && stamped.length > 0) return stamped[number % stamped.length]!;
    return encodeKey("row", String(number % plannedKeys));
  }
}

/** A random commit. */
export function randomCommit(random: Random): PlannedCall[] {
  const below = (limit: number) => Math.floor(random.float() * limit);
  const some = <T>(limit: number, make: () => T) => Array.from({ length: below(limit) }, make);
  const key = () => below(plannedKeys + 3);
  const check = () => ({ key: key(), expect: (["now", "now", "absent", "stale"] as const)[below(4)]! });
  return some(4, () => ({
    shard: below(4),
    ...(below(4) === 0 && { guard: check() }),
    batches: some(6, () => ({
      checks: some(3, check),
      puts: some(4, () => ({ key: key(), stamped: below(4) === 0 })),
      deletes: some(3, key),
    })),
  }));
}

/** A random read of keys that commits of {@linkcode randomCommit} write. */
export function randomRead(random: Random): ReadOp {
  const below = (limit: number) => Math.floor(random.float() * limit);
  const edge = () => ["p", "row", "row ", "row 2", "row 4", "row 4 ", "seq", "seq 3", "t"][below(9)]!;
  if (below(3) === 0) return { get: encodeKey("row", String(below(plannedKeys))) };
  return { start: edge(), end: edge(), limit: below(12), ...(below(2) === 0 && { reverse: true }) };
}
