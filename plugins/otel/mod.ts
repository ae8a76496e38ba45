/**
 * Metrics and traces for OpenTelemetry, by its API alone: which SDK and exporter they go to is the program's choice.
 *
 * @module
 */
import {
  context,
  type Meter,
  metrics,
  type Span as OtelSpan,
  SpanStatusCode,
  trace,
  type Tracer,
} from "@opentelemetry/api";
import { PawlError, type Span, type SpanEnd, type Telemetry } from "pawl";
import type { OtelMeter, OtelTracer } from "./handed_in.ts";
import { runTrace } from "./run_trace.ts";

export type { OtelMeter, OtelTracer } from "./handed_in.ts";
export { traceIdOf } from "./run_trace.ts";

/** Options of {@linkcode otelTelemetry}. */
export interface OtelOptions {
  /** Default: the registered provider's tracer named `pawl`. */
  readonly tracer?: OtelTracer;
  /** Default: the registered provider's meter named `pawl`. */
  readonly meter?: OtelMeter;
  /** Whether spans carry the run's key as `pawl.key`; default false, as keys may be personal data. */
  readonly keys?: boolean;
  /**
   * Share of runs that is traced, from 0 to 1; default 1. A run is traced whole or not at all, in every process alike.
   * Set it here: to a sampler of the SDK every step has a parent already, and those that go by the parent obey it.
   */
  readonly sampleRatio?: number;
}

/**
 * Sends an engine's metrics and traces to OpenTelemetry: a span per attempt of a step, all spans of a run in one trace.
 *
 * @param options Tracer, meter, and what spans carry.
 * @returns A telemetry to give to an engine. Make it after the providers are registered.
 * @throws {PawlError} `INVALID_ARGUMENT` when the ratio is none.
 *
 * @example
 * ```ts
 * import { createEngine, machine } from "pawl";
 * import { memoryStore } from "pawl/adapters/memory";
 * import { otelTelemetry } from "pawl/plugins/otel";
 * const tea = machine("tea").step("brewing", ["ready"], () => "ready").build();
 * const telemetry = otelTelemetry({ sampleRatio: 0.1 });
 * const engine = createEngine({ store: memoryStore(), definitions: [tea], telemetry });
 * await engine.stop();
 * ```
 */
export function otelTelemetry(options: OtelOptions = {}): Telemetry {
  const { keys = false, sampleRatio = 1 } = options;
  if (!(sampleRatio >= 0 && sampleRatio <= 1)) {
    throw new PawlError(
      "INVALID_ARGUMENT",
      `Cannot make OpenTelemetry telemetry: got sampleRatio ${sampleRatio}, want 0 to 1`,
    );
  }
  const tracer = options.tracer as Tracer | undefined ?? trace.getTracer("pawl");
  const meter = options.meter as Meter | undefined ?? metrics.getMeter("pawl");
  return {
    counter({ name, help }) {
      const counter = meter.createCounter(name, { description: help });
      return { add: (by, labels) => counter.add(by, labels) };
    },
    gauge({ name, help }) {
      const gauge = meter.createGauge(name, { description: help, ...unitOf(name) });
      return { set: (value, labels) => gauge.record(value, labels) };
    },
    histogram({ name, help, buckets }) {
      const advice = { explicitBucketBoundaries: [...buckets] };
      const histogram = meter.createHistogram(name, { description: help, ...unitOf(name), advice });
      return { record: (value, labels) => histogram.record(value, labels) };
    },
    span({ name, runId, key, attributes }) {
      const parent = runTrace(runId, sampleRatio);
      const span = tracer.startSpan(
        name,
        { attributes: keys ? { ...attributes, "pawl.key": key } : attributes },
        parent,
      );
      const within = trace.setSpan(parent, span);
      const answer: Span = {
        run: (body) => context.with(within, body),
        end: (end) => endSpan(span, end),
      };
      return answer;
    },
  };
}

function unitOf(name: string): { readonly unit?: string } {
  return name.endsWith("_seconds") ? { unit: "s" } : {};
}

function endSpan(span: OtelSpan, { attributes, error }: SpanEnd): void {
  span.setAttributes(attributes);
  if (error !== undefined) {
    const exception = exceptionOf(error);
    span.recordException(exception);
    span.setStatus({ code: SpanStatusCode.ERROR, message: exception.message });
  }
  span.end();
}

/** What was thrown, in the one shape that every SDK takes: `code` would be taken for the error's type. */
function exceptionOf(error: unknown): { name: string; message: string; stack?: string } {
  if (typeof error !== "object" || error === null) return { name: "Error", message: String(error) };
  const { name, message, stack } = error as { name?: unknown; message?: unknown; stack?: unknown };
  return {
    name: String(name ?? "Error"),
    message: String(message ?? ""),
    ...(typeof stack === "string" && { stack }),
  };
}
