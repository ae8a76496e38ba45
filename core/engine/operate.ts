/**
 * The verbs of operators and clients on a run that exists, and reading it.
 *
 * @module
 */
import { LeaseLostError, PawlError } from "../errors.ts";
import { decodeHistory, type HistoryRow } from "../parts/history.ts";
import { readLatest } from "../parts/key_rows.ts";
import type { ChangeOf } from "../parts/run_change.ts";
import type { RunRecord } from "../parts/run_record.ts";
import { keyAfter, keyNumberMax, stamp } from "../store/key.ts";
import { keyspace } from "../store/keyspace.ts";
import { checkName } from "./check_input.ts";
import { type EngineContext, shardOf, shardOfRun } from "./context.ts";
import type { Ownership } from "./ownership.ts";
import { type Also, applyChange, type Held, readRun } from "./write_change.ts";

/** Which run: the latest of a key, or the one of that id, which must have that key. */
export interface RunName {
  readonly definition: string;
  readonly key: string;
  readonly runId?: string | undefined;
}

/**
 * @returns The named run, or `undefined` when there is none.
 */
export async function findRun(context: EngineContext, name: RunName): Promise<Held | undefined> {
  checkName(name.key, "key", context.limits.keyLengthMax);
  const runId = name.runId ?? await latestRunId(context, name);
  const held = runId === undefined ? undefined : await readRun(context, runId);
  return held && isNamed(held.record, name) ? held : undefined;
}

/** Whether a run is of the named definition and key. */
export function isNamed(run: RunRecord, name: RunName): boolean {
  return run.key === name.key && run.definition === name.definition;
}

/** The id of a key's latest run, if it has had any. */
export async function latestRunId(context: EngineContext, name: RunName): Promise<string | undefined> {
  const shard = shardOf(context, name.definition, name.key);
  const entry = await context.reader.get(shard, keyspace.key.key(name.definition, name.key));
  return entry && readLatest(entry);
}

/**
 * @throws {PawlError} `RUN_NOT_FOUND` when there is no such run.
 */
export async function requireRun(context: EngineContext, verb: string, name: RunName): Promise<Held> {
  const held = await findRun(context, name);
  if (held) return held;
  throw noSuchRun(verb, name);
}

/** The error of a verb on a run that is not there. */
export function noSuchRun(verb: string, name: RunName): PawlError {
  const which = name.runId === undefined ? "" : ` with id ${name.runId}`;
  return new PawlError(
    "RUN_NOT_FOUND",
    `Cannot ${verb} run: "${name.definition}" has no run for key "${name.key}"${which}`,
  );
}

/**
 * Applies a verb: by the shard's owner when that is this engine, else as a guest.
 *
 * @returns The run after it.
 */
export async function operate(
  context: EngineContext,
  ownership: Ownership,
  verb: string,
  name: RunName,
  changeOf: ChangeOf,
): Promise<RunRecord> {
  return await changeRun(context, ownership, await requireRun(context, verb, name), changeOf);
}

/**
 * Changes a run: by the shard's owner when that is this engine, else as a guest.
 *
 * @param held The run as it was read.
 * @param how `also` adds rows to the batch; `isOld`: time has gone by since it was read.
 * @returns The run after it.
 */
export async function changeRun(
  context: EngineContext,
  ownership: Pick<Ownership, "ownerOf">,
  held: Held,
  changeOf: ChangeOf,
  { also, isOld }: { readonly also?: Also | undefined; readonly isOld?: boolean } = {},
): Promise<RunRecord> {
  const owner = ownership.ownerOf(held.record.definition, shardOfRun(context, held.record.id));
  if (owner) {
    try {
      return await owner.change(isOld ? await again(context, held) : held, changeOf, also);
    } catch (error) {
      if (!(error instanceof LeaseLostError)) throw error;
    }
  }
  await applyChange(context, held, changeOf, undefined, also);
  return held.record;
}

async function again(context: EngineContext, held: Held): Promise<Held> {
  return await readRun(context, held.record.id) ?? held;
}

/** What `history` takes. */
export interface HistoryQuery {
  /** The run. */
  readonly runId: string;
  /** Only rows after this position. */
  readonly after?: number;
  /** Rows at most; default and maximum `limits.pageMax`. */
  readonly limit?: number;
}

/**
 * @returns Rows of a run's history, oldest first.
 */
export async function readHistory(context: EngineContext, query: HistoryQuery): Promise<HistoryRow[]> {
  const { pageMax } = context.limits;
  const limit = query.limit ?? pageMax;
  if (!Number.isInteger(limit) || limit < 1 || limit > pageMax) {
    throw new PawlError("INVALID_ARGUMENT", `Cannot read history: got limit ${limit}, want 1 to ${pageMax}`);
  }
  const { after = 0 } = query;
  if (!Number.isInteger(after) || after < 0 || after > keyNumberMax) {
    throw new PawlError("INVALID_ARGUMENT", `Cannot read history: got after ${after}, want a row's position`);
  }
  const shard = shardOfRun(context, query.runId);
  const range = keyspace.history.range(query.runId);
  const start = query.after === undefined ? range.start : keyAfter(range.start + stamp(query.after));
  const [entries] = await context.reader.read(shard, [{ ...range, start, limit }]);
  return entries!.map(decodeHistory);
}
