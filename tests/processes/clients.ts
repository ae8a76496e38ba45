/**
 * The clients: one process with an engine that never works. It triggers runs, pauses, resumes and cancels some, and
 * waits for some; what it asks and what it is told stands in the ledger.
 *
 * @module
 */
import { createEngine, type Engine, type RunView, type Store } from "pawl";
import { seededRandom } from "../../core/ports/random.ts";
import { pause } from "./chaos.ts";
import { pollMs } from "./fleet.ts";
import type { Ledger, Verb } from "./ledger.ts";
import { type FleetMachine, machinesOf, type Trail } from "./machines.ts";

/** Calls under way at once: a store that is away must not gather a crowd that drowns it when it is back. */
const openMax = 100;
/** Keys of each machine: few enough that they are asked for again while they have an unfinished run. */
const keys = 60;

const codeOf = (error: unknown) => String((error as { code?: unknown }).code ?? error);

/** What clients do. */
export class Clients {
  /** An engine for clients: it never works. */
  readonly engine: Engine;
  readonly machines: readonly FleetMachine[];
  readonly #ledger: Ledger;
  readonly #name: string;
  readonly #random: ReturnType<typeof seededRandom>;
  readonly #open = new Set<Promise<void>>();
  /** Runs to pause, resume or cancel. */
  #recent: { readonly definition: FleetMachine; readonly key: string; readonly runId: string }[] = [];
  #asks = 0;
  #isOver = false;

  /**
   * @param store The shared store.
   * @param ledger Where it is recorded.
   * @param seed Decides what is asked for.
   * @param name Unique within the ledger.
   */
  constructor(store: Store, ledger: Ledger, seed: number, name: string) {
    this.#ledger = ledger;
    this.#name = name;
    this.#random = seededRandom(seed * 40_503 + 7);
    this.machines = machinesOf(ledger, () => Promise.reject(new Error("Clients run no steps")));
    const quiet = { log: () => {} };
    this.engine = createEngine({
      store,
      definitions: this.machines,
      work: false,
      poll: pollMs,
      logger: quiet,
    });
  }

  /** Calls without an answer. */
  get open(): number {
    return this.#open.size;
  }

  /** Asks for things, about `perSecond` of them, until {@linkcode end}. */
  async run(perSecond: number): Promise<void> {
    while (!this.#isOver) {
      await pause(this.#random.float() * 2_000 / perSecond);
      if (this.#open.size < openMax) this.#act();
    }
  }

  /** Asks for nothing more. */
  end(): void {
    this.#isOver = true;
  }

  /** Resolves when every call has its answer. */
  async answered(): Promise<void> {
    while (this.#open.size > 0) await Promise.all(this.#open);
  }

  /** Triggers a run and waits for its acknowledgement. */
  async trigger(name: string, key: string): Promise<string> {
    const definition = this.machine(name);
    const id = this.#nextId();
    this.#ledger.write({ what: "asked", id, verb: "trigger", definition: name, key, token: id });
    const data: Trail = { token: id, wish: "good", landed: [] };
    const { runId, created } = await this.engine.trigger(definition, key, { data });
    this.#ledger.write({ what: "told", id, runId, created });
    return runId;
  }

  /** Takes up runs that a `skip` has left alone: a pause ends by itself, and the step runs again. */
  async takeUp(
    runs: readonly { readonly definition: string; readonly key: string; readonly runId: string }[],
  ) {
    await Promise.all(
      runs.map(({ definition, key, runId }) => this.#ask("pause", this.machine(definition), key, runId)),
    );
  }

  /** The machine of a name. */
  machine(name: string): FleetMachine {
    return this.machines.find((each) => each.name === name)!;
  }

  #act(): void {
    const draw = this.#random.float();
    const run = this.#pick(this.#recent);
    if (draw < 0.7 || !run) return this.#track(this.#trigger());
    const verb = draw < 0.8 ? "pause" : draw < 0.9 ? "resume" : draw < 0.96 ? "cancel" : "await";
    this.#track(this.#ask(verb, run.definition, run.key, run.runId));
  }

  async #trigger(): Promise<void> {
    const definition = this.machine(this.#pick(["order", "order", "order", "parcel", "round", "round"])!);
    const key = `k${Math.floor(this.#random.float() * keys)}`;
    const id = this.#nextId();
    const wish = this.#random.float() < 0.1 ? "bad" : "good";
    const isPatient = this.#random.float() < 0.5;
    const awaits = this.#random.float() < 0.3;
    const idempotency = isPatient ? { idempotencyKey: id } : {};
    // An outcome that stays unknown may be asked for again under its idempotency key: never two runs.
    for (let attempt = 1; attempt <= (isPatient ? 5 : 1); attempt++) {
      const askId = attempt === 1 ? id : `${id}.${attempt}`;
      this.#write({ what: "asked", id: askId, verb: "trigger", definition: definition.name, key, token: id });
      try {
        const data: Trail = { token: id, wish, landed: [] };
        const { runId, created } = await this.engine.trigger(definition, key, { data, ...idempotency });
        this.#write({ what: "told", id: askId, runId, created });
        this.#recent = [...this.#recent.slice(-30), { definition, key, runId }];
        if (awaits) this.#track(this.#ask("await", definition, key, runId));
        return;
      } catch (error) {
        this.#write({ what: "refused", id: askId, code: codeOf(error) });
        if (codeOf(error) !== "OUTCOME_UNKNOWN") return;
      }
    }
  }

  async #ask(
    verb: Exclude<Verb, "trigger">,
    definition: FleetMachine,
    key: string,
    runId: string,
  ): Promise<void> {
    const id = this.#nextId();
    this.#write({ what: "asked", id, verb, definition: definition.name, key, runId });
    try {
      const run: RunView<unknown> = verb === "await"
        ? await this.engine.await(definition, key, { runId, timeout: "5m" })
        : await this.engine[verb](definition, key, { runId });
      const { version, runState } = run;
      this.#write({ what: "told", id, runId, ...(verb === "await" ? { state: runState } : { version }) });
    } catch (error) {
      this.#write({ what: "refused", id, code: codeOf(error) });
    }
  }

  #write(line: Parameters<Ledger["write"]>[0]): void {
    this.#ledger.write(line);
  }

  #track(call: Promise<void>): void {
    const tracked = call.finally(() => this.#open.delete(tracked));
    this.#open.add(tracked);
  }

  #nextId(): string {
    return `${this.#name}.${++this.#asks}`;
  }

  #pick<Item>(items: readonly Item[]): Item | undefined {
    return items[Math.floor(this.#random.float() * items.length)];
  }
}
