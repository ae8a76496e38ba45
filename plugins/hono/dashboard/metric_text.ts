/**
 * Reads what Prometheus reads, as far as the charts need it.
 *
 * @module
 */

/** A sample. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const labelPattern = /([A-Za-z_][A-Za-z0-9_]*)="((?:[^"\\]|\\.)*)"/g;
const linePattern = /^([A-Za-z_:][A-Za-z0-9_:]*)(?:\{(.*)\})? (\S+)/;

function valueOf(text: string): number {
  return text === "+Inf" ? Infinity : text === "-Inf" ? -Infinity : Number(text);
}

/**
 * @param text In the text format, version 0.0.4.
 * @param names The metrics that are wanted.
 * @returns Their samples.
 */
export function readMetrics(text: string, names: ReadonlySet<string>): readonly Sample[] {
  const samples: Sample[] = [];
  for (const line of text.split("\n")) {
    const end = line.search(/[ {]/);
    if (end < 0 || !names.has(line.slice(0, end))) continue;
    const [, name, labels = "", value] = linePattern.exec(line) ?? [];
    if (name === undefined || value === undefined) continue;
    const pairs = [...labels.matchAll(labelPattern)].map(([, label, text]) =>
      [label!, text!.replace(/\\(.)/g, (_, char) => char === "n" ? "\n" : char)] as const
    );
    samples.push({ name, labels: Object.fromEntries(pairs), value: valueOf(value) });
  }
  return samples;
}

/** The sum of the samples of a metric that pass. */
export function sumOf(
  samples: readonly Sample[],
  name: string,
  passes: (labels: Sample["labels"]) => boolean = () => true,
): number {
  return samples.filter((sample) => sample.name === name && passes(sample.labels))
    .reduce((sum, { value }) => sum + value, 0);
}
