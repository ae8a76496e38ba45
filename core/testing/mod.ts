/**
 * For tests: a clock that stands still, an engine on it, and the suites that prove a store and a streamer.
 *
 * @module
 */
export { type ConformanceCase, storeConformance, type StoreConformanceOptions } from "./store_conformance.ts";
export { type RecordedSpan, type RecordingTelemetry, recordingTelemetry } from "./recording_telemetry.ts";
export { streamerConformance, type StreamerConformanceOptions } from "./streamer_conformance.ts";
export { type TestEngine, testEngine, type TestEngineOptions } from "./test_engine.ts";
export { type VirtualClock, virtualClock } from "./virtual_clock.ts";
export { seededRandom } from "../ports/random.ts";
