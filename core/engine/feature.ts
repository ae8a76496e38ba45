/**
 * What an engine can do beside running its definitions. `pawl` has every feature; `pawl/kernel` has those that it is
 * given, so that a page pays for no code that it does not use. Here are types only: what imports this carries none of it.
 *
 * @module
 */
import { PawlError } from "../errors.ts";
import type { adminOf } from "./admin.ts";
import type { Behaviour, Definition } from "./behaviour.ts";
import type { callback } from "./callback.ts";
import type { Chores } from "./chores.ts";
import type { Connectors } from "./connectors.ts";
import type { DrawDiagram } from "./diagram_options.ts";
import type { dispose } from "./dispose.ts";
import type { exportRuns } from "./export_runs.ts";
import type { importRuns } from "./import_runs.ts";
import type { listRuns } from "./list.ts";
import type { listTimers } from "./list_timers.ts";
import type { lockOf, lockVerbs } from "./lock_verbs.ts";
import type { Integrations } from "./integrations.ts";
import type { Locks } from "./locks.ts";
import type { measured } from "./measured.ts";
import type { prepareTrigger } from "./prepare_trigger.ts";
import type { processStates, reportStates } from "./process_states.ts";
import type { Relay } from "./relay.ts";
import type { relayDueOps, relayDues } from "./relay_due.ts";
import type { relayPolicy } from "./relay_policy.ts";
import type { tellEnd } from "./schedule_end.ts";
import type { scheduleRules } from "./schedule_rules.ts";
import type { schedulesOf } from "./schedule_verbs.ts";
import type { Schedules } from "./schedules.ts";
import type { StoreStreamer } from "./store_streamer.ts";
import type { tendLog } from "./tend_log.ts";
import type { verifyStore } from "./verify.ts";

/** The code of each feature. */
export interface FeatureCode {
  readonly admin: typeof adminOf;
  readonly callbacks: typeof callback;
  readonly connectors: typeof Connectors;
  readonly deletion: typeof dispose;
  readonly diagrams: DrawDiagram;
  readonly hooks: typeof Chores;
  readonly integrations: typeof Integrations;
  readonly lists: { readonly runs: typeof listRuns; readonly timers: typeof listTimers };
  readonly locks: {
    readonly Locks: typeof Locks;
    readonly lockOf: typeof lockOf;
    readonly lockVerbs: typeof lockVerbs;
  };
  readonly relay: {
    readonly Relay: typeof Relay;
    readonly relayDueOps: typeof relayDueOps;
    readonly relayDues: typeof relayDues;
    readonly relayPolicy: typeof relayPolicy;
  };
  readonly schedules: {
    readonly Chores: typeof Chores;
    readonly Schedules: typeof Schedules;
    readonly scheduleRules: typeof scheduleRules;
    readonly schedulesOf: typeof schedulesOf;
    readonly tellEnd: typeof tellEnd;
  };
  readonly streams: { readonly StoreStreamer: typeof StoreStreamer; readonly tendLog: typeof tendLog };
  readonly telemetry: {
    readonly measured: typeof measured;
    readonly processStates: typeof processStates;
    readonly reportStates: typeof reportStates;
  };
  readonly transactions: typeof prepareTrigger;
  readonly transfer: { readonly exportRuns: typeof exportRuns; readonly importRuns: typeof importRuns };
  readonly verify: typeof verifyStore;
}

/** The features of one engine. */
export type Features = Partial<FeatureCode>;

/** Something that an engine of `pawl/kernel` can do when it is given it. */
export interface Feature {
  /** Its name: what it is exported as. */
  readonly name: string;
  /** For the engine only. */
  readonly code: unknown;
}

/** A feature with the code that its name asks for. */
export interface FeatureOf<Name extends keyof FeatureCode> extends Feature {
  readonly name: Name;
  readonly code: FeatureCode[Name];
}

/**
 * @param given As the user gave them.
 * @returns Their code, by name.
 * @throws {PawlError} `INVALID_ARGUMENT` when one is no feature.
 */
export function gatherFeatures(given: readonly Feature[]): Features {
  return Object.fromEntries(given.map((each) => {
    if (each?.name && each.code) return [each.name, each.code];
    throw new PawlError(
      "INVALID_ARGUMENT",
      `Cannot create engine: got ${JSON.stringify(each)} in \`features\`, want what "pawl/kernel" exports`,
    );
  }));
}

/**
 * The code of a feature that is needed now.
 *
 * @param features Those there are.
 * @param name The one needed.
 * @param verb What it is needed for.
 * @returns Its code.
 * @throws {PawlError} `UNSUPPORTED` when the engine does not have it.
 */
export function featureOf<Name extends keyof FeatureCode>(
  features: Features,
  name: Name,
  verb: string,
): FeatureCode[Name] {
  const found: FeatureCode[Name] | undefined = features[name];
  if (found) return found;
  throw new PawlError(
    "UNSUPPORTED",
    `Cannot ${verb}: this engine has no feature "${name}"; ` +
      `import { ${name} } from "pawl/kernel", and give it: createEngine({ features: [${name}] })`,
  );
}

/**
 * Refuses a definition whose code would never run. Whoever only calls verbs leaves that code to others.
 *
 * @param features Those of an engine that works.
 * @param definition What it is to carry.
 * @throws {PawlError} `UNSUPPORTED` naming what is missing.
 */
export function checkCarried(features: Features, { name, behaviour, errorHooks }: Definition): void {
  if (needsLocks(behaviour)) {
    featureOf(features, "locks", `carry "${name}", which has steps that need a lock`);
    featureOf(features, "hooks", `carry "${name}", which has steps that need a lock`);
  }
  const { hooks, stream, connectors, keepFinishedMs } = behaviour;
  if (errorHooks) featureOf(features, "hooks", `carry "${name}", whose integration has error hooks`);
  if (hooks) featureOf(features, "hooks", `carry "${name}", which has hooks`);
  if (stream) featureOf(features, "streams", `carry "${name}", which has a stream`);
  if (connectors) featureOf(features, "connectors", `carry "${name}", which has connectors`);
  if (keepFinishedMs !== undefined) {
    featureOf(features, "deletion", `carry "${name}", which has keepFinished`);
  }
}

/** Whether a step of it needs a lock. */
export function needsLocks(behaviour: Behaviour): boolean {
  return [...behaviour.statuses].some((status) => behaviour.policy(status)?.lock !== undefined);
}
