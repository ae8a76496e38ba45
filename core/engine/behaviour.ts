/**
 * All that the engine knows of an authoring model. A definition carries its behaviour, so a program that imports only
 * machines carries no code of any other model.
 *
 * @module
 */
import type { Limits } from "../limits.ts";
import type { ErrorKind, HookKind } from "../parts/chore.ts";
import type { Rules, StepPolicy } from "../parts/run_change.ts";
import type { Connector } from "./connector.ts";
import type { DataRules } from "./data_rules.ts";
import type { DiagramOptions, DrawDiagram } from "./diagram_options.ts";
import type { RunView } from "./run_view.ts";
import type { OptionLayer } from "./step_options.ts";

/** What user code answered; data is handed back through {@linkcode StepCall}. */
export type StepResult =
  | { readonly kind: "move"; readonly to: string }
  | { readonly kind: "repeat" | "skip" }
  | { readonly kind: "rearm"; readonly afterMs: number }
  | { readonly kind: "pause" | "cancel" | "fail"; readonly reason: string };

/** A lock that a step holds while it runs. */
export interface HeldLockView {
  /** The lock; of several, the first by name. */
  readonly name: string;
  /** Its namespace. */
  readonly namespace: string;
  /** Greater than that of every hold of this lock before: hand it to what the lock guards, to refuse what comes late. */
  readonly token: number;
  /** The token for each lock, where several are held at once. */
  readonly tokens: Readonly<Record<string, number>>;
}

/** One attempt of a step, callback or timer, as the engine hands it to a behaviour. */
export interface StepCall {
  /** The run. */
  readonly runId: string;
  /** Name of its definition. */
  readonly definition: string;
  /** Its key. */
  readonly key: string;
  /** Where it is. */
  readonly status: string;
  /** Stable over the attempts of one visit: the idempotency key for the outside world. */
  readonly stepId: string;
  /** 1 for the first attempt of a visit. */
  readonly attempt: number;
  /** When the run was triggered. */
  readonly createdAt: Date;
  /** When this attempt was to start; it is late by as long as no engine was there to start it. */
  readonly dueAt: Date;
  /** The lock that its step holds; absent: it needs none. */
  readonly lock?: HeldLockView | undefined;
  /** Aborted when the run is cancelled, the attempt times out, the engine stops, or its lease is lost. */
  readonly signal: AbortSignal;
  /** A fresh copy of the data, decoded at the first call; what it holds when the step returns is saved. */
  readData(): unknown;
  /** Replaces the data. */
  writeData(data: unknown): void;
}

/** A run that enters a status, as the functions that set its timers see it. */
export type EnteringCall = Pick<StepCall, "runId" | "definition" | "key" | "createdAt"> & {
  /** Its data as it enters. */
  readData(): unknown;
};

/** A timer that begins when a run enters a status. */
export interface TimerWish {
  /** Unique among the timers of the status. */
  readonly name: string;
  /** When it is due, in milliseconds since 1970. */
  readonly at: number;
}

/** User code that hears of a change of a run's state. */
export interface Hook {
  /** Unique among the hooks of its definition. */
  readonly name: string;
  /** Retries, timeout, and after how many failures it is parked. */
  readonly policy: StepPolicy;
  /** Runs it once. What it throws is a failed attempt. `chore`: for the engine only, what it was written down as. */
  run(view: RunView, signal: AbortSignal, chore?: unknown): unknown;
}

/** What may take a run from a status to others. */
export interface Transition {
  /** The status it leads from. */
  readonly from: string;
  /** Where it may lead; nowhere: it only leaves the run where it is. */
  readonly to: readonly string[];
  /** Whose code decides. */
  readonly by: "step" | "callback" | "timeout";
  /** What a diagram says beside it. */
  readonly label?: string;
}

/** An authoring model's side of a definition. */
export interface Behaviour extends Rules {
  /** Which authoring model it is of, such as `machine`: for whoever lists definitions. */
  readonly kind?: string;
  /** Where a run starts unless told otherwise. */
  readonly start: string;
  /** What it says of its data. */
  readonly data: DataRules;
  /** Where each status may lead. */
  readonly edges: ReadonlyMap<string, readonly string[]>;
  /** Its runs' transitions are logged for receivers of its topics, and for the relay. */
  readonly stream?: boolean;
  /**
   * The behaviour as one engine has it. The policies of a definition that no engine carries have Pawl's own defaults.
   *
   * @param defaults What the engine gives for all steps, below all that the definition gives itself.
   * @param limits The engine's.
   * @returns The behaviour with its final policies.
   * @throws {PawlError} `INVALID_ARGUMENT` naming the options that contradict each other.
   */
  withDefaults(defaults: OptionLayer, limits: Limits): Behaviour;
  /** Why a run may go from where to where, in order of declaration. */
  readonly transitions?: readonly Transition[];
  /** Runs a step's code once. What it throws is a failed attempt. */
  run(call: StepCall): StepResult | Promise<StepResult>;
  /** Runs a timer's code once. What it throws is a failed attempt of the timer. */
  fire?(call: StepCall, timer: string): StepResult | Promise<StepResult>;
  /** Whether the status has a callback. */
  accepts?(status: string): boolean;
  /** Runs the callbacks of a status in order, until one does not answer `skip`; each gets a copy of the payload of its own. */
  receive?(call: StepCall, payload: () => unknown): StepResult | Promise<StepResult>;
  /** The timers that begin as a run enters a status. What it throws fails whatever led there. */
  timers?(status: string, call: EnteringCall, now: number): readonly TimerWish[];
  /** Who hears of a change of this kind. */
  hooks?(kind: HookKind): readonly Hook[];
  /** Where events come from that go to its runs. */
  readonly connectors?: readonly Connector[];
  /** What is left of the data when it is to be deleted; absent: nothing. */
  scrub?(data: unknown): unknown;
  /**
   * Draws it as Mermaid text; absent: it cannot be drawn.
   *
   * @param options As given to `engine.diagram()`.
   * @param draw What the engine draws with.
   */
  diagram?(options: DiagramOptions, draw: DrawDiagram): string;
}

/** What an engine carries: a name and a behaviour, and, for the compiler, the types of its runs. */
export interface Definition<
  Data = unknown,
  Status extends string = string,
  Start extends string = string,
  Payloads = unknown,
> {
  /** Unique within a store. */
  readonly name: string;
  /** For the engine only. */
  readonly behaviour: Behaviour;
  /** For the engine only: the hooks of the integration that it is of. */
  readonly errorHooks?: (kind: ErrorKind) => readonly Hook[];
  /** For the compiler only: never there at run time. */
  readonly types?: {
    readonly data: Data;
    readonly status: Status;
    readonly start: Start;
    readonly payloads: Payloads;
  };
}

const noHooks: readonly Hook[] = [];

/**
 * Who hears of a change of a definition's runs: hooks of its own, or of its integration.
 *
 * @param definition The definition.
 * @param kind The kind of the change.
 * @returns The hooks, in their order.
 */
export function hooksOf({ behaviour, errorHooks }: Definition, kind: HookKind | ErrorKind): readonly Hook[] {
  if (kind === "step-error" || kind === "run-error") return errorHooks?.(kind) ?? noHooks;
  return behaviour.hooks?.(kind) ?? noHooks;
}
