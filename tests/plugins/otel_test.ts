import assert from "node:assert/strict";
import { context, type SpanContext, SpanStatusCode, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  type Sampler,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { machine } from "../../mod.ts";
import { otelTelemetry, traceIdOf } from "../../plugins/otel/mod.ts";
import { gate, testInMemory } from "../engine/stores.ts";

/** A tracing SDK of one process. */
function sdk(options: { readonly sampler?: Sampler } = {}) {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({
    ...options,
    spanProcessors: [new SimpleSpanProcessor(exporter)],
  });
  return {
    tracer: provider.getTracer("test"),
    spans: (): ReadableSpan[] => exporter.getFinishedSpans(),
    async close() {
      // The exporter answers by a timer, which must not outlive the test.
      await provider.forceFlush();
      await provider.shutdown();
    },
  };
}

/** Lets code find the active span, as a program's set-up does. */
async function withContext(body: () => Promise<void>): Promise<void> {
  const manager = new AsyncLocalStorageContextManager().enable();
  context.setGlobalContextManager(manager);
  try {
    await body();
  } finally {
    context.disable();
  }
}

const three = machine("orders")
  .step("placed", ["paid"], () => "paid")
  .step("paid", ["packed"], (run) => {
    if (run.attempt === 1) throw Object.assign(new RangeError("card refused"), { code: "E_CARD" });
    return "packed";
  }, { retry: { initial: "1m", jitter: false } })
  .step("packed", ["sent"], () => "sent")
  .build();

testInMemory("the spans of a run are one trace, whichever process runs its steps", async (world) => {
  const [one, other] = [sdk(), sdk()];
  const first = world.engine({ definitions: [three], telemetry: otelTelemetry({ tracer: one.tracer }) });
  const { runId } = await world.during(first.trigger(three, "k"));
  const { runId: elsewhere } = await world.during(first.trigger(three, "other"));
  await world.during(first.tick());
  await world.advance(60_000);
  const second = world.engine({ definitions: [three], telemetry: otelTelemetry({ tracer: other.tracer }) });
  await world.during(second.tick());
  const of = (spans: readonly ReadableSpan[]) =>
    spans.filter((span) => span.attributes["pawl.run_id"] === runId);
  assert.deepEqual(of(one.spans()).map((span) => span.name), ["orders placed", "orders paid"]);
  assert.deepEqual(of(other.spans()).map((span) => span.name), ["orders paid", "orders packed"]);
  const all = [...of(one.spans()), ...of(other.spans())];
  assert.deepEqual(new Set(all.map((span) => span.spanContext().traceId)), new Set([traceIdOf(runId)]));
  assert.match(traceIdOf(runId), /^00[0-9a-f]{30}$/);
  assert.equal(new Set(all.map((span) => span.spanContext().spanId)).size, 4);
  const parents = new Set(all.map((span) => span.parentSpanContext?.spanId));
  assert.equal(parents.size, 1);
  assert.notEqual(traceIdOf(elsewhere), traceIdOf(runId));
  await Promise.all([one.close(), other.close()]);
});

testInMemory(
  "a span tells which attempt it was and how it ended, and the key only when asked",
  async (world) => {
    const { tracer, spans, close } = sdk();
    const engine = await world.started({ definitions: [three], telemetry: otelTelemetry({ tracer }) });
    const { runId } = await engine.trigger(three, "ann@example.org");
    await world.advance(61_000);
    const [, failed, mended] = spans();
    assert.deepEqual({ ...failed!.attributes }, {
      "pawl.definition": "orders",
      "pawl.status": "paid",
      "pawl.run_id": runId,
      "pawl.step_id": `${runId}:2`,
      "pawl.attempt": 1,
      "pawl.result": "error",
      "pawl.error_code": "E_CARD",
    });
    assert.deepEqual(failed!.status, { code: SpanStatusCode.ERROR, message: "card refused" });
    const exception = failed!.events[0]!;
    assert.equal(exception.name, "exception");
    assert.equal(exception.attributes?.["exception.type"], "RangeError");
    assert.equal(exception.attributes?.["exception.message"], "card refused");
    assert.match(String(exception.attributes?.["exception.stacktrace"]), /otel_test\.ts/);
    assert.equal(mended!.status.code, SpanStatusCode.UNSET);
    assert.equal(mended!.attributes["pawl.attempt"], 2);
    assert.equal(mended!.attributes["pawl.to"], "packed");
    assert(!JSON.stringify(spans().map(({ name, attributes }) => ({ name, attributes }))).includes("ann@"));

    const asked = sdk();
    const withKeys = world.engine({
      definitions: [three],
      telemetry: otelTelemetry({ tracer: asked.tracer, keys: true }),
    });
    await world.during(engine.stop());
    await world.during(withKeys.trigger(three, "bob"));
    await world.during(withKeys.tick());
    assert.equal(asked.spans()[0]?.attributes["pawl.key"], "bob");
    await Promise.all([close(), asked.close()]);
  },
);

testInMemory("the code of a step runs within its span, also after it has waited", async (world) => {
  await withContext(async () => {
    const { tracer, spans, close } = sdk();
    const held = gate();
    const seen: (SpanContext | undefined)[] = [];
    const tracing = machine("orders").step("placed", ["paid"], async () => {
      seen.push(trace.getActiveSpan()?.spanContext());
      await held.promise;
      seen.push(trace.getActiveSpan()?.spanContext());
      await tracer.startActiveSpan("charge", async (span) => {
        await Promise.resolve();
        span.end();
      });
      return "paid";
    }).build();
    const engine = await world.started({ definitions: [tracing], telemetry: otelTelemetry({ tracer }) });
    // What is active around a trigger is of a request, and not where the run's spans belong.
    await tracer.startActiveSpan("request", async (request) => {
      await engine.trigger(tracing, "k");
      request.end();
    });
    await world.settle();
    held.resolve();
    await world.settle();
    const [request, charge, step] = spans();
    assert.deepEqual([request?.name, charge?.name, step?.name], ["request", "charge", "orders placed"]);
    assert.deepEqual(seen.map((each) => each?.spanId), [
      step!.spanContext().spanId,
      step!.spanContext().spanId,
    ]);
    assert.equal(charge!.parentSpanContext?.spanId, step!.spanContext().spanId);
    assert.equal(charge!.spanContext().traceId, step!.spanContext().traceId);
    assert.notEqual(step!.spanContext().traceId, request!.spanContext().traceId);
    assert.equal(trace.getActiveSpan(), undefined);
    await close();
  });
});

testInMemory("sampleRatio traces runs whole or not at all, in every process alike", async (world) => {
  // What no default sampler would keep has a parent that says so.
  const [one, other] = [sdk(), sdk()];
  const telemetryOf = ({ tracer }: ReturnType<typeof sdk>) => otelTelemetry({ tracer, sampleRatio: 0.3 });
  const first = world.engine({ definitions: [three], telemetry: telemetryOf(one) });
  for (let n = 0; n < 400; n++) await world.during(first.trigger(three, `k${n}`));
  await world.during(first.tick());
  await world.advance(60_000);
  const second = world.engine({ definitions: [three], telemetry: telemetryOf(other) });
  await world.during(second.tick());
  const runsOf = (spans: readonly ReadableSpan[]) =>
    new Set(spans.map((span) => span.attributes["pawl.run_id"]));
  const traced = runsOf(one.spans());
  assert.deepEqual(runsOf(other.spans()), traced);
  assert.equal(one.spans().length + other.spans().length, 4 * traced.size);
  assert(traced.size > 80 && traced.size < 160, `${traced.size} of 400 runs were traced`);
  await Promise.all([one.close(), other.close()]);
  for (const [ratio, expected] of [[0, 0], [1, 4]] as const) {
    const { tracer, spans, close } = sdk();
    const engine = world.engine({
      definitions: [three],
      telemetry: otelTelemetry({ tracer, sampleRatio: ratio }),
    });
    await world.during(engine.trigger(three, `ratio ${ratio}`));
    await world.during(engine.tick());
    await world.advance(60_000);
    await world.during(engine.tick());
    assert.equal(spans().length, expected);
    await close();
  }
  assert.throws(() => otelTelemetry({ sampleRatio: 1.1 }), { code: "INVALID_ARGUMENT" });
  assert.throws(() => otelTelemetry({ sampleRatio: NaN }), { code: "INVALID_ARGUMENT" });
});

testInMemory("metrics arrive at the SDK under their names, with bounds, units and labels", async (world) => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 2 ** 30 });
  const provider = new MeterProvider({ readers: [reader] });
  const telemetry = otelTelemetry({ meter: provider.getMeter("test") });
  const engine = await world.started({ definitions: [three], telemetry });
  await engine.trigger(three, "k");
  await world.advance(61_000);
  const { resourceMetrics, errors } = await reader.collect();
  assert.deepEqual(errors, []);
  const found = new Map(
    resourceMetrics.scopeMetrics[0]!.metrics.map((metric) => [metric.descriptor.name, metric]),
  );
  assert.deepEqual([...found.keys()].sort(), [
    "workflow_process_error_count",
    "workflow_process_lag_alert",
    "workflow_process_lag_seconds",
    "workflow_process_latency_seconds",
    "workflow_process_states",
    "workflow_run_state_changes",
  ]);
  const point = (name: string, labels: Readonly<Record<string, string>>) => {
    const wanted = JSON.stringify(labels);
    return found.get(name)!.dataPoints.find(({ attributes }) => JSON.stringify(attributes) === wanted)?.value;
  };
  const paid = { workflow_name: "orders", process_name: "orders-paid-consumer-1-of-1" };
  assert.equal(point("workflow_process_error_count", paid), 1);
  assert.equal(point("workflow_process_states", paid), 2);
  assert.equal(found.get("workflow_process_latency_seconds")!.descriptor.unit, "s");
  const histogram = point("workflow_process_latency_seconds", paid) as unknown as {
    readonly count: number;
    readonly buckets: { readonly boundaries: readonly number[] };
  };
  assert.equal(histogram.count, 1);
  assert.deepEqual(histogram.buckets.boundaries, [
    0.0005,
    0.001,
    0.005,
    0.01,
    0.05,
    0.1,
    0.5,
    1,
    5,
    10,
    60,
    300,
  ]);
  assert.equal(
    point("workflow_run_state_changes", {
      workflow_name: "orders",
      previous_run_state: "initiated",
      current_run_state: "running",
    }),
    1,
  );
  await provider.shutdown();
});

testInMemory("without a registered SDK the telemetry does nothing, and steps run", async (world) => {
  const engine = await world.started({ definitions: [three], telemetry: otelTelemetry() });
  await engine.trigger(three, "k");
  await world.advance(61_000);
  assert.equal((await engine.get(three, "k"))?.status, "sent");
});
