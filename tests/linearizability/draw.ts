/**
 * What a client asks for next, drawn from a seed and from what it has seen: few keys, so that clients meet, and mostly
 * checks that could hold.
 *
 * @module
 */
import type { Random } from "../../core/ports/random.ts";
import { encodeKey, prefixKey, rangeOf, stamp } from "../../core/store/key.ts";
import type {
  Batch,
  CallResult,
  Check,
  CommitCall,
  ReadOp,
  ReadRequest,
  ReadResult,
  Version,
} from "../../core/store/store.ts";

/** The keys that clients meet at. */
export interface Field {
  /** Begins every key, so that histories on one store do not mix. */
  readonly name: string;
  readonly shards: number;
  /** Rows per shard; the first is the one that guards name. */
  readonly rows: number;
}

/** A call without its committer. */
export type DrawnCall = Omit<CommitCall, "committer">;

/** What to ask for. */
export type Drawn =
  | { readonly kind: "read"; readonly requests: readonly ReadRequest[] }
  | { readonly kind: "commit"; readonly calls: readonly DrawnCall[] };

/** What a client knows of one shard. */
interface Known {
  /** Versions last seen; `null`: absent. */
  readonly now: Map<string, Version | null>;
  /** Versions that keys had once. */
  readonly past: { readonly key: string; readonly version: Version }[];
  /** Keys of the log. */
  logged: readonly string[];
}

/** Draws for one client. */
export class Drawer {
  readonly #random: Random;
  readonly #field: Field;
  readonly #client: string;
  readonly #known: readonly Known[];
  #values = 0;

  /**
   * @param random Chance.
   * @param field Where it works.
   * @param client Its name, unique in the history.
   */
  constructor(random: Random, field: Field, client: string) {
    this.#random = random;
    this.#field = field;
    this.#client = client;
    this.#known = Array.from({ length: field.shards }, () => ({ now: new Map(), past: [], logged: [] }));
  }

  /** The next thing to ask for. */
  next(): Drawn {
    const shards = this.#some(this.#field.shards, this.#chance(0.7) ? 1 : 3);
    if (this.#chance(0.45)) {
      // A long read takes long enough for others to write in its middle.
      const most = this.#chance(0.1) ? 60 : 4;
      return {
        kind: "read",
        requests: shards.map((shard) => ({ shard, ops: this.#times(most, () => this.#op(shard)) })),
      };
    }
    // Two calls in one shard are two committers, as two ownerships are.
    const all = this.#chance(0.15) ? [...shards, shards[0]!] : shards;
    return { kind: "commit", calls: all.map((shard) => this.#call(shard)) };
  }

  /** Takes in what a read has found. */
  learnRead(requests: readonly ReadRequest[], answer: readonly ReadResult[]): void {
    requests.forEach(({ shard, ops }, index) =>
      ops.forEach((op, at) => {
        const found = answer[index]![at]!;
        if ("get" in op && found.length === 0) this.#known[shard]!.now.set(op.get, null);
        for (const { key, version } of found) this.#learn(shard, key, version);
      })
    );
  }

  /** Takes in what became of a call. */
  learnCall({ shard, batches }: DrawnCall, result: CallResult): void {
    if (result.outcome !== "done") return this.#known[shard]!.now.clear();
    batches.forEach(({ checks, puts, deletes }, index) => {
      const told = result.results[index];
      if (!told) return;
      if (!told.ok) return void this.#known[shard]!.now.delete(checks[told.failed]?.key ?? "");
      for (const key of deletes) this.#known[shard]!.now.set(key, null);
      for (const { key, stamped } of puts) {
        this.#learn(shard, stamped ? key + stamp(told.version) : key, told.version);
      }
    });
  }

  #learn(shard: number, key: string, version: Version): void {
    const known = this.#known[shard]!;
    const isRow = key.startsWith(this.#row(""));
    if (isRow) known.now.set(key, version);
    else known.logged = [...known.logged.filter((each) => each !== key).slice(-5), key];
    if (known.past.push({ key, version }) > 30) known.past.shift();
  }

  #op(shard: number): ReadOp {
    const reverse = this.#chance(0.5) ? { reverse: true } : {};
    const draw = this.#random.float();
    if (draw < 0.5) return { get: this.#someKey(shard) };
    const limit = this.#chance(0.3) ? 1_000 : this.#below(5);
    if (draw < 0.75) {
      const [start, end] = [this.#anyRow(), this.#anyRow()].sort() as [string, string];
      const isWhole = this.#chance(0.5);
      return { ...(isWhole ? rangeOf("lin", this.#field.name, "row") : { start, end }), limit, ...reverse };
    }
    const log = rangeOf("lin", this.#field.name, "log");
    const last = this.#pick(this.#known[shard]!.logged);
    // As a reader of a log does: from behind the last row that it has seen.
    if (last && this.#chance(0.5)) return { start: `${last}!`, end: log.end, limit, ...reverse };
    return { ...log, limit, ...reverse };
  }

  #call(shard: number): DrawnCall {
    const isGuarded = this.#chance(0.2);
    return {
      shard,
      ...(isGuarded && { guard: this.#check(shard, this.#row(0)) }),
      batches: this.#times(this.#chance(0.6) ? 1 : 3, () => this.#batch(shard)),
    };
  }

  #batch(shard: number): Batch {
    const checks = this.#times(2, () => this.#check(shard, this.#someKey(shard)));
    const keys = this.#some(this.#field.rows, 3).filter((row) => row > 0 || this.#chance(0.2));
    const rows = keys.map((row) => this.#row(row));
    const isDeleted = rows.map(() => this.#chance(0.2));
    const value = () => JSON.stringify(`${this.#client}.${++this.#values}`);
    const logged = this.#chance(0.1) ? this.#pick(this.#known[shard]!.logged) : undefined;
    const log = { key: prefixKey("lin", this.#field.name, "log"), stamped: true };
    return {
      checks: this.#chance(0.3) ? [] : checks,
      puts: [
        ...rows.filter((_, index) => !isDeleted[index]).map((key) => ({ key, value: value() })),
        ...(this.#chance(0.25) ? [{ ...log, value: value() }] : []),
      ],
      deletes: [...rows.filter((_, index) => isDeleted[index]), ...(logged ? [logged] : [])],
    };
  }

  #check(shard: number, key: string): Check {
    const { now, past } = this.#known[shard]!;
    const old = this.#pick(past);
    if (old && this.#chance(0.08)) return old;
    return { key, version: this.#chance(0.05) ? null : now.get(key) ?? null };
  }

  /** A row that it has seen, as a rule: only of these can a check hold. */
  #someKey(shard: number): string {
    const seen = this.#pick([...this.#known[shard]!.now.keys()]);
    return seen && this.#chance(0.6) ? seen : this.#anyRow();
  }

  #anyRow(): string {
    return this.#row(this.#below(this.#field.rows));
  }

  #row(row: number | ""): string {
    return row === ""
      ? prefixKey("lin", this.#field.name, "row")
      : encodeKey("lin", this.#field.name, "row", String(row));
  }

  #chance(part: number): boolean {
    return this.#random.float() < part;
  }

  #below(limit: number): number {
    return Math.floor(this.#random.float() * limit);
  }

  #pick<Item>(items: readonly Item[]): Item | undefined {
    return items[this.#below(items.length)];
  }

  /** From one to `most`. */
  #times<Item>(most: number, make: () => Item): Item[] {
    return Array.from({ length: 1 + this.#below(most) }, make);
  }

  /** Different numbers below `limit`, one to `most` of them. */
  #some(limit: number, most: number): number[] {
    return [...new Set(this.#times(most, () => this.#below(limit)))];
  }
}
