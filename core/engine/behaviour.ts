/**
 * All that the engine knows of an authoring model. A definition carries its behaviour, so a program that imports only
 * machines carries no code of any other model.
 *
 * @module
 */
import type { Limits } from "../limits.ts";
import type { Rules } from "../parts/run_change.ts";
import type { DataRules } from "./data_rules.ts";
import type { OptionLayer } from "./step_options.ts";

/** What user code answered; data is handed back through {@linkcode StepCall}. */
export type StepResult =
  | { readonly kind: "move"; readonly to: string }
  | { readonly kind: "repeat" | "skip" }
  | { readonly kind: "pause" | "cancel" | "fail"; readonly reason: string };

/** One attempt of a step, as the engine hands it to a behaviour. */
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
  /** Aborted when the run is cancelled, the attempt times out, the engine stops, or its lease is lost. */
  readonly signal: AbortSignal;
  /** A fresh copy of the data, decoded at the first call; what it holds when the step returns is saved. */
  readData(): unknown;
  /** Replaces the data. */
  writeData(data: unknown): void;
}

/** An authoring model's side of a definition. */
export interface Behaviour extends Rules {
  /** Where a run starts unless told otherwise. */
  readonly start: string;
  /** What it says of its data. */
  readonly data: DataRules;
  /** Where each status may lead. */
  readonly edges: ReadonlyMap<string, readonly string[]>;
  /**
   * The behaviour as one engine has it. The policies of a definition that no engine carries have Pawl's own defaults.
   *
   * @param defaults What the engine gives for all steps, below all that the definition gives itself.
   * @param limits The engine's.
   * @returns The behaviour with its final policies.
   * @throws {PawlError} `INVALID_ARGUMENT` naming the options that contradict each other.
   */
  withDefaults(defaults: OptionLayer, limits: Limits): Behaviour;
  /** Runs user code once. What it throws is a failed attempt. */
  run(call: StepCall): StepResult | Promise<StepResult>;
}

/** What an engine carries: a name and a behaviour, and, for the compiler, the types of its runs. */
export interface Definition<Data = unknown, Status extends string = string, Start extends string = string> {
  /** Unique within a store. */
  readonly name: string;
  /** For the engine only. */
  readonly behaviour: Behaviour;
  /** For the compiler only: never there at run time. */
  readonly types?: { readonly data: Data; readonly status: Status; readonly start: Start };
}
