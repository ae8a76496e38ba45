/**
 * The lines of an export: a header, one line per run, a trailer. Each is one JSON object; a run's payload stays as it
 * is stored, sealed or not.
 *
 * @module
 */
import { PawlError } from "../errors.ts";
import { keyNumberMax } from "../store/key.ts";
import { type Chore, decodeChore, encodeChore, runIdOfChore } from "./chore.ts";
import {
  bucketOf,
  earliestDue,
  isFinished,
  noTimers,
  type RunError,
  type RunOrigin,
  type RunRecord,
  type RunState,
  runStates,
  type RunTimer,
} from "./run_record.ts";
import { impliedStepDue, recordOf } from "./run_row.ts";
import { arePolicies } from "./run_policy.ts";

/** The newest export format this code writes and reads. */
export const exportFormat = 1;

/** The first line. */
export interface HeaderLine {
  readonly kind: "pawl-export";
  readonly format: number;
  /** Shards of the store it was taken from; a store of any other count can take it. */
  readonly shards: number;
  /** When it was begun, as ISO text. */
  readonly at: string;
  /** Only runs of this definition. */
  readonly definition?: string;
}

/** An answer kept for an idempotency key. */
export interface AnswerLine {
  readonly verb: string;
  readonly key: string;
  /** Fingerprint of the input. */
  readonly input: string;
  /** Where a callback left the run. */
  readonly status?: string;
  /** In what state. */
  readonly runState?: RunState;
}

/** One run with all that belongs to it. */
export interface RunLine {
  readonly kind: "run";
  /** It was the latest run of its key. */
  readonly latest: boolean;
  readonly idempotency: readonly AnswerLine[];
  /** JSON text of each row, oldest first. */
  readonly history: readonly string[];
  /** Hooks that are still to be done, or parked. */
  readonly chores?: readonly Chore[];
  readonly record: RunRecord;
}

/** What could not be read: kept as it is stored, so that nothing is left out unsaid. */
export interface DamagedLine {
  readonly kind: "damaged";
  /** Encoded key of the stored value. */
  readonly key: string;
  readonly problem: string;
  readonly value: string;
}

/** The last line: without it the text was cut off. */
export interface TrailerLine {
  readonly kind: "end";
  readonly runs: number;
  readonly damaged: number;
}

/** Any line. */
export type ExportLine = HeaderLine | RunLine | DamagedLine | TrailerLine;

/**
 * @param line A line.
 * @returns Its text, with its end.
 */
export function encodeLine(line: HeaderLine | DamagedLine | TrailerLine): string {
  return JSON.stringify(line) + "\n";
}

/**
 * @param line What belongs to the run.
 * @param record The record as it is stored.
 * @returns The line's text, with its end.
 * @throws {SyntaxError} When the stored record is no JSON.
 */
export function encodeRunLine(line: Omit<RunLine, "record" | "kind">, record: string): string {
  const { latest, idempotency, history, chores = [] } = line;
  // Parsed once more: a payload is looked at nowhere else, and one that is damaged must not pass for a line.
  const whole = JSON.stringify(JSON.parse(record));
  return `{"kind":"run","latest":${latest},"idempotency":${JSON.stringify(idempotency)},` +
    `"history":[${history.join(",")}],` +
    (chores.length > 0 ? `"chores":[${chores.map(choreText).join(",")}],` : "") +
    `"record":${whole}}\n`;
}

const choreText = (chore: Chore) => JSON.stringify([chore.id, JSON.parse(encodeChore(chore))]);

function readChores(value: unknown, run: RunRecord): readonly Chore[] | undefined {
  if (value === undefined) return undefined;
  want(Array.isArray(value), "a list of chores");
  return value.map((each) => {
    const [id, row] = Array.isArray(each) ? each : [];
    want(typeof id === "string" && runIdOfChore(id) === run.id, "chores of its run");
    try {
      return decodeChore(id, JSON.stringify(row));
    } catch (error) {
      throw refused((error as Error).message);
    }
  });
}

/**
 * Reads a line.
 *
 * @param text The line.
 * @returns It; every field of a run has been looked at.
 * @throws {PawlError} `INVALID_ARGUMENT` saying what is wrong with it.
 */
export function decodeLine(text: string): ExportLine {
  let value: Fields;
  try {
    value = Object(JSON.parse(text)) as Fields;
  } catch {
    throw refused(`it is no JSON: ${text.slice(0, 40)}`);
  }
  switch (value.kind) {
    case "pawl-export":
      want(isCount(value.format, 1) && isCount(value.shards, 1), "a format and a shard count");
      return value as unknown as HeaderLine;
    case "end":
      want(isCount(value.runs, 0) && isCount(value.damaged, 0), "counts");
      return value as unknown as TrailerLine;
    case "damaged":
      want(isText(value.key) && isText(value.problem), "a key and a problem");
      return value as unknown as DamagedLine;
    case "run":
      return readRun(value);
    default:
      throw refused(`it is no line of an export: its kind is ${JSON.stringify(value.kind)}`);
  }
}

type Fields = Readonly<Record<string, unknown>>;

function readRun({ latest, idempotency, history, chores, record }: Fields): RunLine {
  want(typeof latest === "boolean", "whether the run is the latest of its key");
  want(Array.isArray(idempotency), "idempotency rows");
  want(Array.isArray(history) && history.length > 0, "a history");
  const run = readRecord(Object(record) as Fields);
  return {
    kind: "run",
    latest,
    idempotency: idempotency.map((each) => {
      const { verb, key, input, status, runState } = Object(each) as Fields;
      want(
        isText(verb) && isText(key) && isText(input),
        "a verb, a key and an input in each idempotency row",
      );
      if (status === undefined) return { verb, key, input };
      want(
        isText(status) && runStates.includes(runState as RunState),
        "a status and state in a callback's answer",
      );
      return { verb, key, input, status, runState: runState as RunState };
    }),
    history: readHistory(history, run),
    ...(chores !== undefined && { chores: readChores(chores, run)! }),
    record: run,
  };
}

function readRecord(fields: Fields): RunRecord {
  const { id, definition, key, status, previous, reason, lastError, sealed = false, data } = fields;
  const { due, stepDue, timers = noTimers, lock } = fields;
  const { dataVersion = 1, traceOrigin, origin, policies } = fields;
  want(isRunId(id), "a run id in its record");
  want(isText(definition) && isText(key) && isText(status), "definition, key and status in its record");
  want(runStates.includes(fields.state as RunState), `a run state in its record, not ${fields.state}`);
  for (const name of ["version", "visit"]) want(isCount(fields[name], 1), `a ${name} in its record`);
  for (const name of ["attempt", "crashes"]) want(isCount(fields[name], 0), `${name} in its record`);
  for (const name of ["createdAt", "updatedAt"]) want(isTime(fields[name]), `${name} in its record`);
  const state = fields.state as RunState;
  want(previous === undefined || isRunId(previous), "a run id as previous");
  want(due === undefined || isTime(due), "a due time");
  want(stepDue === undefined || stepDue === null || isTime(stepDue), "a due time of its step");
  const isOver = isFinished(state) && (stepDue != null || (timers as unknown[]).length > 0);
  want(!isOver, "no step or timer after the end");
  want(Array.isArray(timers) && timers.every(isTimer), "a name, time, attempt and round in each timer");
  want(reason === undefined || typeof reason === "string", "text as reason");
  want(lastError === undefined || isError(lastError), "a name and a message in lastError");
  want(isCount(dataVersion, 1), "a dataVersion in its record");
  want(traceOrigin === undefined || typeof traceOrigin === "string", "text as traceOrigin");
  want(origin === undefined || isOrigin(origin), "a schedule, life, start and time in its origin");
  want(policies === undefined || arePolicies(policies), "policies of steps as policies");
  want(data !== undefined && typeof sealed === "boolean", "data in its record");
  want(!sealed || typeof data === "string", "a codec's text as sealed data");
  const stepAt = stepDue === undefined
    ? impliedStepDue({ state, due })
    : (stepDue as number | null) ?? undefined;
  const isDue = bucketOf(state) !== "active" || due === earliestDue(stepAt, timers);
  want(isDue, "the earliest due time of its step and its timers as due");
  // Locks stay in the store they are of: in this one it asks anew.
  const asksAnew = lock !== undefined && bucketOf(state) === "active";
  const stepAgain = asksAnew ? fields.updatedAt as number : stepAt;
  const createdAt = fields.createdAt as number;
  const identity = { id, definition, key, createdAt, previous, traceOrigin, origin, policies };
  return recordOf(identity, {
    state,
    status,
    version: fields.version as number,
    visit: fields.visit as number,
    attempt: fields.attempt as number,
    crashes: fields.crashes as number,
    updatedAt: fields.updatedAt as number,
    due: asksAnew ? earliestDue(stepAgain, timers) : due,
    stepDue: stepAgain,
    timers,
    lock: undefined,
    reason,
    lastError,
    dataVersion,
    sealed,
    payload: JSON.stringify(data),
  });
}

/** One row per version of the record, and nothing but late results after the end. */
function readHistory(rows: readonly unknown[], run: RunRecord): string[] {
  let version = 0;
  let ended = false;
  let deleting = false;
  let last: RunState | undefined;
  for (const row of rows) {
    const { at, kind, by, runState, version: seen, attempt } = Object(row) as Fields;
    want(
      isTime(at) && isText(kind) && isText(by) && isCount(attempt, 0),
      "at, kind, by, attempt in each history row",
    );
    want(runStates.includes(runState as RunState), "a run state in each history row");
    if (kind === "late" || kind === "lock-released") continue;
    if (kind === "delete-request" || kind === "delete" || kind === "keep" || deleting) ended = false;
    deleting = runState === "deletion-requested";
    want(!ended && seen === version + 1, `a history row of version ${version + 1}, not ${kind} of ${seen}`);
    version++;
    last = runState as RunState;
    ended = isFinished(runState as RunState);
  }
  want(last === run.state, `a history that ends ${run.state}, not ${last}`);
  want(version === run.version, `a history up to version ${run.version}, not ${version}`);
  return rows.map((row) => JSON.stringify(row));
}

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

const isRunId = (value: unknown): value is string =>
  typeof value === "string" && /^[0-9a-f]{30}$/.test(value);

const isCount = (value: unknown, least: number): value is number =>
  Number.isSafeInteger(value) && value as number >= least;

const isTime = (value: unknown): value is number => isCount(value, 0) && value <= keyNumberMax;

function isTimer(value: unknown): value is RunTimer {
  const { name, at, attempt, round } = Object(value) as Fields;
  return isText(name) && isTime(at) && isCount(attempt, 0) && isCount(round, 0);
}

function isOrigin(value: unknown): value is RunOrigin {
  const { schedule, life, start, at } = Object(value) as Fields;
  return isText(schedule) && isText(life) && isCount(start, 1) && isTime(at);
}

function isError(value: unknown): value is RunError {
  const { name, message, code } = Object(value) as Fields;
  return typeof name === "string" && typeof message === "string" &&
    (code === undefined || typeof code === "string");
}

function want(holds: boolean, what: string): asserts holds {
  if (!holds) throw refused(`want ${what}`);
}

function refused(why: string): PawlError {
  return new PawlError("INVALID_ARGUMENT", `Cannot read this line of an export: ${why}`);
}
