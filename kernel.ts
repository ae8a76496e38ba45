/**
 * The engine for small bundles: it carries the code of the features that it is given, and of no others. Everything else,
 * such as `machine`, comes from `pawl`, of which a bundler keeps what is imported.
 *
 * @module
 */
export { createEngine, type KernelOptions } from "./core/engine/kernel.ts";
export type { Feature } from "./core/engine/feature.ts";
export {
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
} from "./core/engine/features.ts";
