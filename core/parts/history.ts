/**
 * What happened to a run, one row per event, in the order of the store's versions.
 *
 * @module
 */
import { PawlError } from "../errors.ts";
import { parseStored } from "../json.ts";
import { readStamp, splitKey } from "../store/key.ts";
import type { Entry } from "../store/store.ts";
import { type RunError, type RunRecord, type RunState } from "./run_record.ts";
import { quote } from "./run_row.ts";

/** What a history row tells of. */
export type HistoryKind =
  | "trigger"
  | "move" // a step's result landed
  | "repeat" // saved, the same step runs again
  | "skip" // the step, callback or timer left the run where it is
  | "rearm" // the timer was set again
  | "error" // an attempt failed
  | "interrupted" // an attempt was started that may take its process down
  | "pause"
  | "resume"
  | "cancel"
  | "terminate"
  | "fail"
  | "lock-requested" // its step needs a lock
  | "lock-waits" // which others have, or wait for before it
  | "lock-acquired"
  | "lock-released" // it is others' from here on; not a change of the run
  | "lock-lost" // it was taken away
  | "lock-timeout" // it was not granted in time
  | "stall" // the status is unknown to the deployed code
  | "delete-request" // somebody asked for its data to be erased
  | "delete" // its data was erased
  | "set-back" // its waits begin anew: they were set by a clock that was far ahead
  | "keep" // it is kept for longer than was once decided
  | "late"; // a result came after the run had moved on or ended; it was discarded

/** What is written of an event, before it has a place. */
export interface HistoryEvent {
  /** What it tells of. */
  readonly kind: HistoryKind;
  /** Who caused it. */
  readonly by: "step" | "callback" | "timer" | "engine" | "operator" | "client" | "schedule";
  /** Which timer, or which lock, it was. */
  readonly name?: string;
  /** The token of the lock; of several, of the first. */
  readonly token?: number;
  /** The status before it. */
  readonly from?: string;
  /** The status after it. */
  readonly to?: string;
  /** How long the attempt took. */
  readonly durationMs?: number;
  /** Why. */
  readonly reason?: string;
  /** What the attempt failed with. */
  readonly error?: RunError;
}

/** One event of a run's history. */
export interface HistoryRow extends HistoryEvent {
  /** When, by the writing engine's clock. */
  readonly at: Date;
  /** The run's state after it. */
  readonly runState: RunState;
  /** The run's version after it. */
  readonly version: number;
  /** Failed attempts of the visit, after it. */
  readonly attempt: number;
  /** Its place in the run's history; grows, with gaps. Also the cursor of `history({ after })`. */
  readonly position: number;
}

/**
 * @param event What happened.
 * @param run The record after it.
 * @param at When.
 * @returns The row's JSON text.
 */
export function encodeHistory(event: HistoryEvent, run: RunRecord, at: number): string {
  const { kind, by, name, token, from, to, durationMs, reason, error } = event;
  // Joined at once, as records are.
  return [
    `{"at":`,
    at,
    `,"kind":"`,
    kind,
    `","by":"`,
    by,
    `","runState":"`,
    run.state,
    `","version":`,
    run.version,
    `,"attempt":`,
    run.attempt,
    name === undefined ? "" : `,"name":${quote(name)}`,
    token === undefined ? "" : `,"token":${token}`,
    from === undefined ? "" : `,"from":${quote(from)}`,
    to === undefined ? "" : `,"to":${quote(to)}`,
    durationMs === undefined ? "" : `,"durationMs":${durationMs}`,
    reason === undefined ? "" : `,"reason":${JSON.stringify(reason)}`,
    error === undefined ? "" : `,"error":${JSON.stringify(error)}`,
    "}",
  ].join("");
}

/**
 * @param entry A stored history entry.
 * @returns The row.
 * @throws {PawlError} `STORE_CORRUPT` naming the key.
 */
export function decodeHistory(entry: Entry): HistoryRow {
  const what = `history row "${entry.key}"`;
  const row = Object(parseStored(entry.value, what)) as HistoryRow & { at: number };
  if (typeof row.at !== "number" || typeof row.kind !== "string" || !Number.isInteger(row.version)) {
    throw new PawlError("STORE_CORRUPT", `Cannot read ${what}: it lacks a time, kind or version`);
  }
  return { ...row, at: new Date(row.at), position: readStamp(splitKey(entry.key)[2]!) };
}
