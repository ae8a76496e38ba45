/**
 * For tests: a clock that stands still, an engine on it, what tests ask of its runs, stubs for handlers, the suites
 * that prove a store and a streamer, and the simulator.
 *
 * @module
 */
export { type ConformanceCase, storeConformance, type StoreConformanceOptions } from "./store_conformance.ts";
export { type RecordedSpan, type RecordingTelemetry, recordingTelemetry } from "./recording_telemetry.ts";
export { streamerConformance, type StreamerConformanceOptions } from "./streamer_conformance.ts";
export {
  type AwaitTimerOptions,
  type RequireDataOptions,
  type TestEngine,
  testEngine,
  type TestEngineOptions,
} from "./test_engine.ts";
export {
  simulate,
  type SimulatedClient,
  type SimulatedHost,
  type SimulateOptions,
  SimulationError,
  type SimulationReport,
  type SimulationScenario,
} from "./simulation/simulate.ts";
export type { SimulatedEngineOptions } from "./simulation/fleet.ts";
export type { TestWaitOptions } from "./run_waits.ts";
export { type HandlerAnswer, type HandlerOf, readAnswer, runStub, type RunStubOptions } from "./run_stub.ts";
export { type VirtualClock, virtualClock, type VirtualClockOptions } from "./virtual_clock.ts";
export { seededRandom } from "../ports/random.ts";
