import { type HistogramOptions, type InstrumentOptions, type Labels, PawlError } from "pawl";
import { helpText, labelText, sampleText, valueText } from "./text.ts";

/** What a metric is. */
export type FamilyKind = "counter" | "gauge" | "histogram";

/** What all metrics of one page share. */
export interface FamilyOptions {
  /** Labels of every series. */
  readonly constant: Labels;
  /** Series that are kept apart. */
  readonly seriesMax: number;
}

interface Series {
  /** Its labels, as they are written. */
  readonly text: string;
  value: number;
  /** How many values are in each bucket, without those of lower ones; the last is for what is above all bounds. */
  readonly counts: number[];
}

/** A metric with all its series. */
export class Family {
  /** What it is. */
  readonly kind: FamilyKind;
  readonly #asked: InstrumentOptions;
  readonly #bounds: readonly number[];
  readonly #constant: string;
  readonly #seriesMax: number;
  readonly #series = new Map<string, Series>();
  /** An engine hands in the same object for the same series again and again. */
  readonly #known = new WeakMap<Labels, Series>();

  /**
   * @param kind What it is.
   * @param asked Its name, help, labels, and for a histogram its buckets.
   * @param options What it shares with others.
   * @throws {PawlError} `INVALID_ARGUMENT` when the buckets of a histogram do not rise.
   */
  constructor(kind: FamilyKind, asked: InstrumentOptions | HistogramOptions, options: FamilyOptions) {
    this.kind = kind;
    this.#asked = asked;
    this.#bounds = boundsOf(kind, asked);
    const constant = Object.entries(options.constant).sort(([a], [b]) => a < b ? -1 : 1);
    this.#constant = constant.map(([name, value]) => labelText(name, value.toWellFormed())).join(",");
    this.#seriesMax = options.seriesMax;
    // A metric without labels has one series, which is there from the start.
    if (kind !== "gauge" && asked.labels.length === 0) this.#seriesOf({});
  }

  /**
   * @returns This metric, if it is what is asked for.
   * @throws {PawlError} `INVALID_ARGUMENT` when it is another.
   */
  same(kind: FamilyKind, asked: InstrumentOptions | HistogramOptions): Family {
    const shape = (of: FamilyKind, { labels }: InstrumentOptions, bounds: readonly number[]) =>
      JSON.stringify([of, [...labels].sort(), bounds]);
    const own = shape(this.kind, this.#asked, this.#bounds);
    const wanted = shape(kind, asked, boundsOf(kind, asked));
    if (own === wanted) return this;
    throw new PawlError(
      "INVALID_ARGUMENT",
      `Cannot make metric "${asked.name}" as ${wanted}: there is one of that name as ${own}`,
    );
  }

  /** As a counter: adds. */
  add(by: number, labels: Labels): void {
    if (!(by >= 0)) {
      throw new PawlError(
        "INVALID_ARGUMENT",
        `Cannot add to "${this.#asked.name}": got ${by}, want 0 or more`,
      );
    }
    this.#seriesOf(labels).value += by;
  }

  /** As a gauge: replaces the value. */
  set(value: number, labels: Labels): void {
    this.#seriesOf(labels).value = value;
  }

  /** As a histogram: sorts a value into its bucket. A value that is no number is in the last one. */
  record(value: number, labels: Labels): void {
    const series = this.#seriesOf(labels);
    const bucket = this.#bounds.findIndex((bound) => value <= bound);
    series.counts[bucket < 0 ? this.#bounds.length : bucket]!++;
    series.value += value;
  }

  /** The metric in the text format; its series by the text of their labels. */
  render(): string {
    const { name, help } = this.#asked;
    const all = [...this.#series.values()].sort((a, b) => a.text < b.text ? -1 : 1);
    const samples = all.map((series) =>
      this.kind === "histogram" ? this.#renderBuckets(series) : sampleText(name, series.text, series.value)
    );
    const about = help === "" ? "" : `# HELP ${name} ${helpText(help)}\n`;
    return `${about}# TYPE ${name} ${this.kind}\n${samples.join("")}`;
  }

  #renderBuckets({ text, counts, value }: Series): string {
    const { name } = this.#asked;
    let lines = "";
    let below = 0;
    for (const [at, bound] of [...this.#bounds, Infinity].entries()) {
      below += counts[at]!;
      const le = labelText("le", valueText(bound));
      lines += sampleText(`${name}_bucket`, text === "" ? le : `${text},${le}`, below);
    }
    return lines + sampleText(`${name}_sum`, text, value) + sampleText(`${name}_count`, text, below);
  }

  #seriesOf(labels: Labels): Series {
    const known = this.#known.get(labels);
    if (known) return known;
    // Half a surrogate pair cannot be written; as text it would be equal to any other half.
    let text = this.#textOf((name) => (labels[name] ?? "").toWellFormed());
    if (!this.#series.has(text) && this.#series.size >= this.#seriesMax) {
      text = this.#textOf(() => "overflow");
    }
    let series = this.#series.get(text);
    if (!series) {
      const counts = this.kind === "histogram" ? new Array<number>(this.#bounds.length + 1).fill(0) : [];
      this.#series.set(text, series = { text, value: 0, counts });
    }
    this.#known.set(labels, series);
    return series;
  }

  #textOf(valueOf: (name: string) => string): string {
    const own = [...this.#asked.labels].sort().map((name) => labelText(name, valueOf(name)));
    return [...(this.#constant === "" ? [] : [this.#constant]), ...own].join(",");
  }
}

/** Upper bounds without the infinite one, which every histogram has. */
function boundsOf(kind: FamilyKind, asked: InstrumentOptions | HistogramOptions): readonly number[] {
  if (kind !== "histogram") return [];
  const bounds = (asked as HistogramOptions).buckets.filter((bound) => bound !== Infinity);
  if (bounds.every((bound, at) => Number.isFinite(bound) && (at === 0 || bound > bounds[at - 1]!))) {
    return bounds;
  }
  throw new PawlError(
    "INVALID_ARGUMENT",
    `Cannot make metric "${asked.name}": got buckets ${bounds.join(", ")}, want numbers that rise`,
  );
}
