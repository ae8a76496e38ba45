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

/**
 * Refuses an option that nobody reads: most often a name that was mistyped, or put in the wrong place.
 *
 * @param what Whose options, such as `createEngine`.
 * @param options As given.
 * @param known Every name there is.
 * @throws {PawlError} `INVALID_ARGUMENT` naming the option and the known ones.
 */
export function checkOptionNames(
  what: string,
  options: object,
  known: Readonly<Record<string, true>>,
): void {
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(known, name)) continue;
    throw new PawlError(
      "INVALID_ARGUMENT",
      `Cannot use option "${name}" of ${what}: there is none; those there are: ${
        Object.keys(known).join(", ")
      }`,
    );
  }
}
