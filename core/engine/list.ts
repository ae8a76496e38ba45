/**
 * Listing runs: a merge of index ranges over all shards, in order of creation, with a bound on what one page looks at.
 *
 * @module
 */
import { PawlError } from "../errors.ts";
import { bucketOf, type RunError, type RunRecord, type RunState, runStates } from "../parts/run_record.ts";
import { keyAfter, keyNumberMax, splitKey, stamp } from "../store/key.ts";
import { keyspace } from "../store/keyspace.ts";
import { checkName } from "./check_input.ts";
import type { EngineContext } from "./context.ts";
import { findRun } from "./operate.ts";
import { type Held, readRun } from "./write_change.ts";
import { outline, type RunView, viewOf } from "./run_view.ts";

/** Which runs to list. All given fields must match. */
export interface ListQuery {
  /** Name of a definition, or of any of several; it need not be carried by this engine. */
  readonly definition?: string | readonly string[];
  /** One status, or any of several. */
  readonly status?: string | readonly string[];
  /** One run state, or any of several. */
  readonly runState?: RunState | readonly RunState[];
  /** Runs of one key; needs one `definition`. */
  readonly key?: string;
  /** Only runs whose key begins so; each run of the definitions is looked at. */
  readonly keyPrefix?: string;
  /** Strictly after. */
  readonly createdAfter?: Date;
  /** Strictly before. */
  readonly createdBefore?: Date;
  /** By creation; default `newest` first. */
  readonly order?: "newest" | "oldest";
  /** Items of a page; default 25. */
  readonly limit?: number;
  /** From the page before. Runs that come and go meanwhile shift nothing. */
  readonly cursor?: string;
  /** `data`: read and decode the users' data too. */
  readonly include?: readonly "data"[];
}

/** One page of runs. */
export interface ListPage {
  /** The runs, in order. `data` is there only when it was asked for. */
  readonly items: readonly ListItem[];
  /** Where the next page begins; absent: there is none. A page may be short, or empty, and still have one. */
  readonly cursor?: string;
}

/** A listed run. */
export type ListItem = Omit<RunView, "data"> & {
  /** Its data, when it was asked for. */
  readonly data?: unknown;
  /** Why its data, though asked for, is not there: it cannot be migrated. */
  readonly dataError?: RunError;
};

const limitDefault = 25;

/** Ids of one source that one look gathers at most, once a filter has let few runs pass. */
const lookMax = 256;

interface Source {
  readonly shard: number;
  /** The front of its keys; the run id follows. */
  readonly front: string;
}

/**
 * @returns One page of the runs that match.
 * @throws {PawlError} `INVALID_ARGUMENT`.
 */
export async function listRuns(context: EngineContext, query: ListQuery): Promise<ListPage> {
  const found = await findRuns(context, query);
  const withData = query.include?.includes("data") ?? false;
  const items = await Promise.all(found.runs.map((run) => withData ? item(context, run) : outline(run)));
  return { items, ...(found.cursor !== undefined && { cursor: found.cursor }) };
}

/** Looks at a run more closely than a query can. */
type Also = (run: RunRecord) => boolean;

/**
 * @param also What else must be true of a run.
 * @returns The records of one page of the runs that match.
 * @throws {PawlError} `INVALID_ARGUMENT`.
 */
export async function findRuns(context: EngineContext, query: ListQuery, also?: Also): Promise<Found> {
  checkQuery(context, query);
  const limit = query.limit ?? Math.min(limitDefault, context.limits.pageMax);
  const reverse = (query.order ?? "newest") === "newest";
  const wanted = (run: RunRecord) => matches(query, run) && (also?.(run) ?? true);
  return query.key === undefined
    ? await merge(context, query, wanted, limit, reverse)
    : await chain(context, query, wanted, limit, reverse);
}

/** A run that cannot be migrated must not hide all others. */
async function item(context: EngineContext, run: RunRecord): Promise<ListItem> {
  try {
    return await viewOf(context, run);
  } catch (error) {
    if (!(error instanceof PawlError) || error.code !== "MIGRATION_FAILED") throw error;
    const { name, message, code } = error;
    return { ...outline(run), dataError: { name, message, code } };
  }
}

function checkQuery(context: EngineContext, query: ListQuery): void {
  const { pageMax, nameLengthMax } = context.limits;
  const limit = query.limit ?? Math.min(limitDefault, context.limits.pageMax);
  if (!Number.isInteger(limit) || limit < 1 || limit > pageMax) {
    throw new PawlError("INVALID_ARGUMENT", `Cannot list runs: got limit ${limit}, want 1 to ${pageMax}`);
  }
  if (query.order !== undefined && query.order !== "newest" && query.order !== "oldest") {
    throw new PawlError(
      "INVALID_ARGUMENT",
      `Cannot list runs: got order "${query.order}", want "newest" or "oldest"`,
    );
  }
  for (const each of oneOrMore(query.definition)) checkName(each, "definition", nameLengthMax);
  if (query.key !== undefined && oneOrMore(query.definition).length !== 1) {
    throw new PawlError("INVALID_ARGUMENT", "Cannot list runs by key: give one definition too");
  }
  if (query.keyPrefix !== undefined && typeof query.keyPrefix !== "string") {
    throw new PawlError("INVALID_ARGUMENT", "Cannot list runs: keyPrefix is no text");
  }
  for (const bound of ["createdAfter", "createdBefore"] as const) {
    const date = query[bound];
    if (date === undefined || (date instanceof Date && !Number.isNaN(date.getTime()))) continue;
    throw new PawlError("INVALID_ARGUMENT", `Cannot list runs: ${bound} is no valid Date`);
  }
  if (query.cursor !== undefined && !/^[0-9a-f]{30}$/.test(query.cursor)) {
    throw new PawlError("INVALID_ARGUMENT", "Cannot list runs: the cursor is not one that list() gave");
  }
  for (const state of oneOrMore(query.runState)) {
    if (runStates.includes(state)) continue;
    throw new PawlError(
      "INVALID_ARGUMENT",
      `Cannot list runs: got runState "${state}", want one of ${runStates.join(", ")}`,
    );
  }
}

const oneOrMore = <Item>(value: Item | readonly Item[] | undefined): readonly Item[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value as Item];

function matches(query: ListQuery, run: RunRecord): boolean {
  const statuses = oneOrMore(query.status);
  const states = oneOrMore(query.runState);
  return (query.definition === undefined || oneOrMore(query.definition).includes(run.definition)) &&
    (query.keyPrefix === undefined || run.key.startsWith(query.keyPrefix)) &&
    (statuses.length === 0 || statuses.includes(run.status)) &&
    (states.length === 0 || states.includes(run.state)) &&
    (query.createdAfter === undefined || run.createdAt > query.createdAfter.getTime()) &&
    (query.createdBefore === undefined || run.createdAt < query.createdBefore.getTime());
}

/** Records of one page. */
export interface Found {
  readonly runs: readonly RunRecord[];
  readonly cursor?: string;
}

/** The ranges that together hold every run that may match. */
function sources(context: EngineContext, query: ListQuery): readonly Source[] {
  const states = oneOrMore(query.runState);
  const buckets = new Set((states.length > 0 ? states : runStates).map(bucketOf));
  const fronts = query.definition === undefined
    ? [keyspace.run.front()]
    : [...new Set(oneOrMore(query.definition))].flatMap((definition) =>
      [...buckets].map((bucket) => keyspace.list.front(definition, bucket))
    );
  return Array.from({ length: context.store.shards }, (_, shard) => fronts.map((front) => ({ shard, front })))
    .flat();
}

/** Ids are ordered by time, so bounds in time and the cursor are bounds on ids. */
async function merge(
  context: EngineContext,
  query: ListQuery,
  wanted: Also,
  limit: number,
  reverse: boolean,
): Promise<Found> {
  const from = sources(context, query);
  let low = query.createdAfter ? timeStamp(query.createdAfter) : "";
  let high = query.createdBefore ? timeStamp(query.createdBefore) : "g";
  if (query.cursor !== undefined && reverse) high = query.cursor < high ? query.cursor : high;
  if (query.cursor !== undefined && !reverse) low = query.cursor >= low ? keyAfter(query.cursor) : low;
  const runs: RunRecord[] = [];
  let size = limit;
  for (let scanned = 0; scanned < context.limits.scanMax;) {
    const ids = await nextIds(context, from, low, high, size, reverse);
    // Few that match would otherwise cost two trips for each run looked at.
    size = Math.max(limit, Math.min(size * 2, lookMax, context.limits.pageMax));
    const records = await Promise.all(ids.ids.map((id) => readSound(context, id)));
    for (const [index, held] of records.entries()) {
      scanned++;
      if (!held || !wanted(held.record)) continue;
      runs.push(held.record);
      if (runs.length === limit) {
        const isLast = ids.complete && index === records.length - 1;
        return { runs, ...(!isLast && { cursor: held.record.id }) };
      }
    }
    const last = ids.ids.at(-1);
    if (ids.complete || last === undefined) return { runs };
    if (reverse) high = last;
    else low = keyAfter(last);
  }
  return { runs, cursor: reverse ? high : low.trimEnd() };
}

/** A run that is damaged is left out, and said so: it must not hide all others. */
async function readSound(context: EngineContext, runId: string): Promise<Held | undefined> {
  try {
    return await readRun(context, runId);
  } catch (error) {
    if (!(error instanceof PawlError) || error.code !== "STORE_CORRUPT") throw error;
    context.logger.log("error", "A damaged run is left out of a list; admin.verify() tells more", {
      runId,
      error: error.message,
    });
    return undefined;
  }
}

/** A date as run ids begin, moved into the range they can express. */
function timeStamp(date: Date): string {
  return stamp(Math.min(keyNumberMax, Math.max(0, date.getTime())));
}

/** The next ids over all sources. A source that gave a full page hides what follows it, so the merge stops there. */
async function nextIds(
  context: EngineContext,
  from: readonly Source[],
  low: string,
  high: string,
  limit: number,
  reverse: boolean,
): Promise<{ readonly ids: readonly string[]; readonly complete: boolean }> {
  const pages = await Promise.all(from.map(async ({ shard, front }) => {
    const [page] = await context.reader.read(shard, [{
      start: front + low,
      end: front + high,
      limit,
      reverse,
    }]);
    return page!.map((entry) => splitKey(entry.key).at(-1)!);
  }));
  const before = (a: string, b: string) => reverse ? a > b : a < b;
  let bound: string | undefined;
  for (const page of pages) {
    const last = page.length === limit ? page.at(-1)! : undefined;
    if (last !== undefined && (bound === undefined || before(last, bound))) bound = last;
  }
  const ids = pages.flat().filter((id) => bound === undefined || !before(bound, id));
  ids.sort((a, b) => before(a, b) ? -1 : 1);
  return { ids, complete: bound === undefined };
}

/** The runs of one key are linked from the latest back: a page of the newest goes on where the one before ended. */
async function chain(
  context: EngineContext,
  query: ListQuery,
  wanted: Also,
  limit: number,
  reverse: boolean,
): Promise<Found> {
  const name = { definition: oneOrMore(query.definition)[0]!, key: query.key! };
  const { cursor } = query;
  const runs: RunRecord[] = [];
  let held = await findRun(context, { ...name, runId: reverse ? cursor : undefined });
  if (reverse && cursor !== undefined) held = await previousOf(context, held);
  for (let scanned = 1; held; scanned++) {
    const { record } = held;
    if (wanted(record)) runs.push(record);
    held = await previousOf(context, held);
    if (!held) break;
    if (reverse && (runs.length === limit || scanned >= context.limits.scanMax)) {
      return { runs, cursor: record.id };
    }
    if (!reverse && scanned >= context.limits.scanMax) throw tooLong(context, name.key);
  }
  if (reverse) return { runs };
  const rest = runs.reverse().filter((run) => cursor === undefined || run.id > cursor);
  const page = rest.slice(0, limit);
  return { runs: page, ...(rest.length > limit && { cursor: page.at(-1)!.id }) };
}

/** The run of the same key before this one. */
async function previousOf(context: EngineContext, held: Held | undefined): Promise<Held | undefined> {
  const previous = held?.record.previous;
  return previous === undefined ? undefined : await readRun(context, previous);
}

function tooLong(context: EngineContext, key: string): PawlError {
  return new PawlError(
    "LIMIT_EXCEEDED",
    `Cannot list runs: key "${key}" has more than limits.scanMax (${context.limits.scanMax}) runs; ` +
      `list them newest first`,
  );
}
