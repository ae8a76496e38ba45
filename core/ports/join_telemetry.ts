import type { Span, SpanStart, Telemetry } from "./telemetry.ts";

/**
 * Makes one telemetry of several, for instance metrics for Prometheus and traces for OpenTelemetry.
 *
 * @param all Each is told everything.
 * @returns One that can be given to an engine.
 *
 * @example
 * ```ts
 * import { joinTelemetry } from "pawl";
 * import { recordingTelemetry } from "pawl/testing";
 * const [one, other] = [recordingTelemetry(), recordingTelemetry()];
 * const both = joinTelemetry(one, other);
 * both.counter({ name: "orders_count", help: "Orders.", labels: [] }).add(1, {});
 * console.assert(one.value("orders_count") === 1 && other.value("orders_count") === 1);
 * ```
 */
export function joinTelemetry(...all: readonly Telemetry[]): Telemetry {
  const tracing = all.filter((each) => each.span !== undefined);
  return {
    counter(options) {
      const counters = all.map((each) => each.counter(options));
      return { add: (by, labels) => counters.forEach((each) => each.add(by, labels)) };
    },
    gauge(options) {
      const gauges = all.map((each) => each.gauge(options));
      return { set: (value, labels) => gauges.forEach((each) => each.set(value, labels)) };
    },
    histogram(options) {
      const histograms = all.map((each) => each.histogram(options));
      return { record: (value, labels) => histograms.forEach((each) => each.record(value, labels)) };
    },
    ...(tracing.length > 0 && {
      span: (start: SpanStart) => joinSpans(tracing.map((each) => each.span!(start))),
    }),
  };
}

function joinSpans(spans: readonly Span[]): Span {
  return {
    // Each runs the code within the next, so that it is part of all of them and runs once.
    run: (body) => spans.reduceRight((inner, span) => () => span.run(inner), body)(),
    end: (end) => spans.forEach((span) => span.end(end)),
  };
}
