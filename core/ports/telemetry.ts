/**
 * Measurements and traces as a port: the engine says what happens, a plugin decides where that goes. Without a
 * telemetry the engine makes no instrument and calls none.
 *
 * @module
 */

/**
 * The labels of one measurement: a value for each label that its instrument declared. Whoever hands them over does not
 * change them any more, and may hand the same object over again: a telemetry may know the series by it.
 */
export type Labels = Readonly<Record<string, string>>;

/** What an instrument is called, and what tells its series apart. */
export interface InstrumentOptions {
  /** Letters, digits and underscores; the unit last, as in `_seconds`. */
  readonly name: string;
  /** A sentence for those who read the dashboard. */
  readonly help: string;
  /** Names of its labels; each measurement gives a value for each. */
  readonly labels: readonly string[];
}

/** What a histogram is called and how it sorts what it is told. */
export interface HistogramOptions extends InstrumentOptions {
  /** Upper bounds of its buckets, rising; one for all that is larger is added. */
  readonly buckets: readonly number[];
}

/** Only ever grows. */
export interface Counter {
  /** Adds a number of 0 or more; 0 makes the series known before anything happens. */
  add(by: number, labels: Labels): void;
}

/** A value as it is now. */
export interface Gauge {
  /** Replaces the value. */
  set(value: number, labels: Labels): void;
}

/** A distribution of values. */
export interface Histogram {
  /** Adds one value. */
  record(value: number, labels: Labels): void;
}

/** What a span is about. */
export interface SpanStart {
  /** Short and of few kinds: the definition and the status. */
  readonly name: string;
  /** The run; all spans of one run belong together, whichever process makes them. */
  readonly runId: string;
  /** The run's key. It may be personal data, so it is not among the attributes. */
  readonly key: string;
  /** What else is known at the start; no user data. */
  readonly attributes: Readonly<Record<string, string | number>>;
}

/** How a span ended. */
export interface SpanEnd {
  /** What is known at the end; no user data. */
  readonly attributes: Readonly<Record<string, string | number>>;
  /** What was thrown, if the code of the span failed. */
  readonly error?: unknown;
}

/** Something that takes time, from its start to its end. */
export interface Span {
  /**
   * Runs code so that what it traces becomes a part of this span.
   *
   * @param body The code; called once, at once.
   * @returns What it returned.
   */
  run<Value>(body: () => Value): Value;
  /** Ends the span; called once. */
  end(end: SpanEnd): void;
}

/**
 * Where an engine's measurements and spans go. An instrument that is asked for twice by one name is one instrument.
 * What throws while it measures loses that measurement, never a step.
 */
export interface Telemetry {
  /** The counter of that name. */
  counter(options: InstrumentOptions): Counter;
  /** The gauge of that name. */
  gauge(options: InstrumentOptions): Gauge;
  /** The histogram of that name. */
  histogram(options: HistogramOptions): Histogram;
  /** Begins a span. Absent: this telemetry has no use for spans, and the engine spends nothing on them. */
  span?(start: SpanStart): Span;
}
