import type {
  HistogramOptions,
  InstrumentOptions,
  Labels,
  Span,
  SpanEnd,
  SpanStart,
  Telemetry,
} from "../ports/telemetry.ts";

/** A span that was recorded; `end` is absent while it goes on. */
export interface RecordedSpan {
  /** How it began. */
  readonly start: SpanStart;
  /** How it ended. */
  end?: SpanEnd;
}

/** A telemetry that keeps all that it is told. */
export interface RecordingTelemetry extends Telemetry {
  /** The instruments that were asked for, by name. */
  readonly instruments: ReadonlyMap<string, InstrumentOptions | HistogramOptions>;
  /** The spans, in the order of their starts. */
  readonly spans: readonly RecordedSpan[];
  /** The sum of a counter or the value of a gauge for exactly these labels; absent: it was never told any. */
  value(name: string, labels?: Labels): number | undefined;
  /** All that a gauge, counter or histogram was told for exactly these labels, in order. */
  told(name: string, labels?: Labels): readonly number[];
  /** The label sets that an instrument was told values for, in the order of their first ones. */
  series(name: string): readonly Labels[];
}

interface Series {
  readonly labels: Labels;
  readonly told: number[];
  value: number;
}

/**
 * Keeps all that an engine measures, for tests.
 *
 * @returns A telemetry to give to an engine, and to ask.
 * @throws {TypeError} While it is told labels other than those that the instrument declared, or a counter less than 0.
 *
 * @example
 * ```ts
 * import { machine } from "pawl";
 * import { recordingTelemetry, testEngine } from "pawl/testing";
 * const tea = machine("tea").step("brewing", ["ready"], () => "ready").build();
 * const telemetry = recordingTelemetry();
 * const { engine, clock, stop } = await testEngine({ definitions: [tea], telemetry });
 * await engine.trigger(tea, "cup");
 * await clock.settle();
 * console.assert(telemetry.spans[0]?.start.name === "tea brewing");
 * await stop();
 * ```
 */
export function recordingTelemetry(): RecordingTelemetry {
  const instruments = new Map<string, InstrumentOptions | HistogramOptions>();
  const all = new Map<string, Map<string, Series>>();
  const spans: RecordedSpan[] = [];
  const known = (options: InstrumentOptions) => {
    instruments.set(options.name, options);
    const series = all.get(options.name) ?? new Map<string, Series>();
    all.set(options.name, series);
    return (labels: Labels, value: number, change: (series: Series) => void) => {
      const id = idOf(labels);
      const wanted = JSON.stringify([...options.labels].sort());
      if (JSON.stringify(Object.keys(labels).sort()) !== wanted) {
        throw new TypeError(`Cannot record ${options.name}: got labels ${id}, want ${wanted}`);
      }
      const found = series.get(id) ?? { labels: { ...labels }, told: [], value: 0 };
      series.set(id, found);
      found.told.push(value);
      change(found);
    };
  };
  return {
    instruments,
    spans,
    value: (name, labels = {}) => all.get(name)?.get(idOf(labels))?.value,
    told: (name, labels = {}) => all.get(name)?.get(idOf(labels))?.told ?? [],
    series: (name) => [...all.get(name)?.values() ?? []].map((each) => each.labels),
    counter(options) {
      const tell = known(options);
      return {
        add(by, labels) {
          if (!(by >= 0)) throw new TypeError(`Cannot add to ${options.name}: got ${by}, want 0 or more`);
          tell(labels, by, (series) => series.value += by);
        },
      };
    },
    gauge(options) {
      const tell = known(options);
      return { set: (value, labels) => tell(labels, value, (series) => series.value = value) };
    },
    histogram(options) {
      const tell = known(options);
      return { record: (value, labels) => tell(labels, value, (series) => series.value += value) };
    },
    span: (start) => recordSpan(spans, start),
  };
}

function recordSpan(spans: RecordedSpan[], start: SpanStart): Span {
  const recorded: RecordedSpan = { start };
  spans.push(recorded);
  return {
    run: (body) => body(),
    end(end) {
      if (recorded.end) throw new TypeError(`Cannot end span "${start.name}": it has ended`);
      recorded.end = end;
    },
  };
}

function idOf(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => a < b ? -1 : 1));
}
