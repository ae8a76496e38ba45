/**
 * Every feature, with its code. A bundler keeps those that are imported.
 *
 * @module
 */
import { adminOf } from "./admin.ts";
import { callback } from "./callback.ts";
import { Chores } from "./chores.ts";
import { Connectors } from "./connectors.ts";
import { diagramOf } from "./diagram.ts";
import { dispose } from "./dispose.ts";
import type { Feature, FeatureOf } from "./feature.ts";
import { listRuns } from "./list.ts";
import { listTimers } from "./list_timers.ts";
import { measured } from "./measured.ts";
import { prepareTrigger } from "./prepare_trigger.ts";
import { processStates, reportStates } from "./process_states.ts";
import { relayDueOps, relayDues } from "./relay_due.ts";
import { relayPolicy } from "./relay_policy.ts";
import { StoreStreamer } from "./store_streamer.ts";
import { tendLog } from "./tend_log.ts";

/** `engine.admin`. */
export const admin: Feature = { name: "admin", code: adminOf } satisfies FeatureOf<"admin">;

/** `engine.callback()`. */
export const callbacks: Feature = { name: "callbacks", code: callback } satisfies FeatureOf<"callbacks">;

/** `engine.deleteData()`, and machines with `keepFinished`. */
export const deletion: Feature = { name: "deletion", code: dispose } satisfies FeatureOf<"deletion">;

/** `engine.diagram()`. */
export const diagrams: Feature = { name: "diagrams", code: diagramOf } satisfies FeatureOf<"diagrams">;

/** Machines with hooks, such as `onComplete`. */
export const hooks: Feature = { name: "hooks", code: Chores } satisfies FeatureOf<"hooks">;

/** `engine.list()` and `engine.timers()`. */
export const lists: Feature = {
  name: "lists",
  code: { runs: listRuns, timers: listTimers },
} satisfies FeatureOf<"lists">;

/** `engine.streams`, machines with `stream` or connectors, and the engine option `streams`. */
export const streams: Feature = {
  name: "streams",
  code: { Connectors, StoreStreamer, relayDueOps, relayDues, relayPolicy, tendLog },
} satisfies FeatureOf<"streams">;

/** `engine.states()`, and the engine option `telemetry`. */
export const telemetry: Feature = {
  name: "telemetry",
  code: { measured, processStates, reportStates },
} satisfies FeatureOf<"telemetry">;

/** `engine.prepareTrigger()`. */
export const transactions: Feature = {
  name: "transactions",
  code: prepareTrigger,
} satisfies FeatureOf<"transactions">;

/** What `createEngine` of `pawl` has. */
export const allFeatures: readonly Feature[] = [
  admin,
  callbacks,
  deletion,
  diagrams,
  hooks,
  lists,
  streams,
  telemetry,
  transactions,
];
