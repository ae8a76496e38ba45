/** The part of a tracer of `@opentelemetry/api` that is used; every tracer has it. */
export interface OtelTracer {
  /** Begins a span. */
  startSpan(name: string, options?: unknown, context?: unknown): unknown;
}

/** The part of a meter of `@opentelemetry/api` that is used; every meter from version 1.9 of the API on has it. */
export interface OtelMeter {
  /** Makes a counter. */
  createCounter(name: string, options?: unknown): unknown;
  /** Makes a gauge. */
  createGauge(name: string, options?: unknown): unknown;
  /** Makes a histogram. */
  createHistogram(name: string, options?: unknown): unknown;
}
