/**
 * The two rows that a trigger finds a run by: the latest run of a key, and the answer kept for an idempotency key.
 *
 * @module
 */
import { PawlError } from "../errors.ts";
import { parseStored } from "../json.ts";
import type { Entry } from "../store/store.ts";
import type { RunState } from "./run_record.ts";

/** What is kept of a call with an idempotency key. */
export interface KeptAnswer {
  /** The run it was answered with. */
  readonly runId: string;
  /** Fingerprint of its input. */
  readonly input: string;
  /** Where a callback left the run. */
  readonly status?: string;
  /** In what state. */
  readonly runState?: RunState;
}

/**
 * @param entry A stored `key` row.
 * @returns The id of the key's latest run.
 * @throws {PawlError} `STORE_CORRUPT` naming the key.
 */
export function readLatest(entry: Entry): string {
  const { runId } = Object(parseStored(entry.value, `key row "${entry.key}"`)) as { runId?: unknown };
  if (typeof runId === "string") return runId;
  throw new PawlError("STORE_CORRUPT", `Cannot read key row "${entry.key}": it names no run`);
}

/**
 * @param entry A stored `idem` row.
 * @returns What was answered.
 * @throws {PawlError} `STORE_CORRUPT` naming the key.
 */
export function readAnswer(entry: Entry): KeptAnswer {
  const what = `idempotency row "${entry.key}"`;
  const kept = Object(parseStored(entry.value, what)) as KeptAnswer;
  if (typeof kept.runId === "string" && typeof kept.input === "string") return kept;
  throw new PawlError("STORE_CORRUPT", `Cannot read ${what}: it names no run and input`);
}
