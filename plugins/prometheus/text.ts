/**
 * The pieces of the text format, version 0.0.4: lines of UTF-8 that end in a line feed.
 *
 * @module
 */

/** @returns The text of a `HELP` line. */
export function helpText(help: string): string {
  return help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").toWellFormed();
}

/** @returns A sample's value, as Go reads it. */
export function valueText(value: number): string {
  if (value === Infinity) return "+Inf";
  if (value === -Infinity) return "-Inf";
  return String(value);
}

/** @returns One pair of a label set. */
export function labelText(name: string, value: string): string {
  const escaped = value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
  return `${name}="${escaped}"`;
}

/** @returns One line; `labels`: pairs that are parted by commas, or nothing. */
export function sampleText(name: string, labels: string, value: number): string {
  return `${name}${labels === "" ? "" : `{${labels}}`} ${valueText(value)}\n`;
}
