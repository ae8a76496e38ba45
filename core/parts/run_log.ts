/**
 * The log of a definition with `stream: true`: one row per transition of its runs, written by the batch that makes it, in
 * the shard of the run. It never holds user data.
 *
 * @module
 */
import { PawlError } from "../errors.ts";
import { parseStored } from "../json.ts";
import type { StreamEvent } from "../ports/event_streamer.ts";
import { readStamp, splitKey, unescapeText } from "../store/key.ts";
import type { Entry, Version } from "../store/store.ts";
import type { HistoryKind } from "./history.ts";
import type { Change } from "./run_change.ts";
import { type RunRecord, type RunState } from "./run_record.ts";
import { quote } from "./run_row.ts";
import { topicOfChange } from "./stream_topics.ts";

/** One transition, as it is kept. */
export interface LogRow {
  /** Who is told. */
  readonly topic: string;
  readonly runId: string;
  /** The run's key. */
  readonly key: string;
  readonly status: string;
  readonly runState: RunState;
  /** The record's version after it: one row at most for each. */
  readonly recordVersion: number;
  /** When, by the writing engine's clock. */
  readonly at: number;
  /** What made it. */
  readonly kind: HistoryKind;
}

/** A row with its place. */
export interface LoggedChange extends LogRow {
  readonly definition: string;
  /** Its place in the shard's order. */
  readonly version: Version;
}

/**
 * @param before The record before a change; absent: the run begins.
 * @param change What is written.
 * @param at When.
 * @returns The JSON text of its row, or `undefined` when nobody is to hear of it.
 */
export function logText(
  before: RunRecord | undefined,
  { after, event }: Change,
  at: number,
): string | undefined {
  const topic = after && event && topicOfChange(before, after);
  if (topic === undefined) return undefined;
  return `{"topic":${quote(topic)},"runId":"${after!.id}","key":${quote(after!.key)},` +
    `"status":${quote(after!.status)},"runState":"${after!.state}","recordVersion":${after!.version},` +
    `"at":${at},"kind":"${event!.kind}"}`;
}

/**
 * @param entry A stored row of a log.
 * @returns It, with its place.
 * @throws {PawlError} `STORE_CORRUPT` naming the key.
 */
export function readLog(entry: Entry): LoggedChange {
  const what = `log row "${entry.key}"`;
  const row = Object(parseStored(entry.value, what)) as LogRow;
  const texts = [row.topic, row.runId, row.key, row.status, row.runState, row.kind];
  if (texts.some((text) => typeof text !== "string") || !Number.isInteger(row.recordVersion)) {
    throw new PawlError("STORE_CORRUPT", `Cannot read ${what}: it lacks a topic, run, status or version`);
  }
  if (!Number.isFinite(row.at)) throw new PawlError("STORE_CORRUPT", `Cannot read ${what}: it has no time`);
  const [, definition, version] = splitKey(entry.key);
  return { ...row, definition: unescapeText(definition!), version: readStamp(version!) };
}

/**
 * What receivers are given of a row, whoever delivers it: the same id each time, so that repeats can be told.
 *
 * @param row A transition.
 * @returns The event.
 */
export function eventOfLog(row: LoggedChange): StreamEvent {
  const at = new Date(row.at);
  return {
    id: `${row.runId}-${row.recordVersion}`,
    key: row.runId,
    type: row.status,
    headers: {
      definition: row.definition,
      key: row.key,
      runId: row.runId,
      runState: row.runState,
      recordVersion: String(row.recordVersion),
      kind: row.kind,
      at: at.toISOString(),
    },
    topic: row.topic,
    at,
  };
}
