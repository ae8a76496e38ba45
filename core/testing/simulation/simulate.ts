/**
 * `simulate()`: lives through small fleets of engines under faults, with machines of your own.
 *
 * @module
 */
import type { Definition } from "../../engine/behaviour.ts";
import type { Engine } from "../../engine/verbs.ts";
import { PawlError } from "../../errors.ts";
import type { RunRecord } from "../../parts/run_record.ts";
import type { Random } from "../../ports/random.ts";
import { Coverage } from "./coverage.ts";
import type { Dice } from "./dice.ts";
import { type Failure, planText, smallestFailure } from "./failure.ts";
import type { Node, SimulatedEngineOptions } from "./fleet.ts";
import type { Host } from "./host.ts";
import { type Cast, type LifeReport, live, type Stage } from "./life.ts";
import { drawPlan, type Plan } from "./plan.ts";
import { followedEngine } from "./followed_engine.ts";
import type { World } from "./world.ts";

/** A simulated process, as user code on it may know it. */
export interface SimulatedHost {
  /** Unique in its life. */
  readonly name: string;
  /** Decides by the seed. */
  readonly random: Random;
  /** Waits in virtual time, and for ever when the host dies meanwhile. */
  sleep(ms: number): Promise<void>;
}

/** Somebody who asks for something, on one of the hosts. */
export interface SimulatedClient {
  /** The engine of that host. What its verbs acknowledge is remembered, and must be true for ever. */
  readonly engine: Engine;
  /** Decides by the seed. */
  readonly random: Random;
  /** One of the items, each as likely as the others. */
  pick<Item>(items: readonly Item[]): Item;
  /** Waits in virtual time. */
  sleep(ms: number): Promise<void>;
}

/** What is simulated, made anew for each seed, so that it may keep books of its own. */
export interface SimulationScenario {
  /** What every engine carries; a function: what the engine of a host does. */
  readonly definitions: readonly Definition[] | ((host: SimulatedHost) => readonly Definition[]);
  /** What clients do, each many times, some on hosts that die. What a verb refuses is no failure. */
  readonly asks: readonly ((client: SimulatedClient) => unknown)[];
  /** Verbs that operators use on any run beside that; default: pause and resume. */
  readonly operators?: readonly ("pause" | "resume" | "cancel" | "deleteData")[];
  /**
   * The faults have stopped: called every five seconds, to end what waits for the outside world. Paused runs are resumed, and
   * parked hooks retried, without it.
   */
  readonly care?: (client: SimulatedClient) => unknown;
  /** Every run must end; default false: it may wait for the outside world, or for what is due in a minute or later. */
  readonly mustEnd?: boolean;
  /** All is at rest: throws when something is not as it should be. The engine does no work. */
  readonly check?: (engine: Engine) => void | Promise<void>;
  /** What the engines are given besides. */
  readonly engineOptions?: SimulatedEngineOptions;
}

/** Options of {@linkcode simulate}. */
export interface SimulateOptions {
  /** Lives; default 100. */
  readonly seeds?: number;
  /** The first seed; default 1. */
  readonly from?: number;
  /**
   * Where the engines live; default `server`. In a `browser` commits abort, the browser closes the database, and when the power
   * is cut all engines die at once, and progress that no strict commit has covered may be lost and made again.
   */
  readonly home?: "server" | "browser";
  /** Told after each life. */
  readonly onSeed?: (seed: number) => void;
  /** Ends it between two lives, by rejecting with its reason. */
  readonly signal?: AbortSignal;
}

/** What the lives came to. */
export interface SimulationReport {
  /** Lives. */
  readonly seeds: number;
  /** Things that happened: trips to the store, timers, answers of code. */
  readonly events: number;
  /** How often each fault struck. */
  readonly faults: Readonly<Record<string, number>>;
  /** How often each invariant was looked at. */
  readonly checks: Readonly<Record<string, number>>;
  /** A table of what has befallen which kinds of commits how often. */
  readonly coverage: string;
}

/** A seed broke an invariant. */
export class SimulationError extends PawlError {
  /** Which. */
  readonly invariant: string;
  /** The seed. */
  readonly seed: number;
  /** What was left of its plan after everything had been taken away that was not needed. */
  readonly plan: string;
  /** What happened in that smallest life, a line each, in virtual ms. */
  readonly trace: readonly string[];

  /**
   * Describes one such life.
   *
   * @param seed The seed.
   * @param failure What was found.
   */
  constructor(seed: number, { invariant, message, plan, trace }: Failure) {
    const told = trace.slice(-40).join("\n");
    super("SIMULATION_FAILED", `Seed ${seed} breaks ${message}\n\n${planText(plan)}\n\n${told}`);
    this.invariant = invariant;
    this.seed = seed;
    this.plan = planText(plan);
    this.trace = trace;
  }
}

/** A run is at rest when it is not due for that long, in virtual ms. */
const restMs = 60_000;

/**
 * Lives through small fleets of engines in virtual time, one per seed. Processes crash, freeze, and come back; commits are
 * lost, late, repeated and refused; reads hang; clocks jump and differ; user code throws, hangs and is cut off; operators
 * interfere. Then the faults stop, and everything that was acknowledged must be there, what is due must have been done, and
 * every invariant must hold. One seed is one life: a failure can be lived through again. As FoundationDB and TigerBeetle do.
 *
 * A life lasts two virtual minutes, so give machines under test short times. User code may wait only for promises and for
 * `sleep` of its host: a real timer would make lives differ.
 *
 * @param scenario Makes what is simulated, for each seed anew.
 * @param options How many seeds.
 * @returns What was done to it.
 * @throws {SimulationError} `SIMULATION_FAILED`, with the smallest life that shows it.
 *
 * @example
 * ```ts
 * import { machine } from "pawl";
 * import { simulate } from "pawl/testing";
 * const report = await simulate(() => {
 *   const charged = new Map<string, number>();
 *   const orders = machine<{ cents: number }>("orders")
 *     .step("placed", ["paid"], (run) => {
 *       charged.set(run.stepId, run.data.cents); // the bank knows the step by its id
 *       return "paid";
 *     })
 *     .step("paid", ["shipped"], () => "shipped")
 *     .build();
 *   return {
 *     definitions: [orders],
 *     asks: [({ engine, pick }) => engine.trigger(orders, pick(["o1", "o2"]), { data: { cents: 500 } })],
 *     mustEnd: true,
 *     async check(engine) {
 *       const { items } = await engine.list({ definition: "orders" });
 *       if (items.length !== charged.size) throw new Error("an order was charged twice, or never");
 *     },
 *   };
 * }, { seeds: 20 });
 * console.assert(report.seeds === 20);
 * ```
 */
export async function simulate(
  scenario: () => SimulationScenario,
  options: SimulateOptions = {},
): Promise<SimulationReport> {
  const { seeds = 100, from = 1, home = "server", signal, onSeed } = options;
  checkCount("seeds", seeds);
  checkCount("from", from);
  checkHome(home);
  const total = new Total();
  for (let seed = from; seed < from + seeds; seed++) {
    signal?.throwIfAborted();
    const plan = drawPlan(seed, home);
    const play = (each: Plan) => playPlan(each, scenario);
    const report = await play(plan).catch((error) => error as Error);
    if (report instanceof Error) {
      const failure = await smallestFailure(plan, play);
      if (!failure) {
        throw new Error(`Seed ${seed} fails by something that no seed decides`, { cause: report });
      }
      throw new SimulationError(seed, failure);
    }
    total.add(report);
    onSeed?.(seed);
  }
  total.checkSomething();
  return total.report(seeds);
}

/** Lives through one plan of a scenario. @throws {Violation} With the last events on `error.trace`. */
export function playPlan(plan: Plan, scenario: () => SimulationScenario): Promise<LifeReport> {
  return live(plan, (world) => castOf(world, scenario()));
}

function checkCount(name: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 1) return;
  throw new PawlError(
    "INVALID_ARGUMENT",
    `Cannot simulate: got ${name} ${value}, want a whole number from 1`,
  );
}

function checkHome(home: string): void {
  if (home === "server" || home === "browser") return;
  throw new PawlError(
    "INVALID_ARGUMENT",
    `Cannot simulate: got home ${JSON.stringify(home)}, want "server" or "browser"`,
  );
}

/** Adds up lives. */
class Total {
  #events = 0;
  readonly #faults = new Map<string, number>();
  readonly #checks = new Map<string, number>();
  readonly #coverage = new Coverage();

  add({ events, faults, checks, coverage }: LifeReport): void {
    this.#events += events;
    for (const [name, times] of faults) this.#faults.set(name, (this.#faults.get(name) ?? 0) + times);
    for (const [name, times] of checks) this.#checks.set(name, (this.#checks.get(name) ?? 0) + times);
    this.#coverage.add(coverage.counts);
  }

  /** A simulation in which nothing happens proves nothing. */
  checkSomething(): void {
    if (this.#coverage.counts.some(([what, kind]) => what === "committed" && kind === "trigger")) return;
    throw new PawlError(
      "INVALID_ARGUMENT",
      "Cannot simulate: nothing was ever triggered; want `asks` that call engine.trigger with a definition and data " +
        "that are accepted",
    );
  }

  report(seeds: number): SimulationReport {
    return {
      seeds,
      events: this.#events,
      faults: Object.fromEntries([...this.#faults].sort()),
      checks: Object.fromEntries([...this.#checks].sort()),
      coverage: this.#coverage.table(),
    };
  }
}

function castOf(world: World, scenario: SimulationScenario): Cast {
  const { definitions, asks, operators = ["pause", "resume"], care, check, engineOptions, mustEnd } =
    scenario;
  let stage: Stage;
  const clientOn = (node: Node, dice: Dice): SimulatedClient => ({
    engine: followedEngine(stage.asks, node),
    random: dice.random,
    pick: (items) => dice.pick(items),
    sleep: (ms) => node.host.sleep(ms),
  });
  const ask = (code: (client: SimulatedClient) => unknown, node: Node, dice: Dice) => {
    // What a verb refuses, the client hears; here it is no news.
    Promise.resolve().then(() => code(clientOn(node, dice))).catch(() => {});
  };
  return {
    definitionsOf: (host) => typeof definitions === "function" ? definitions(known(host)) : definitions,
    ...(engineOptions && { engineOptionsOf: () => engineOptions }),
    begin: (on) => void (stage = on),
    ask(dice) {
      const { alive } = stage.fleet;
      if (alive.length === 0) return;
      const node = dice.pick(alive);
      if (operators.length > 0 && dice.chance(0.25)) return operate(stage, node, dice, dice.pick(operators));
      if (asks.length > 0) ask(dice.pick(asks), node, dice);
    },
    takeCare() {
      const node = stage.fleet.alive[0];
      if (!node) return;
      retryParked(node.engine);
      for (const run of stage.shadow.runs()) if (run.state === "paused") verbOn(stage, node, "resume", run);
      if (care) ask(care, node, world);
    },
    isAtRest: () => mustEnd ? stage.laws.areAtRest : stage.laws.isQuietUntil(stage.fleet.latestNow + restMs),
    async checkEnd() {
      try {
        await check?.(stage.fleet.auditor());
      } catch (error) {
        world.violate("check", error instanceof Error ? error.stack ?? error.message : String(error));
      }
    },
  };
}

function known(host: Host): SimulatedHost {
  return { name: host.name, random: host.random, sleep: (ms) => host.sleep(ms) };
}

type Operation = NonNullable<SimulationScenario["operators"]>[number];

/** An operator does something to any run. */
function operate(stage: Stage, node: Node, dice: Dice, verb: Operation): void {
  const runs = stage.shadow.runs();
  if (runs.length > 0) verbOn(stage, node, verb, dice.pick(runs));
}

function verbOn({ laws, asks }: Stage, node: Node, verb: Operation, run: RunRecord): void {
  const definition = { name: run.definition, behaviour: laws.behaviourOf(run.definition) };
  followedEngine(asks, node)[verb](definition, run.key, { runId: run.id }).catch(() => {});
}

function retryParked({ admin }: Engine): void {
  const retry = async () => {
    const { items } = await admin.parked();
    await Promise.all(items.map(({ id }) => admin.retry(id).catch(() => {})));
  };
  retry().catch(() => {});
}
