import { PawlError } from "./errors.ts";

/**
 * Asserts what must hold if Pawl itself is right. A failure is our bug, never the user's.
 *
 * @param condition What must be true.
 * @param message What was broken, with the values seen.
 * @throws {PawlError} `INTERNAL` when the condition is false.
 */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new PawlError("INTERNAL", `Invariant broken: ${message}`);
}
