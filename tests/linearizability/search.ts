/**
 * Looks for an order of the steps of one shard that explains every answer: after Wing and Gong, with the states that led
 * nowhere remembered, as Lowe does it.
 *
 * Versions make it nearly linear. A call whose version is known has its place among all others of that kind. A step that
 * changes nothing that others could see, as a read or a refused call, is placed as soon as it fits, for that can harm
 * nothing. Only calls of which nobody knows whether they happened are tried in every place.
 *
 * @module
 */
import { hash, ShardState } from "./shard_state.ts";
import type { CallStep, Step } from "./steps.ts";
import { Trail } from "./trail.ts";

/** How far the search came at most. */
export interface DeadEnd {
  /** Steps that could be placed, in that order. */
  readonly placed: readonly Step[];
  /** Steps that would have been next by their times, and could not. */
  readonly stuck: readonly Step[];
}

/** What came of a search. */
export type Finding =
  | { readonly verdict: "linearizable"; readonly order: readonly Step[]; readonly effort: number }
  | { readonly verdict: "violated"; readonly deadEnd: DeadEnd; readonly effort: number }
  /** It would have taken too long. */
  | { readonly verdict: "undecided"; readonly effort: number };

/** How to search. */
export interface SearchOptions {
  readonly outcomes: boolean;
  /** The shard's versions were at least this high before. */
  readonly floor: number;
  /** Places tried before it gives up. */
  readonly effortMax: number;
}

/**
 * Searches.
 *
 * @param steps Steps of one shard, in order of `began`.
 * @param options How.
 */
export function search(steps: readonly Step[], options: SearchOptions): Finding {
  return new Search(steps, options).run();
}

/** Only a step with an answer must be placed, and one that is bound to a time. */
const isBound = (step: Step) => step.ended < Infinity;

const isCall = (step: Step): step is CallStep => step.kind === "call";

function firstVersion({ result, seen }: CallStep): number | undefined {
  if (!result) return seen.find((version) => version !== undefined);
  const applied = result.outcome === "done" ? result.results.find((each) => each.ok) : undefined;
  return applied?.ok ? applied.version : undefined;
}

/** It surely happened. */
const isKnown = (step: CallStep) => step.result !== undefined || firstVersion(step) !== undefined;

class Search {
  readonly #trail = new Trail();
  readonly #state: ShardState;
  readonly #effortMax: number;
  /** Calls that surely happened, by version. */
  readonly #chain: readonly CallStep[];
  /** Calls that may have happened. */
  readonly #open: readonly CallStep[];
  /** Steps without an effect on others: a list from which steps are taken, in order of `began`. */
  readonly #loose: readonly Step[];
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  readonly #byEnd: readonly Step[];
  /** 1: it is; 2: it was said never to have happened. */
  readonly #isPlaced: Uint8Array;
  readonly #order: Step[] = [];
  readonly #seenStates = new Set<string>();
  #head = 0;
  #firstUnplaced = 0;
  #placedLoose = 0;
  #longest = -1;
  #deadEnd: DeadEnd = { placed: [], stuck: [] };

  constructor(steps: readonly Step[], { outcomes, floor, effortMax }: SearchOptions) {
    this.#state = new ShardState(this.#trail, outcomes, floor);
    this.#effortMax = effortMax;
    const calls = steps.filter(isCall);
    this.#chain = calls.filter((step) => firstVersion(step) !== undefined)
      .sort((a, b) => firstVersion(a)! - firstVersion(b)!);
    this.#open = calls.filter((step) => !isKnown(step) && !step.isVoid);
    this.#loose = steps.filter((step) => !isCall(step) || (step.result && firstVersion(step) === undefined));
    // One more than there are: the last is both ends of the list.
    const size = this.#loose.length + 1;
    this.#next = Int32Array.from({ length: size }, (_, index) => (index + 1) % size);
    this.#previous = Int32Array.from({ length: size }, (_, index) => (index + size - 1) % size);
    this.#byEnd = steps.filter(isBound).sort((a, b) => a.ended - b.ended);
    this.#isPlaced = new Uint8Array(steps.length);
  }

  run(): Finding {
    let effort = 0;
    const frames: { readonly mark: number; choice: number }[] = [];
    const enter = () => {
      this.#placeLoose();
      if (this.#isNew()) frames.push({ mark: this.#trail.mark(), choice: 0 });
    };
    enter();
    for (let frame = frames.at(-1); frame; frame = frames.at(-1)) {
      if (this.#horizon === Infinity) return { verdict: "linearizable", order: this.#order, effort };
      this.#trail.rewind(frame.mark);
      if (frame.choice > 2 * this.#open.length) {
        this.#noteDeadEnd();
        frames.pop();
      } else if (++effort > this.#effortMax) return { verdict: "undecided", effort };
      else if (this.#take(frame.choice++)) enter();
    }
    return { verdict: "violated", deadEnd: this.#deadEnd, effort };
  }

  /** What began later than this must wait for a step that ended then, and is not placed. */
  get #horizon(): number {
    return this.#byEnd[this.#firstUnplaced]?.ended ?? Infinity;
  }

  /** The call of the next version, then each of those that may have happened, then that one of those did not. */
  #take(choice: number): boolean {
    const count = this.#open.length;
    if (choice > count) return this.#takeNever(this.#open[choice - count - 1]!);
    const step = choice === 0 ? this.#chain[this.#head] : this.#open[choice - 1];
    if (!step || !this.#mayFollow(step)) return false;
    if (!this.#state.settleIfFits(step)) return false;
    if (choice === 0) this.#takeHead();
    this.#place(step);
    return true;
  }

  /** That it never happened is said no earlier than something waits for it. */
  #takeNever(step: CallStep): boolean {
    if (this.#isPlaced[step.index] || step.ended === Infinity || step.ended > this.#horizon) return false;
    this.#place(step, 2);
    return true;
  }

  #takeHead(): void {
    this.#head++;
    this.#trail.push(() => this.#head--);
  }

  #mayFollow(step: Step): boolean {
    if (this.#isPlaced[step.index] || step.began > this.#horizon) return false;
    if (step.kind === "read") return true;
    // A lost call that did not happen is never placed, so nothing can wait for it.
    const isAfter = !step.after || this.#isPlaced[step.after.index] || !isKnown(step.after);
    return Boolean(isAfter) && !(step.then && this.#isPlaced[step.then.index] === 1);
  }

  #placeLoose(): void {
    const end = this.#loose.length;
    for (let at = this.#next[end]!; at !== end; at = this.#next[at]!) {
      const step = this.#loose[at]!;
      if (step.began > this.#horizon) return;
      if (!this.#mayFollow(step)) continue;
      if (!(step.kind === "read" ? this.#state.fitsRead(step) : this.#state.settleIfFits(step))) continue;
      this.#unlink(at);
      this.#place(step);
    }
  }

  #unlink(at: number): void {
    const [before, behind] = [this.#previous[at]!, this.#next[at]!];
    this.#next[before] = behind;
    this.#previous[behind] = before;
    const mixed = hash(String(at), 0x9747b28c);
    this.#placedLoose ^= mixed;
    this.#trail.push(() => {
      this.#next[before] = at;
      this.#previous[behind] = at;
      this.#placedLoose ^= mixed;
    });
  }

  #place(step: Step, how: 1 | 2 = 1): void {
    const first = this.#firstUnplaced;
    this.#isPlaced[step.index] = how;
    this.#order.push(step);
    while (this.#isPlaced[this.#byEnd[this.#firstUnplaced]?.index ?? -1]) this.#firstUnplaced++;
    this.#trail.push(() => {
      this.#isPlaced[step.index] = 0;
      this.#order.pop();
      this.#firstUnplaced = first;
    });
  }

  /** Without open calls there is one way only, and nothing to remember. */
  #isNew(): boolean {
    if (this.#open.length === 0) return true;
    // That one never happened is told apart from that it did: it may have left nothing but its outcome row.
    const open = this.#open.map((step) => this.#isPlaced[step.index]).join("");
    const state = `${this.#head} ${open} ${this.#placedLoose} ${this.#state.fingerprint}`;
    return this.#seenStates.size < this.#seenStates.add(state).size;
  }

  /** Of two dead ends with as many steps, the first takes fewer guesses about what was lost. */
  #noteDeadEnd(): void {
    const guesses = this.#open.filter((step) => this.#isPlaced[step.index]).length;
    const length = this.#order.length - guesses;
    if (length <= this.#longest) return;
    this.#longest = length;
    const waiting = [...this.#loose, ...this.#chain.slice(this.#head, this.#head + 1)];
    const stuck = waiting.filter((step) => !this.#isPlaced[step.index] && step.began <= this.#horizon);
    this.#deadEnd = { placed: [...this.#order], stuck };
  }
}
