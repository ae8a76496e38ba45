import { PawlError } from "../errors.ts";

/**
 * What is stored of a recurrence: plain JSON, so that any engine which carries the type can read it, in any
 * later process.
 */
export interface StoredRecurrence {
  /** The name of its {@linkcode RecurrenceType}. */
  readonly type: string;
  /** All that its type needs to say when it occurs. */
  readonly spec: unknown;
}

/** Instants in their order, none of them twice. */
export interface Occurrences {
  /**
   * The first occurrence strictly after an instant.
   *
   * @param after A `Date`, or milliseconds since 1970.
   * @returns Milliseconds since 1970, or `undefined` when nothing comes after.
   * @throws {PawlError} `INVALID_ARGUMENT` when `after` is no instant.
   */
  next(after: Date | number): number | undefined;
}

/**
 * The code of a kind of recurrence. What it says of a spec must depend on nothing but the spec: not on the time of
 * day, the process, or what was asked before.
 */
export interface RecurrenceType {
  /** Stands in every stored recurrence of this type, so it never changes. */
  readonly type: string;
  /**
   * Reads what is stored.
   *
   * @param spec As it was stored.
   * @returns When it occurs.
   * @throws {PawlError} `INVALID_RECURRENCE` naming what is wrong, and where.
   */
  parse(spec: unknown): Occurrences;
}

/** When something is to happen, again and again: what is stored of it, with the code that reads it. */
export interface Recurrence extends Occurrences {
  /** All of it that is stored. */
  readonly stored: StoredRecurrence;
  /** What reads it again. */
  readonly code: RecurrenceType;
  /** What it was made of, where making it again would store something else; by this it is known to be the same. */
  readonly given?: unknown;
}

/**
 * A recurrence of a type, for those who write one. It goes through `parse`, so nothing can be stored that could not
 * be read again.
 *
 * @param code The type.
 * @param spec What is to be stored.
 * @param given What it was made of, where that makes another spec each time.
 * @returns The recurrence.
 * @throws {PawlError} `INVALID_RECURRENCE` from the type.
 *
 * @example
 * ```ts
 * import { type Occurrences, recurrence, type RecurrenceType } from "pawl";
 * import assert from "node:assert/strict";
 * const once: RecurrenceType = {
 *   type: "once",
 *   parse: (spec): Occurrences => ({ next: (after) => Number(after) < Number(spec) ? Number(spec) : undefined }),
 * };
 * const newYear = recurrence(once, Date.UTC(2030, 0, 1));
 * assert.equal(newYear.next(Date.UTC(2029, 0, 1)), Date.UTC(2030, 0, 1));
 * assert.equal(newYear.next(Date.UTC(2030, 0, 1)), undefined);
 * ```
 */
export function recurrence(code: RecurrenceType, spec: unknown, given?: unknown): Recurrence {
  const occurrences = code.parse(spec);
  const stored = { type: code.type, spec };
  return { stored, code, ...(given !== undefined && { given }), next: (after) => occurrences.next(after) };
}

/** The last instant that a `Date` can tell. */
export const lastInstant = 8_640_000_000_000_000;

/**
 * Whole milliseconds of what `next` is given.
 *
 * @param after A `Date` or milliseconds; a fraction is dropped, which moves no whole millisecond across it.
 * @returns Milliseconds since 1970.
 * @throws {PawlError} `INVALID_ARGUMENT` when it is no instant.
 */
export function instantOf(after: Date | number): number {
  const ms = typeof after === "number" ? after : after instanceof Date ? after.getTime() : NaN;
  if (Math.abs(ms) <= lastInstant) return Math.floor(ms);
  throw new PawlError(
    "INVALID_ARGUMENT",
    `Cannot tell the next occurrence after ${String(after)}: want a valid Date, or milliseconds since 1970`,
  );
}
