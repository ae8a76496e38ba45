/**
 * What became of the occurrences of a schedule: one row each, or one for many that were passed over together.
 *
 * @module
 */
import { PawlError } from "../errors.ts";
import { parseStored } from "../json.ts";
import { readStamp, splitKey, unescapeText } from "../store/key.ts";
import { keyspace } from "../store/keyspace.ts";
import type { Entry } from "../store/store.ts";
import type { OccurrenceKind } from "./schedule_record.ts";

/** What became of an occurrence. */
export type Outcome =
  | {
    readonly kind: "started";
    readonly by: OccurrenceKind;
    readonly start: number;
    readonly runId: string;
    readonly decidedAt: number;
  }
  | {
    readonly kind: "skipped" | "failed";
    readonly by: OccurrenceKind;
    readonly reason: string;
    readonly decidedAt: number;
  };

/** Occurrences from one time to another that were passed over together. */
export interface Gap {
  readonly kind: "missed" | "skipped";
  readonly reason: string;
  /** The last of them. */
  readonly until: number;
  /** How many. */
  readonly count: number;
  /** There were more than were counted. */
  readonly isMore: boolean;
  readonly decidedAt: number;
}

/** An outcome with its place. */
export type OutcomeRow =
  | { readonly at: number; readonly form: "at"; readonly outcome: Outcome }
  | { readonly at: number; readonly form: "gap"; readonly outcome: Gap };

/** The key of an outcome. */
export function outcomeKey(id: string, { at, form }: OutcomeRow): string {
  return keyspace.occurrence.key(id, at, form);
}

/**
 * @param entry A stored outcome.
 * @returns It.
 * @throws {PawlError} `STORE_CORRUPT` naming the key.
 */
export function decodeOutcome(entry: Entry): OutcomeRow {
  const [, , at, form] = splitKey(entry.key);
  const outcome = Object(parseStored(entry.value, `outcome "${entry.key}"`)) as Partial<Gap> & {
    readonly runId?: string;
  };
  const isWhole = form === "gap"
    ? Number.isInteger(outcome.count) && Number.isInteger(outcome.until)
    : typeof (outcome.runId ?? outcome.reason) === "string";
  if (isWhole && Number.isInteger(outcome.decidedAt)) {
    return { at: readStamp(at!), form: unescapeText(form!), outcome } as unknown as OutcomeRow;
  }
  throw new PawlError(
    "STORE_CORRUPT",
    `Cannot read outcome "${entry.key}": it lacks a run, reason, count or time`,
  );
}

/** The last start of a schedule that was decided in a shard. */
export interface Mark {
  readonly life: string;
  readonly start: number;
  /** The run that it made. */
  readonly runId?: string;
  /** Why it made none. */
  readonly refused?: { readonly kind: "busy" | "failed"; readonly reason: string };
}

/**
 * @param entry A stored mark.
 * @returns It.
 * @throws {PawlError} `STORE_CORRUPT` naming the key.
 */
export function decodeMark(entry: Entry): Mark {
  const mark = Object(parseStored(entry.value, `mark "${entry.key}"`)) as Mark;
  const isDecided = typeof mark.runId === "string" || typeof mark.refused?.reason === "string";
  if (typeof mark.life === "string" && Number.isInteger(mark.start) && isDecided) return mark;
  throw new PawlError("STORE_CORRUPT", `Cannot read mark "${entry.key}": it lacks a life, start or decision`);
}
