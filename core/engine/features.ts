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
import { exportRuns } from "./export_runs.ts";
import type { Feature, FeatureOf } from "./feature.ts";
import { importRuns } from "./import_runs.ts";
import { Integrations } from "./integrations.ts";
import { listRuns } from "./list.ts";
import { listTimers } from "./list_timers.ts";
import { lockOf, lockVerbs } from "./lock_verbs.ts";
import { Locks } from "./locks.ts";
import { measured } from "./measured.ts";
import { prepareTrigger } from "./prepare_trigger.ts";
import { processStates, reportStates } from "./process_states.ts";
import { Relay } from "./relay.ts";
import { relayDueOps, relayDues } from "./relay_due.ts";
import { relayPolicy } from "./relay_policy.ts";
import { tellEnd } from "./schedule_end.ts";
import { scheduleRules } from "./schedule_rules.ts";
import { schedulesOf } from "./schedule_verbs.ts";
import { Schedules } from "./schedules.ts";
import { StoreStreamer } from "./store_streamer.ts";
import { tendLog } from "./tend_log.ts";
import { verifyStore } from "./verify.ts";

/** `engine.admin`; its largest verbs are features of their own. */
export const admin: Feature = { name: "admin", code: adminOf } satisfies FeatureOf<"admin">;

/** `engine.callback()`. */
export const callbacks: Feature = { name: "callbacks", code: callback } satisfies FeatureOf<"callbacks">;

/** Machines with connectors; those of a topic of `engine.streams` need `streams` too. */
export const connectors: Feature = { name: "connectors", code: Connectors } satisfies FeatureOf<"connectors">;

/** `engine.deleteData()`, and machines with `keepFinished`. */
export const deletion: Feature = { name: "deletion", code: dispose } satisfies FeatureOf<"deletion">;

/** `engine.diagram()`. */
export const diagrams: Feature = { name: "diagrams", code: diagramOf } satisfies FeatureOf<"diagrams">;

/** Machines with hooks, such as `onComplete`. */
export const hooks: Feature = { name: "hooks", code: Chores } satisfies FeatureOf<"hooks">;

/** `engine.use()`, and triggers with a `policy`; integrations with error hooks need `hooks` too. */
export const integrations: Feature = {
  name: "integrations",
  code: Integrations,
} satisfies FeatureOf<"integrations">;

/** `engine.list()` and `engine.timers()`. */
export const lists: Feature = {
  name: "lists",
  code: { runs: listRuns, timers: listTimers },
} satisfies FeatureOf<"lists">;

/** `engine.mutex()`, `engine.locks`, and machines with steps that need a lock; those need `hooks` too. */
export const locks: Feature = {
  name: "locks",
  code: { Locks, lockOf, lockVerbs },
} satisfies FeatureOf<"locks">;

/** The engine option `streams`; the machines that it relays need `streams` too. */
export const relay: Feature = {
  name: "relay",
  code: { Relay, relayDueOps, relayDues, relayPolicy },
} satisfies FeatureOf<"relay">;

/** `engine.schedules`, and the engine options `recurrences` and `filters`; who carries their targets needs it to work. */
export const schedules: Feature = {
  name: "schedules",
  code: { Chores, Schedules, scheduleRules, schedulesOf, tellEnd },
} satisfies FeatureOf<"schedules">;

/** `engine.streams`, and machines with `stream`. */
export const streams: Feature = {
  name: "streams",
  code: { StoreStreamer, tendLog },
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

/** `engine.admin.export()` and `engine.admin.import()`; give `admin` too. */
export const transfer: Feature = {
  name: "transfer",
  code: { exportRuns, importRuns },
} satisfies FeatureOf<"transfer">;

/** `engine.admin.verify()`; give `admin` too. */
export const verify: Feature = { name: "verify", code: verifyStore } satisfies FeatureOf<"verify">;

/** What `createEngine` of `pawl` has. */
export const allFeatures: readonly Feature[] = [
  admin,
  callbacks,
  connectors,
  deletion,
  diagrams,
  hooks,
  integrations,
  lists,
  locks,
  relay,
  schedules,
  streams,
  telemetry,
  transactions,
  transfer,
  verify,
];
