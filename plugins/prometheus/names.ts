import { PawlError } from "pawl";
import type { Family, FamilyKind } from "./family.ts";

const histogramSuffixes = ["_bucket", "_sum", "_count"];

/**
 * @param name A metric's name.
 * @param kind What it is.
 * @param families What there is already.
 * @throws {PawlError} `INVALID_ARGUMENT` unless it is a name of the text format, and of no other metric's samples.
 */
export function checkMetricName(name: string, kind: FamilyKind, families: ReadonlyMap<string, Family>): void {
  if (!/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name)) {
    throw new PawlError(
      "INVALID_ARGUMENT",
      `Cannot make metric ${JSON.stringify(name)}: want letters, digits, "_" and ":", and no digit first`,
    );
  }
  const namesOf = (each: string, of: FamilyKind) =>
    of === "histogram" ? [each, ...histogramSuffixes.map((suffix) => each + suffix)] : [each];
  const own = namesOf(name, kind);
  for (const [other, family] of families) {
    const clash = namesOf(other, family.kind).find((each) => own.includes(each));
    if (clash === undefined) continue;
    throw new PawlError(
      "INVALID_ARGUMENT",
      `Cannot make metric "${name}": it and "${other}" would both have "${clash}"`,
    );
  }
}

/**
 * @param what Whose they are, for the message.
 * @param labels Names of labels.
 * @param taken Names that they must not have.
 * @throws {PawlError} `INVALID_ARGUMENT` unless they are names of the text format, and each is there once.
 */
export function checkLabelNames(what: string, labels: readonly string[], taken: readonly string[]): void {
  const seen = new Set([...taken, "le"]);
  for (const label of labels) {
    if (/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(label) && !label.startsWith("__") && !seen.has(label)) {
      seen.add(label);
      continue;
    }
    throw new PawlError(
      "INVALID_ARGUMENT",
      `Cannot use label ${
        JSON.stringify(label)
      } ${what}: want letters, digits and "_", no digit and no "__" ` +
        `first, each name once, and none of ${[...seen].map((each) => `"${each}"`).join(", ")}`,
    );
  }
}
