/**
 * What one shard holds, by the plain words of the contract. It shares no code with any store, and takes back what it has
 * done.
 *
 * @module
 */
import { stamp } from "../../core/store/key.ts";
import type {
  Batch,
  BatchResult,
  CallResult,
  Check,
  Entry,
  LastCall,
  ReadOp,
  Version,
} from "../../core/store/store.ts";
import type { CallStep, ReadStep } from "./steps.ts";
import type { Trail } from "./trail.ts";

/** An entry. One whose version nobody was told and nobody has seen has the least version it may have. */
export interface Held extends Entry {
  readonly isUnseen: boolean;
}

/** A shard. */
export class ShardState {
  readonly #trail: Trail;
  readonly #outcomes: boolean;
  readonly #entries = new Map<string, Held>();
  /** In order. */
  readonly #keys: string[] = [];
  readonly #rows = new Map<string, LastCall>();
  #newest: Version;
  #low = 0;
  #high = 0;

  /**
   * @param trail Where it notes how to go back.
   * @param outcomes Whether it keeps the rows of rule 4.
   * @param floor The highest version so far.
   */
  constructor(trail: Trail, outcomes: boolean, floor: Version) {
    this.#trail = trail;
    this.#outcomes = outcomes;
    this.#newest = floor;
  }

  /** Two states with one are taken to be the same; 64 bits make a mistake less likely than a broken disk. */
  get fingerprint(): string {
    return `${this.#low}.${this.#high}.${this.#newest}`;
  }

  /** What a read would see. */
  read(op: ReadOp): Held[] {
    if ("get" in op) return [this.#entries.get(op.get)].filter((entry) => entry !== undefined);
    const found = this.#keys.slice(this.#rank(op.start), Math.max(this.#rank(op.start), this.#rank(op.end)));
    if (op.reverse) found.reverse();
    return found.slice(0, op.limit).map((key) => this.#entries.get(key)!);
  }

  /** Whether a read would have been answered as it was. */
  fitsRead(step: ReadStep): boolean {
    return step.ops.every((op, index) => this.#fitsOp(op, step.answer[index]!));
  }

  /** What a call comes to. Its writes are made. */
  settle({ call, result, seen }: CallStep): CallResult {
    const { committer, guard, batches } = call;
    if (this.#outcomes) {
      const last = this.#rows.get(committer.id);
      if (last?.callId !== committer.previous) return { outcome: "superseded", ...(last && { last }) };
    }
    const told = result?.outcome === "done"
      ? result.results.map((each) => each.ok ? each.version : undefined)
      : seen;
    const isHeld = guard === undefined || this.#holds(guard);
    const results = isHeld ? batches.map((batch, index) => this.#apply(batch, told[index])) : undefined;
    if (this.#outcomes) this.#keep(committer.id, { callId: committer.callId, ...(results && { results }) });
    return results ? { outcome: "done", results } : { outcome: "guard-failed" };
  }

  /** Settles a call if it comes to what is known of it; one of which nothing is known must have an effect. */
  settleIfFits(step: CallStep): boolean {
    const mark = this.#trail.mark();
    const result = this.settle(step);
    const fits = step.result ? isSameResult(result, step.result) : hasSeenEffect(result, step.seen);
    if (!fits) this.#trail.rewind(mark);
    return fits;
  }

  #fitsOp(op: ReadOp, answer: readonly Entry[]): boolean {
    if ("get" in op) {
      const held = this.#entries.get(op.get);
      return held ? answer.length === 1 && isSeenAs(held, answer[0]!) : answer.length === 0;
    }
    const from = this.#rank(op.start);
    const to = this.#rank(op.end);
    if (answer.length !== Math.min(op.limit, Math.max(0, to - from))) return false;
    return answer.every((entry, index) => {
      const key = this.#keys[op.reverse ? to - 1 - index : from + index]!;
      return isSeenAs(this.#entries.get(key)!, entry);
    });
  }

  #apply(batch: Batch, told: Version | undefined): BatchResult {
    const failed = batch.checks.findIndex((check) => !this.#holds(check));
    if (failed >= 0) return { ok: false, failed };
    // A version that cannot be is not taken over, so that the answer does not fit.
    const isPossible = told !== undefined && told > this.#newest;
    const version = isPossible ? told : this.#newest + 1;
    const newest = this.#newest;
    this.#newest = version;
    this.#trail.push(() => this.#newest = newest);
    const isUnseen = !isPossible;
    for (const key of batch.deletes) this.#set(key, undefined);
    for (const { key: front, value, stamped } of batch.puts) {
      // Nobody has seen a stamped key of an unseen version; it stands behind the least that it may be.
      const key = stamped ? front + stamp(version) + (isUnseen ? "?" : "") : front;
      this.#set(key, { key, value, version, isUnseen });
    }
    return { ok: true, version };
  }

  /** Nobody can know a version that nobody has seen. */
  #holds({ key, version }: Check): boolean {
    const held = this.#entries.get(key);
    return held ? !held.isUnseen && held.version === version : version === null;
  }

  #set(key: string, entry: Held | undefined): void {
    const held = this.#entries.get(key);
    if (!held && !entry) return;
    this.#replace(key, held, entry);
    this.#trail.push(() => this.#replace(key, entry, held));
  }

  #replace(key: string, from: Held | undefined, to: Held | undefined): void {
    if (from) this.#mix(from);
    if (to) {
      this.#mix(to);
      this.#entries.set(key, to);
      if (!from) this.#keys.splice(this.#rank(key), 0, key);
    } else {
      this.#entries.delete(key);
      this.#keys.splice(this.#rank(key), 1);
    }
  }

  #keep(committer: string, row: LastCall): void {
    const held = this.#rows.get(committer);
    this.#rows.set(committer, row);
    this.#trail.push(() => held ? this.#rows.set(committer, held) : this.#rows.delete(committer));
  }

  /** How many keys stand before it. */
  #rank(key: string): number {
    let [low, high] = [0, this.#keys.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#keys[middle]! < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Takes an entry into the fingerprint, or out of it. */
  #mix({ key, value, version, isUnseen }: Held): void {
    const text = `${key} ${isUnseen ? "?" : version} ${value}`;
    this.#low ^= hash(text, 0x811c9dc5);
    this.#high ^= hash(text, 0x2f0b4c47);
  }
}

/** FNV-1a with a last stir. */
export function hash(text: string, seed: number): number {
  let mixed = seed;
  for (let at = 0; at < text.length; at++) mixed = Math.imul(mixed ^ text.charCodeAt(at), 0x01000193);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
  return mixed ^ (mixed >>> 13);
}

function isSeenAs(held: Held, seen: Entry): boolean {
  return !held.isUnseen && held.version === seen.version && held.key === seen.key &&
    held.value === seen.value;
}

function isSameResult(one: CallResult, other: CallResult): boolean {
  if (one.outcome === "superseded" && other.outcome === "superseded") {
    const [last, told] = [one.last, other.last];
    return last?.callId === told?.callId && areSameResults(last?.results, told?.results);
  }
  if (one.outcome !== "done" || other.outcome !== "done") return one.outcome === other.outcome;
  return areSameResults(one.results, other.results);
}

function areSameResults(
  some: readonly BatchResult[] | undefined,
  others: readonly BatchResult[] | undefined,
): boolean {
  if (!some || !others) return some === others;
  return some.length === others.length && some.every((one, index) => {
    const other = others[index]!;
    return one.ok ? other.ok && one.version === other.version : !other.ok && one.failed === other.failed;
  });
}

function hasSeenEffect(result: CallResult, seen: readonly (Version | undefined)[]): boolean {
  if (result.outcome !== "done" || !result.results.some((each) => each.ok)) return false;
  return result.results.every((each, index) =>
    seen[index] === undefined || (each.ok && each.version === seen[index])
  );
}
