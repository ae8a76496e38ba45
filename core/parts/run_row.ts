/**
 * The run record as it is stored: its row, as one JSON text, and its rows of the indexes.
 *
 * @module
 */
import { PawlError } from "../errors.ts";
import { parseStored } from "../json.ts";
import { keyspace } from "../store/keyspace.ts";
import { table } from "../store/table.ts";
import {
  bucketOf,
  noTimers,
  type RunIdentity,
  type RunRecord,
  type RunStanding,
  runStates,
} from "./run_record.ts";

/**
 * @param run What identifies a run.
 * @returns The constant front of its stored text.
 */
export function recordHead(run: RunIdentity): string {
  const { previous, traceOrigin, origin, policies } = run;
  const own = JSON.stringify({ previous, traceOrigin, origin, policies }).slice(1, -1);
  return `{"id":"${run.id}","definition":${quote(run.definition)},` +
    `"key":${quote(run.key)},"createdAt":${run.createdAt}${own === "" ? "" : `,${own}`}`;
}

/** What is made once per run, and taken over by all its later records. */
export function constantsOf(run: RunIdentity): Pick<RunRecord, "head" | "rowKey"> {
  return { head: recordHead(run), rowKey: keyspace.run.key(run.id) };
}

/**
 * A run's first record here, be it new, read or imported.
 *
 * @param run What identifies it.
 * @param state What can change of it.
 * @returns Its record.
 */
export function recordOf(run: RunIdentity, state: RunStanding): RunRecord {
  const { head, rowKey } = constantsOf(run);
  // Field by field and in the order of `nextRecord()`, so that all records have one shape.
  return {
    id: run.id,
    definition: run.definition,
    key: run.key,
    createdAt: run.createdAt,
    previous: run.previous,
    traceOrigin: run.traceOrigin,
    origin: run.origin,
    policies: run.policies,
    head,
    rowKey,
    state: state.state,
    status: state.status,
    version: state.version,
    visit: state.visit,
    attempt: state.attempt,
    crashes: state.crashes,
    updatedAt: state.updatedAt,
    due: state.due,
    stepDue: state.stepDue,
    timers: state.timers,
    lock: state.lock,
    reason: state.reason,
    lastError: state.lastError,
    dataVersion: state.dataVersion,
    sealed: state.sealed,
    payload: state.payload,
  };
}

/** JSON text of a short name; names rarely need an escape. */
export function quote(name: string): string {
  return /^[\w .:-]*$/.test(name) ? `"${name}"` : JSON.stringify(name);
}

/**
 * Writes a record from its parts: a fifth of the cost of stringifying it whole, as its payload is text already. They are
 * joined at once, since text that is added up stays a tree of its pieces, which takes a memory store twice the room.
 */
export function encodeRecord(record: RunRecord): string {
  const { head, state, status, version, visit, attempt, crashes, updatedAt, due, stepDue, payload } = record;
  return [
    head,
    `,"state":"`,
    state,
    `","status":`,
    quote(status),
    `,"version":`,
    version,
    `,"visit":`,
    visit,
    `,"attempt":`,
    attempt,
    `,"crashes":`,
    crashes,
    `,"updatedAt":`,
    updatedAt,
    due === undefined ? "" : `,"due":${due}`,
    stepDue === impliedStepDue(record) ? "" : `,"stepDue":${stepDue ?? null}`,
    rareFields(record),
    payloadMark,
    payload,
    "}",
  ].join("");
}

function rareFields({ timers, lock, reason, lastError, dataVersion, sealed }: RunRecord): string {
  let text = "";
  if (timers.length > 0) text += `,"timers":${JSON.stringify(timers)}`;
  if (lock !== undefined) text += `,"lock":${JSON.stringify(lock)}`;
  if (reason !== undefined) text += `,"reason":${JSON.stringify(reason)}`;
  if (lastError !== undefined) text += `,"lastError":${JSON.stringify(lastError)}`;
  if (dataVersion !== 1) text += `,"dataVersion":${dataVersion}`;
  if (sealed) text += `,"sealed":true`;
  return text;
}

/** When the step is due if nothing else is said: most runs have a step and nothing else to do. */
export function impliedStepDue(record: Pick<RunRecord, "state" | "due">): number | undefined {
  return bucketOf(record.state) === "active" ? record.due : undefined;
}

const payloadMark = ',"data":';

/**
 * Reads a stored record.
 *
 * @param text The stored text.
 * @param where Its key, for the error message.
 * @returns The record; its payload stays text.
 * @throws {PawlError} `STORE_CORRUPT` when it is no record.
 */
export function decodeRecord(text: string, where?: string): RunRecord {
  const what = where === undefined ? "run record" : `run record "${where}"`;
  // No field before the payload holds an object with a "data" field, and inside strings the quotes are escaped.
  const at = text.indexOf(payloadMark);
  const head = parseStored(at < 0 ? "" : text.slice(0, at) + "}", what) as Omit<
    RunRecord,
    "payload" | "head" | "rowKey"
  >;
  const isRun = typeof head.id === "string" && typeof head.definition === "string" &&
    typeof head.key === "string" && typeof head.status === "string";
  if (!isRun || !Number.isInteger(head.version) || !runStates.includes(head.state)) {
    throw new PawlError(
      "STORE_CORRUPT",
      `Cannot read ${what}: it lacks an id, definition, key, status, state or version: ${text.slice(0, 80)}`,
    );
  }
  return recordOf(head, {
    state: head.state,
    status: head.status,
    version: head.version,
    visit: head.visit,
    attempt: head.attempt,
    crashes: head.crashes,
    updatedAt: head.updatedAt,
    due: head.due,
    stepDue: head.stepDue === undefined ? impliedStepDue(head) : head.stepDue ?? undefined,
    timers: head.timers ?? noTimers,
    lock: head.lock,
    reason: head.reason,
    lastError: head.lastError,
    dataVersion: head.dataVersion ?? 1,
    sealed: head.sealed ?? false,
    payload: text.slice(at + payloadMark.length, -1),
  });
}

/** Writes run records with their list and due rows. */
export const runTable = /* @__PURE__ */ table<RunRecord, string | number>({
  key: (run) => run.rowKey,
  encode: encodeRecord,
  indexes: [
    {
      place: ({ state }) => bucketOf(state),
      key: (run, bucket) => keyspace.list.key(run.definition, bucket as string, run.id),
    },
    {
      place: ({ due }) => due,
      key: (run, due) => keyspace.work.key(run.definition, due as number, run.id),
    },
  ],
});
