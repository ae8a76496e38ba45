/**
 * What the user code of a program does at each call: drawn from a seed and from what the code itself can see, but for run
 * ids. So one script does the same on every store, and a model can know it beforehand.
 *
 * @module
 */
import { hash32 } from "../../core/hash.ts";
import type { HookKind } from "../../core/parts/chore.ts";
import { seededRandom } from "../../core/ports/random.ts";
import { type Program, statusesOf, type TimerPlan } from "./program.ts";

/** What a run carries: the code whose work is in it, in order. */
export interface Trail {
  /** Given by whoever triggered the run. */
  readonly token: string;
  trail: string[];
}

/** What callbacks are called with: what they leave in the trail. */
export interface Mark {
  readonly mark: string;
}

/** Which call of user code it is. */
export interface Call {
  readonly key: string;
  readonly status: string;
  readonly code: "step" | "callback" | "timer";
  /** The timer, or the number of the callback with the mark it was called with. */
  readonly name?: string;
  readonly visit: number;
  /** How often the timer was set again. */
  readonly round?: number;
  readonly attempt: number;
  readonly data: Trail;
  /** Where it may lead. */
  readonly to: readonly string[];
}

/** What a call answers. */
export type Deed =
  | { readonly kind: "go"; readonly to: string }
  /** Where it may not lead. */
  | { readonly kind: "stray"; readonly to: string }
  | { readonly kind: "repeat" | "skip" }
  | { readonly kind: "pause" | "cancel" | "fail"; readonly reason: string }
  | { readonly kind: "rearm"; readonly ms: number }
  | { readonly kind: "throw"; readonly message: string }
  /** Leaves more in the data than fits, or what JSON cannot carry. */
  | { readonly kind: "large" | "unjson" };

/** What a call comes to. */
export interface Act {
  readonly deed: Deed;
  /** How long it takes. */
  readonly delayMs: number;
  /** What it leaves in the trail; absent: it only looks at its data. */
  readonly mark: string | undefined;
  /** It breaks off when its signal says so. */
  readonly heeds: boolean;
}

/** What the code says that sets a timer. */
export type Draw = { readonly inMs: number } | "never" | "throw" | "no date";

/** Visits after which a run is led to its end. */
const visitsMax = 12;

/** Draws by words. */
class Chance {
  readonly #float: () => number;

  constructor(seed: number, words: readonly unknown[]) {
    this.#float = seededRandom(hash32(words.join("\n"), seed)).float;
  }

  of(chance: number): boolean {
    return this.#float() < chance;
  }

  upTo(max: number): number {
    return Math.floor(this.#float() * (max + 1));
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[Math.floor(this.#float() * items.length)]!;
  }
}

const errors = ["throw", "throw", "throw", "stray", "large", "unjson"] as const;
const controls = ["repeat", "repeat", "skip", "pause", "pause", "cancel", "fail"] as const;

/** The user code of one program, as decisions. It counts the calls of hooks and scrubs, so each life needs its own. */
export class Script {
  readonly #seed: number;
  readonly #program: Program;
  readonly #counts = new Map<string, number>();

  /**
   * @param seed Of the script.
   * @param program Whose code it is.
   */
  constructor(seed: number, program: Program) {
    this.#seed = seed;
    this.#program = program;
  }

  /** What a step, callback or timer does. */
  act(call: Call): Act {
    const { key, status, code, name = "", visit, round = 0, attempt, data } = call;
    const { token, trail } = data;
    const chance = this.#chance("act", key, token, status, code, name, visit, round, attempt, trail.length);
    const where = `${status} ${visit} ${code}${name && ` ${name}`}${round > 0 ? ` ${round}` : ""}`;
    const mark = chance.of(0.8) ? where : undefined;
    const delayMs = this.#delay(chance);
    const heeds = chance.of(0.3);
    return {
      deed: this.#error(chance, call, where) ?? this.#deed(chance, call, where),
      delayMs,
      mark,
      heeds,
    };
  }

  #delay(chance: Chance): number {
    if (chance.of(0.45)) return 0;
    // Never as long as a timeout: which of the two comes first would be free.
    return chance.of(0.7) ? 1 + chance.upTo(60) : 101 + 2 * chance.upTo(600);
  }

  #error(chance: Chance, { key, data, attempt, status, to }: Call, where: string): Deed | undefined {
    const isStubborn = this.#chance("stubborn", key, data.token, where).of(0.08);
    if (!chance.of(attempt > 5 ? 0 : isStubborn ? 1 : 0.2)) return undefined;
    const kind = chance.pick(errors);
    if (kind === "throw") return { kind, message: `cannot ${where}` };
    if (kind !== "stray") return { kind };
    const others = [...statusesOf(this.#program.graph), "nowhere"].filter((each) => !to.includes(each));
    return { kind, to: chance.pick(others.filter((each) => each !== status)) };
  }

  #deed(chance: Chance, { code, visit, round = 0, to }: Call, where: string): Deed {
    if (visit > 2 * visitsMax) return { kind: "fail", reason: "because it takes too long" };
    if (visit > visitsMax) return to.length > 0 ? { kind: "go", to: to[0]! } : { kind: "skip" };
    if (code === "timer" && round < 4 && chance.of(0.3)) return { kind: "rearm", ms: chance.upTo(400) };
    const isControl = to.length === 0 || chance.of(code === "callback" ? 0.5 : 0.3);
    if (!isControl) return { kind: "go", to: chance.pick(to) };
    const kind = code === "step" ? chance.pick(controls) : chance.of(0.6) ? "skip" : chance.pick(controls);
    return kind === "skip" || kind === "repeat" ? { kind } : { kind, reason: `because ${where} says so` };
  }

  /** When a timer is due that is drawn as a run enters a status. */
  due(key: string, { name, to }: TimerPlan, { token, trail }: Trail): Draw {
    const chance = this.#chance("due", key, token, name, to, trail.length);
    if (chance.of(0.06)) return "throw";
    if (chance.of(0.02)) return "no date";
    return chance.of(0.25) ? "never" : { inMs: chance.upTo(950) - 50 };
  }

  /** What scrubbing leaves; it may fail for some times. */
  scrub(data: Trail): Trail {
    const failures = this.#chance("scrub", data.token).of(0.25) ? 2 : 0;
    if (this.#count(`scrub ${data.token}`) <= failures) throw new Error(`cannot scrub ${data.token}`);
    return { token: data.token, trail: [] };
  }

  /**
   * What a hook does.
   *
   * @param change Names the change it hears of, as its run may not be named by its id.
   * @param tells Names it uniquely.
   */
  hook(kind: HookKind, index: number, change: string, tells: string): { delayMs: number; throws: boolean } {
    const chance = this.#chance("hook", kind, index, change);
    const failures = chance.of(0.6) ? 0 : 1 + chance.upTo(4);
    const isSlow = this.#program.hooks[kind]?.[index]?.timeout !== undefined && chance.of(0.5);
    const count = this.#count(`hook ${kind} ${index} ${tells}`);
    const delayMs = isSlow ? 101 + 2 * this.#chance("hook", kind, index, change, count).upTo(250) : 0;
    return { delayMs, throws: count <= failures };
  }

  #chance(...words: readonly unknown[]): Chance {
    return new Chance(this.#seed, [this.#program.name, ...words]);
  }

  /** The first is 1. */
  #count(what: string): number {
    const count = (this.#counts.get(what) ?? 0) + 1;
    this.#counts.set(what, count);
    return count;
  }
}
