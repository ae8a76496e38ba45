/**
 * What clients do: an engine that never works, by which runs are triggered, paid, paused, resumed, cancelled, awaited and
 * deleted, and events sent to connectors; what is asked and what is told stands in the ledger.
 *
 * @module
 */
import { createEngine, type Engine, type RunView, type Store } from "pawl";
import { seededRandom } from "../../core/ports/random.ts";
import { type Answer, Asking, codeOf } from "./asking.ts";
import { pollMs } from "./fleet.ts";
import type { Asked, Ledger, Verb } from "./ledger.ts";
import { type FleetMachine, machinesOf, removed, topics } from "./machines.ts";
import { secretOf, sleep, trailOf, type Wish } from "./trail.ts";

/** Calls under way at once: a store that is away must not gather a crowd that drowns it when it is back. */
const openMax = 100;
/** Keys of each machine: few enough that they are asked for again while they have an unfinished run. */
const keys = 60;
/** Keys of events: few enough that their order means something. */
const eventKeys = 8;
/** How often a question is repeated whose outcome is unknown. */
const triesMax = 5;

/** A run that a client knows of. */
interface Known {
  readonly definition: FleetMachine;
  readonly key: string;
  readonly runId: string;
  readonly token: string;
}

/** A question that was asked by somebody who did not live to hear the answer. */
export type Open = Pick<Asked, "verb" | "definition" | "key" | "runId" | "token" | "wish">;

/** What clients do. */
export class Clients {
  /** An engine for clients: it never works. */
  readonly engine: Engine;
  readonly machines: readonly FleetMachine[];
  readonly #asking: Asking;
  readonly #random: ReturnType<typeof seededRandom>;
  /** Calls under way, and among them those that wait for runs. */
  readonly #open = new Set<Promise<void>>();
  readonly #waiting = new Set<Promise<void>>();
  /** Runs to pause, resume or cancel. */
  #recent: Known[] = [];
  /** Bills, and when an instalment is to be paid. */
  #bills: { readonly at: number; readonly run: Known }[] = [];
  #isOver = false;

  /**
   * @param store The shared store.
   * @param ledger Where it is recorded.
   * @param seed Decides what is asked for.
   * @param name Unique within the ledger.
   */
  constructor(store: Store, ledger: Ledger, seed: number, name: string) {
    this.#asking = new Asking(ledger, name);
    this.#random = seededRandom(seed * 40_503 + 7);
    const followUp = () => Promise.reject(new Error("Clients run no steps"));
    this.machines = machinesOf({ ledger, asking: this.#asking, followUp });
    const quiet = { log: () => {} };
    this.engine = createEngine({
      store,
      definitions: this.machines,
      work: false,
      poll: pollMs,
      logger: quiet,
    });
  }

  /** Asks for things, about `perSecond` of them, until {@linkcode end}. */
  async run(perSecond: number): Promise<void> {
    while (!this.#isOver) {
      await sleep(this.#random.float() * 2_000 / perSecond);
      if (this.#open.size < openMax) this.#act();
    }
  }

  /** Asks for nothing more. */
  end(): void {
    this.#isOver = true;
  }

  /** Resolves when every call has its answer but those that wait for runs. */
  async settled(): Promise<void> {
    for (;;) {
      const open = [...this.#open].filter((each) => !this.#waiting.has(each));
      if (open.length === 0) return;
      await Promise.all(open);
    }
  }

  /** Resolves when every call has its answer. */
  async answered(): Promise<void> {
    while (this.#open.size > 0) await Promise.all(this.#open);
  }

  /** Asks again what somebody has asked who is dead; only what may be asked again. */
  takeOver(questions: readonly Open[]): void {
    for (const { verb, definition, key, runId, token, wish } of questions) {
      if (verb === "trigger") this.#track(this.#repeat(this.machine(definition), key, token!, wish!));
      if (verb === "callback") {
        const name = { key, ...(runId !== undefined && { runId }) };
        this.#track(this.#callback(name, token!, true));
      }
      if (verb === "send") this.#track(this.#send(definition as "bill" | "intake", key, token!, runId));
    }
  }

  /** Triggers a run and waits for its acknowledgement. */
  async trigger(name: string, key: string): Promise<string> {
    return (await this.#triggerOnce(this.machine(name), key, this.#asking.nextId(), "good", false)).runId;
  }

  /** Takes up runs that a `skip` has left alone: a pause ends by itself, and the step runs again. */
  async takeUp(
    runs: readonly { readonly definition: string; readonly key: string; readonly runId: string }[],
  ) {
    await Promise.all(
      runs.map(({ definition, key, runId }) =>
        this.#operate("pause", { definition: this.machine(definition), key, runId, token: "" })
      ),
    );
  }

  /** The machine of a name. */
  machine(name: string): FleetMachine {
    return this.machines.find((each) => each.name === name)!;
  }

  #act(): void {
    const due = this.#bills.findIndex(({ at }) => at <= performance.now());
    if (due >= 0) return this.#pay(this.#bills.splice(due, 1)[0]!.run);
    const draw = this.#random.float();
    const run = this.#pick(this.#recent);
    if (draw < 0.04) return this.#notify();
    if (draw < 0.72 || !run) return this.#track(this.#begin());
    const verb = draw < 0.8 ? "pause" : draw < 0.88 ? "resume" : draw < 0.94 ? "cancel" : "delete";
    this.#track(this.#operate(verb, run));
  }

  /** A run of any machine, which may then be paid, and waited for, and deleted. */
  async #begin(): Promise<void> {
    const names = ["order", "order", "order", "parcel", "round", "round", "bill", "bill", removed.name];
    const definition = this.machine(this.#pick(names)!);
    const key = this.#key(keys);
    const token = this.#asking.nextId();
    const wish = this.#chance(0.1) ? "bad" : "good";
    // A run that is removed takes its idempotency keys with it.
    const isPatient = this.#chance(0.6) && definition.name !== removed.name;
    const [awaits, deletes] = [this.#chance(0.3), this.#chance(0.4)];
    const runId = await this.#repeat(definition, key, token, wish, isPatient);
    if (runId === undefined) return;
    const run = { definition, key, runId, token };
    this.#recent = [...this.#recent.slice(-30), run];
    if (definition.name === "bill" && wish === "good") this.#bill(run);
    if (awaits) this.#track(this.#follow(run, deletes), this.#waiting);
  }

  /** An outcome that stays unknown may be asked for again under its idempotency key: never two runs. */
  async #repeat(
    definition: FleetMachine,
    key: string,
    token: string,
    wish: Wish,
    isPatient = true,
  ): Promise<string | undefined> {
    for (let attempt = 1; attempt <= (isPatient ? triesMax : 1); attempt++) {
      try {
        return (await this.#triggerOnce(definition, key, token, wish, isPatient)).runId;
      } catch (error) {
        if (codeOf(error) !== "OUTCOME_UNKNOWN") return undefined;
      }
    }
    return undefined;
  }

  #triggerOnce(definition: FleetMachine, key: string, token: string, wish: Wish, isRepeatable: boolean) {
    const question = { verb: "trigger", definition: definition.name, key, token, wish } as const;
    return this.#asking.ask({ ...question, ...(isRepeatable && { isRepeatable }) }, () => {
      const data = trailOf(token, wish);
      return this.engine.trigger(definition, key, { data, ...(isRepeatable && { idempotencyKey: token }) });
    });
  }

  #bill(run: Known): void {
    const now = performance.now();
    for (let count = 0; count < 4; count++) {
      this.#bills.push({ at: now + this.#random.float() * 2_000, run });
    }
  }

  /** An instalment: by a callback, with or without an idempotency key, twice at once, or by the connector. */
  #pay({ key, runId }: Known): void {
    const draw = this.#random.float();
    const token = this.#asking.nextId();
    const name = { key, ...(this.#chance(0.7) && { runId }) };
    if (draw < 0.4) return this.#track(this.#callback(name, token, false));
    if (draw < 0.85) {
      this.#track(this.#callback(name, token, true));
      if (draw < 0.6) this.#track(this.#callback(name, token, true));
      return;
    }
    this.#track(this.#send("bill", key, token, runId));
  }

  async #callback(
    { key, runId }: { readonly key: string; readonly runId?: string },
    token: string,
    isRepeatable: boolean,
  ): Promise<void> {
    const ofRun = runId === undefined ? {} : { runId };
    const ofKey = isRepeatable ? { isRepeatable } : {};
    for (let attempt = 1; attempt <= (isRepeatable ? triesMax : 1); attempt++) {
      const question = { verb: "callback", definition: "bill", key, token, ...ofRun, ...ofKey } as const;
      const code = await this.#ask(question, async () => {
        const idempotency = isRepeatable ? { idempotencyKey: token } : {};
        const options = { ...ofRun, ...idempotency };
        const answer = await this.engine.callback(this.machine("bill"), key, "pending", { token }, options);
        return { runId: answer.runId, applied: answer.applied };
      });
      if (code !== "OUTCOME_UNKNOWN") return;
    }
  }

  #notify(): void {
    this.#track(this.#send("intake", this.#key(eventKeys), this.#asking.nextId()));
  }

  /** Hands an event to a connector. */
  async #send(definition: "bill" | "intake", key: string, token: string, runId?: string): Promise<void> {
    const ofRun = runId === undefined ? {} : { runId };
    for (let attempt = 1; attempt <= triesMax; attempt++) {
      const question = { verb: "send", definition, key, token, ...ofRun, isRepeatable: true } as const;
      const code = await this.#ask(question, async () => {
        const event = { id: token, key, type: "news", data: { token, ...ofRun } };
        await this.engine.streams.send(topics[definition], [event]);
        return {};
      });
      if (code !== "OUTCOME_UNKNOWN") return;
    }
  }

  /** Waits for the end of a run, and may ask for its deletion then. */
  async #follow(run: Known, deletes: boolean): Promise<void> {
    const { definition, key, runId } = run;
    const question = { verb: "await", definition: definition.name, key, runId } as const;
    const code = await this.#ask(question, async () => {
      const ended = await this.engine.await(definition, key, { runId, timeout: "5m" });
      return { runId, state: ended.runState };
    });
    if (code === undefined && deletes && !this.#isOver) await this.#operate("delete", run);
  }

  async #operate(verb: "pause" | "resume" | "cancel" | "delete", run: Known): Promise<void> {
    const { definition, key, runId, token } = run;
    await this.#ask({ verb, definition: definition.name, key, runId }, async () => {
      const { version } = await this.#verb(verb, run, `as ${secretOf(token)} has it`);
      return { runId, version };
    });
  }

  #verb(verb: Verb, { definition, key, runId }: Known, reason: string): Promise<RunView> {
    const { engine } = this;
    if (verb === "pause") return engine.pause(definition, key, { runId, reason });
    if (verb === "cancel") return engine.cancel(definition, key, { runId, reason });
    if (verb === "resume") return engine.resume(definition, key, { runId });
    // The reason of a deletion is kept.
    return engine.deleteData(definition, key, { runId });
  }

  /** @returns The code it was refused with. */
  async #ask(
    question: Parameters<Asking["ask"]>[0],
    call: () => Promise<Answer>,
  ): Promise<string | undefined> {
    try {
      await this.#asking.ask(question, call);
      return undefined;
    } catch (error) {
      return codeOf(error);
    }
  }

  #track(call: Promise<unknown>, also?: Set<Promise<void>>): void {
    const tracked = call.then(() => {}).finally(() => {
      this.#open.delete(tracked);
      also?.delete(tracked);
    });
    this.#open.add(tracked);
    also?.add(tracked);
  }

  #key(count: number): string {
    return `k${Math.floor(this.#random.float() * count)}`;
  }

  #chance(probability: number): boolean {
    return this.#random.float() < probability;
  }

  #pick<Item>(items: readonly Item[]): Item | undefined {
    return items[Math.floor(this.#random.float() * items.length)];
  }
}
