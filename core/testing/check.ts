/**
 * The few assertions of the conformance suites. They need no test library, so a suite runs under any of them.
 *
 * @module
 */
import { PawlError } from "../errors.ts";

/**
 * Asserts that two plain values are alike: same JSON, whatever the order of fields.
 *
 * @param actual The value seen.
 * @param wanted The value wished.
 * @param what What was looked at.
 * @throws {Error} When they differ.
 */
export function same(actual: unknown, wanted: unknown, what: string): void {
  const [seen, wished] = [canonical(actual), canonical(wanted)];
  if (seen !== wished) throw new Error(`${what}: got ${cut(seen)}, want ${cut(wished)}`);
}

/**
 * Asserts a condition.
 *
 * @param condition What must be true.
 * @param what What was expected, with the values seen.
 * @throws {Error} When it is false.
 */
export function holds(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}

/**
 * Asserts that a call fails with a stable code.
 *
 * @param call The call.
 * @param code The code.
 * @param what What was tried.
 * @throws {Error} When it succeeds or fails otherwise.
 */
export async function fails(call: () => Promise<unknown>, code: string, what: string): Promise<void> {
  let seen: unknown;
  try {
    await call();
  } catch (error) {
    if (error instanceof PawlError && error.code === code) return;
    seen = error;
  }
  throw new Error(`${what}: want an error with code ${code}, got ${seen ?? "none"}`, { cause: seen });
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (part === undefined) return { undefined: true };
    if (part === null || typeof part !== "object" || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => a < b ? -1 : 1));
  });
}

const cut = (text: string) =>
  text.length > 400 ? `${text.slice(0, 400)}... (${text.length} characters)` : text;
