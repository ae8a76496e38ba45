import { PawlError } from "../errors.ts";

/**
 * Checks a user-given name or key at the door.
 *
 * @throws {PawlError} `INVALID_ARGUMENT` when it is not text, is empty, or is too long.
 */
export function checkName(value: unknown, what: string, lengthMax: number): asserts value is string {
  if (typeof value === "string" && value !== "" && value.length <= lengthMax) return;
  const seen = typeof value === "string" && value !== ""
    ? `text of ${value.length} characters, starting ${JSON.stringify(value.slice(0, 40))}`
    : value === ""
    ? "empty text"
    : typeof value === "object"
    ? "an object"
    : String(value);
  throw new PawlError(
    "INVALID_ARGUMENT",
    `Cannot use ${what}: got ${seen}, want text of 1 to ${lengthMax} characters`,
  );
}

/** An optional reason, cut to what a record keeps. */
export function cutReason(reason: unknown, lengthMax: number, otherwise: string): string {
  return reason === undefined ? otherwise : String(reason).slice(0, lengthMax);
}

/**
 * @throws {PawlError} `UNKNOWN_STATUS` when the definition has no such status.
 */
export function checkStatusOf(definition: string, statuses: ReadonlySet<string>, status: unknown): void {
  if (statuses.has(status as string)) return;
  throw new PawlError(
    "UNKNOWN_STATUS",
    `Cannot await status ${JSON.stringify(status)}: "${definition}" has ` +
      [...statuses].map((each) => `"${each}"`).join(", "),
  );
}
