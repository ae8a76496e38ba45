/**
 * What the relay keeps of itself: how far it has sent a log, and which runs it holds back.
 *
 * @module
 */
import { PawlError } from "../errors.ts";
import { parseStored } from "../json.ts";
import { splitKey, unescapeText } from "../store/key.ts";
import type { Entry, Version } from "../store/store.ts";

/** A `relay` row. */
export interface RelayRow {
  /** All rows of the log up to this version were sent, but for those of runs that are held back. */
  readonly version: Version;
  /** When that was, by the relay's clock. */
  readonly at: number;
}

/** A `held` row: a run whose events are held back, from the one that cannot be sent on. */
export interface HeldRow {
  readonly runId: string;
  /** The place in the log of the event that cannot be sent. */
  readonly version: Version;
  /** Since when the run is held back. */
  readonly since: number;
  /** How often sending it has failed. */
  readonly attempts: number;
  /** When it is tried next. */
  readonly due: number;
  /** What the last attempt failed with, cut to the limit. */
  readonly error: string;
}

/**
 * @param entry A stored `relay` row.
 * @returns It.
 * @throws {PawlError} `STORE_CORRUPT` naming the key.
 */
export function readRelay(entry: Entry): RelayRow {
  const what = `relay row "${entry.key}"`;
  const row = Object(parseStored(entry.value, what)) as RelayRow;
  if (Number.isInteger(row.version) && Number.isFinite(row.at)) return row;
  throw new PawlError("STORE_CORRUPT", `Cannot read ${what}: it lacks a version or time`);
}

/**
 * @param entry A stored `held` row.
 * @returns It.
 * @throws {PawlError} `STORE_CORRUPT` naming the key.
 */
export function readHeld(entry: Entry): HeldRow {
  const what = `held row "${entry.key}"`;
  const row = Object(parseStored(entry.value, what)) as Omit<HeldRow, "runId">;
  if (
    [row.version, row.since, row.attempts, row.due].every(Number.isFinite) && typeof row.error === "string"
  ) {
    return { ...row, runId: unescapeText(splitKey(entry.key)[2]!) };
  }
  throw new PawlError("STORE_CORRUPT", `Cannot read ${what}: it lacks a version, time or error`);
}

/** JSON text of a `held` row; its run is in its key. */
export function heldText({ runId: _, ...row }: HeldRow): string {
  return JSON.stringify(row);
}
