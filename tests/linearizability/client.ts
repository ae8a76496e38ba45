/**
 * A client: asks a store for one thing after the other, and has everything recorded.
 *
 * @module
 */
import { PawlError } from "../../core/errors.ts";
import type { Random } from "../../core/ports/random.ts";
import type { CallResult, CommitCall, Committer, Store } from "../../core/store/store.ts";
import { Drawer, type DrawnCall, type Field } from "./draw.ts";
import type { Recorder } from "./recorder.ts";

/** What a client needs. */
export interface ClientOptions {
  /** Unique in the history. */
  readonly name: string;
  readonly store: Store;
  readonly field: Field;
  readonly random: Random;
  readonly recorder: Recorder;
  /** Answered operations to ask for. */
  readonly operations: number;
  /** Whether lost replies can be settled. */
  readonly outcomes: boolean;
  /** Passes some time between operations. */
  readonly rest: () => Promise<void>;
  /** Passes some time before it asks again what was refused or lost. */
  readonly backOff: () => Promise<void>;
}

/** How often a client asks for what became of a lost call. */
const settlesMax = 40;

/** How often it may be refused or get lost before it gives up, for each operation that it is to ask for. */
const vainMax = 50;

/** Codes of a read or commit that surely did nothing. */
const refusals = ["STORE_BUSY", "STORE_UNREACHABLE"];

/** Runs until it has had its answers. */
export async function runClient(options: ClientOptions): Promise<void> {
  await new Client(options).run();
}

class Client {
  readonly #options: ClientOptions;
  readonly #drawer: Drawer;
  /** The last call of each committer whose fate is known. */
  readonly #previous = new Map<string, string>();
  #asked = 0;
  #callIds = 0;
  /** How often it has left lost calls as they were, and gone on under new names. */
  #names = 0;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#drawer = new Drawer(options.random, options.field, options.name);
  }

  async run(): Promise<void> {
    const { operations, rest, backOff } = this.#options;
    for (let answered = 0, vain = 0; answered < operations;) {
      const drawn = this.#drawer.next();
      const isAnswered = drawn.kind === "read"
        ? await this.#read(drawn.requests)
        : await this.#commitDrawn(drawn.calls);
      if (isAnswered) answered++;
      else if (++vain > vainMax * operations) throw new Error(`Got no answer ${vain} times`);
      await (isAnswered ? rest() : backOff());
    }
  }

  async #read(requests: Parameters<Store["read"]>[0]): Promise<boolean> {
    const { store, recorder } = this.#options;
    const id = this.#nextId();
    recorder.begin({ id, kind: "read", requests });
    try {
      const answer = await store.read(requests);
      recorder.end(id, answer);
      this.#drawer.learnRead(requests, answer);
      return true;
    } catch (error) {
      if (fateOf(error) === "refused") return false;
      throw error;
    }
  }

  async #commitDrawn(drawn: readonly DrawnCall[]): Promise<boolean> {
    const inShard = new Map<number, number>();
    const calls = drawn.map((call): CommitCall => {
      const slot = inShard.get(call.shard) ?? 0;
      inShard.set(call.shard, slot + 1);
      return { ...call, committer: this.#committer(`${call.shard}.${slot}`) };
    });
    const answer = await this.#commit(calls);
    if (answer === "unknown") await this.#afterLost(calls);
    if (typeof answer === "string") return false;
    calls.forEach((call, index) => {
      this.#follow(call.committer, answer[index]!);
      this.#drawer.learnCall(call, answer[index]!);
    });
    return true;
  }

  async #commit(calls: readonly CommitCall[]): Promise<readonly CallResult[] | "unknown" | "refused"> {
    const { store, recorder } = this.#options;
    const id = this.#nextId();
    recorder.begin({ id, kind: "commit", calls });
    let answer: readonly CallResult[] | "unknown" | "refused";
    try {
      answer = await store.commit(calls);
    } catch (error) {
      answer = fateOf(error);
    }
    recorder.end(id, answer);
    return answer;
  }

  /** Mostly it finds out, as a group committer does; at times it never does. */
  async #afterLost(lost: readonly CommitCall[]): Promise<void> {
    const { outcomes, random, backOff } = this.#options;
    const isCurious = outcomes && random.float() < 0.7;
    for (let attempt = 0; isCurious && attempt < settlesMax; attempt++) {
      await backOff();
      const calls = lost.map((call) => ({
        shard: call.shard,
        committer: { ...call.committer, callId: this.#nextCallId() },
        batches: [],
      }));
      const answer = await this.#commit(calls);
      if (typeof answer === "string") continue;
      calls.forEach(({ committer }, index) => this.#settled(committer, lost[index]!, answer[index]!));
      return;
    }
    this.#names++;
  }

  /** The next call follows the last one that counts. */
  #follow({ id, callId }: Committer, result: CallResult): void {
    const last = result.outcome === "superseded" ? result.last?.callId : callId;
    if (last === undefined) this.#previous.delete(id);
    else this.#previous.set(id, last);
  }

  #settled(settler: Committer, lost: CommitCall, result: CallResult): void {
    this.#follow(settler, result);
    if (result.outcome !== "superseded" || result.last?.callId !== lost.committer.callId) return;
    const { results } = result.last;
    this.#drawer.learnCall(lost, results ? { outcome: "done", results } : { outcome: "guard-failed" });
  }

  #committer(chain: string): Committer {
    const id = `${this.#options.field.name}.${this.#options.name}.${chain}.${this.#names}`;
    const previous = this.#previous.get(id);
    return { id, callId: this.#nextCallId(), ...(previous !== undefined && { previous }) };
  }

  #nextCallId(): string {
    return String(++this.#callIds);
  }

  #nextId(): string {
    return `${this.#options.name}.${++this.#asked}`;
  }
}

function fateOf(error: unknown): "unknown" | "refused" {
  if (error instanceof PawlError && error.code === "OUTCOME_UNKNOWN") return "unknown";
  if (error instanceof PawlError && refusals.includes(error.code)) return "refused";
  throw error;
}
