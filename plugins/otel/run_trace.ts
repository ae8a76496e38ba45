import { ROOT_CONTEXT, type SpanContext, trace, TraceFlags } from "@opentelemetry/api";
import type { Context } from "@opentelemetry/api";

/**
 * Where the spans of a run belong. A run id is 30 hexadecimal digits, so it is its own trace id, with two zeros in
 * front: every process that runs a step of the run comes to the same one, and nothing needs to be stored. Its last 14
 * digits are of chance and hash, which is where samplers look for randomness.
 *
 * A trace id can only be handed to a tracer with a parent, so the run itself stands in for one: a span of a derived id
 * that nobody ever writes. Nothing of the active context is taken over: what is active when a step begins is whatever
 * happened to wake the engine, often another run's request.
 *
 * @param runId The run.
 * @param sampleRatio Which share of all runs is traced, from 0 to 1.
 * @returns A context whose spans are of the run's trace.
 */
export function runTrace(runId: string, sampleRatio: number): Context {
  const parent: SpanContext = {
    traceId: traceIdOf(runId),
    spanId: runId.slice(-16),
    traceFlags: isSampled(runId, sampleRatio) ? TraceFlags.SAMPLED : TraceFlags.NONE,
    isRemote: true,
  };
  return trace.setSpanContext(ROOT_CONTEXT, parent);
}

/**
 * The trace of a run, to look it up in a tracing system.
 *
 * @param runId The run.
 * @returns 32 hexadecimal digits.
 */
export function traceIdOf(runId: string): string {
  return runId.padStart(32, "0");
}

/** By the run's own chance, so that all processes decide the same and a run is traced whole or not at all. */
function isSampled(runId: string, ratio: number): boolean {
  const chance = parseInt(runId.slice(-14, -4), 16) / 16 ** 10;
  return chance < ratio;
}
