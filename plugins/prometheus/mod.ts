/**
 * Metrics for Prometheus, in its text format, without any dependency: it runs wherever the engine runs.
 *
 * @module
 */
import { type HistogramOptions, type InstrumentOptions, type Labels, PawlError, type Telemetry } from "pawl";
import { Family, type FamilyKind } from "./family.ts";
import { checkLabelNames, checkMetricName } from "./names.ts";

/** Options of {@linkcode prometheusTelemetry}. */
export interface PrometheusOptions {
  /** Labels of every series, such as `{ engine: "worker-1" }`: what tells engines apart that one page shows. */
  readonly labels?: Labels;
  /**
   * Series of one metric; default 2,000. What comes later is added up in one series all of whose own labels are
   * `overflow`, so that names made at run time cannot fill memory, here or in Prometheus.
   */
  readonly seriesMax?: number;
}

/** A telemetry whose metrics Prometheus can read. */
export interface PrometheusTelemetry extends Telemetry {
  /** The content type of {@linkcode PrometheusTelemetry.render}. */
  readonly contentType: string;
  /** All metrics in the text format, in a stable order. */
  render(): string;
}

/**
 * Keeps an engine's metrics for Prometheus. It makes no spans.
 *
 * @param options Labels of every series, and a bound.
 * @returns A telemetry for one engine, or for several that their `labels` need not tell apart.
 * @throws {PawlError} `INVALID_ARGUMENT` naming what is wrong.
 *
 * @example
 * ```ts
 * import { createEngine, machine } from "pawl";
 * import { memoryStore } from "pawl/adapters/memory";
 * import { prometheusTelemetry } from "pawl/plugins/prometheus";
 * const tea = machine("tea").step("brewing", ["ready"], () => "ready").build();
 * const telemetry = prometheusTelemetry();
 * const engine = createEngine({ store: memoryStore(), definitions: [tea], telemetry });
 * // Serve this where Prometheus looks, as `telemetry.contentType`.
 * console.assert(telemetry.render().includes("# TYPE workflow_process_states gauge"));
 * await engine.stop();
 * ```
 */
export function prometheusTelemetry(options: PrometheusOptions = {}): PrometheusTelemetry {
  const { labels = {}, seriesMax = 2_000 } = options;
  if (!Number.isInteger(seriesMax) || seriesMax < 1) {
    throw new PawlError(
      "INVALID_ARGUMENT",
      `Cannot make Prometheus telemetry: got seriesMax ${seriesMax}, want a whole number from 1`,
    );
  }
  checkLabelNames("of every series", Object.keys(labels), []);
  const families = new Map<string, Family>();
  const family = (kind: FamilyKind, asked: InstrumentOptions | HistogramOptions) => {
    const known = families.get(asked.name);
    if (known) return known.same(kind, asked);
    checkMetricName(asked.name, kind, families);
    checkLabelNames(`of ${asked.name}`, asked.labels, Object.keys(labels));
    const made = new Family(kind, asked, { constant: labels, seriesMax });
    families.set(asked.name, made);
    return made;
  };
  return {
    contentType: "text/plain; version=0.0.4; charset=utf-8",
    counter: (asked) => family("counter", asked),
    gauge: (asked) => family("gauge", asked),
    histogram: (asked) => family("histogram", asked),
    render() {
      const names = [...families.keys()].sort();
      return names.map((name) => families.get(name)!.render()).join("");
    },
  };
}
