/**
 * `admin.export()`: the runs of a store as text. Each run is whole as of one moment; different runs are of different
 * moments, as engines may go on meanwhile.
 *
 * @module
 */
import { PawlError } from "../errors.ts";
import { type Chore, decodeChore } from "../parts/chore.ts";
import { decodeHistory } from "../parts/history.ts";
import { readAnswer, readLatest } from "../parts/key_rows.ts";
import { type AnswerLine, encodeLine, encodeRunLine, exportFormat, type RunLine } from "../parts/run_line.ts";
import { type RunRecord } from "../parts/run_record.ts";
import { decodeRecord } from "../parts/run_row.ts";
import { keyAfter, splitKey, unescapeText } from "../store/key.ts";
import { keyspace } from "../store/keyspace.ts";
import type { Entry } from "../store/store.ts";
import { checkName } from "./check_input.ts";
import type { EngineContext } from "./context.ts";

/** What `admin.export()` takes. */
export interface ExportOptions {
  /** Only runs of this definition; it need not be carried by this engine. */
  readonly definition?: string;
  /** Ends the export by throwing its reason. */
  readonly signal?: AbortSignal;
}

/** Runs read at a time: enough to be quick, few enough to hold with their data and histories. */
const runsPerPage = 32;

/** History rows read with a run; the rest of a longer one is read after it. */
const historyPage = 100;

/** Ops of the read that shows one run. */
const opsPerRun = 5;

/** A stored value that cannot be read. */
class Damage extends Error {
  constructor(readonly entry: Entry, readonly problem: string) {
    super(problem);
  }
}

/**
 * @param context The engine.
 * @param options Which runs.
 * @returns Lines of text, each with its end: a header, a line per run, a trailer.
 */
export async function* exportRuns(
  context: EngineContext,
  { definition, signal }: ExportOptions,
): AsyncGenerator<string, void, void> {
  const { store, clock, limits } = context;
  if (definition !== undefined) checkName(definition, "definition", limits.nameLengthMax);
  const at = new Date(clock.now()).toISOString();
  const filter = definition === undefined ? {} : { definition };
  yield encodeLine({ kind: "pawl-export", format: exportFormat, shards: store.shards, at, ...filter });
  const counts = { runs: 0, damaged: 0 };
  for (let shard = 0; shard < store.shards; shard++) {
    for await (const page of runPages(context, shard, signal)) {
      const runs: RunRecord[] = [];
      for (const entry of page) {
        const read = attempt(entry, () => decodeRecord(entry.value, entry.key));
        if (read instanceof Damage) yield damagedLine(read, counts);
        else if (definition === undefined || read.definition === definition) runs.push(read);
      }
      for (const line of await readRuns(context, shard, runs)) {
        signal?.throwIfAborted();
        if (line instanceof Damage) yield damagedLine(line, counts);
        else {
          counts.runs++;
          yield line;
        }
      }
    }
  }
  yield encodeLine({ kind: "end", ...counts });
}

function damagedLine({ entry: { key, value }, problem }: Damage, counts: { damaged: number }): string {
  counts.damaged++;
  return encodeLine({ kind: "damaged", key, problem, value });
}

/** The run records of a shard, in order of creation. */
async function* runPages(context: EngineContext, shard: number, signal: AbortSignal | undefined) {
  const { opsPerReadMax, entriesPerRangeMax } = context.store.limits;
  const limit = Math.max(1, Math.min(runsPerPage, entriesPerRangeMax, Math.floor(opsPerReadMax / opsPerRun)));
  let { start, end } = keyspace.run.range();
  for (;;) {
    signal?.throwIfAborted();
    const [page] = await context.reader.read(shard, [{ start, end, limit }]);
    yield page!;
    if (page!.length < limit) return;
    start = keyAfter(page!.at(-1)!.key);
  }
}

/** All lines of a page come from one snapshot: record, key row, and where the history ends, agree. */
async function readRuns(
  context: EngineContext,
  shard: number,
  runs: readonly RunRecord[],
): Promise<(string | Damage)[]> {
  if (runs.length === 0) return [];
  const limit = Math.min(historyPage, context.limits.readPageMax);
  const found = await context.reader.read(
    shard,
    runs.flatMap((run) => [
      { get: keyspace.run.key(run.id) },
      { get: keyspace.key.key(run.definition, run.key) },
      { ...keyspace.history.range(run.id), limit },
      { ...keyspace.history.range(run.id), limit: 1, reverse: true },
      { ...keyspace.chore.range(run.id), limit },
    ]),
  );
  const lines: (string | Damage)[] = [];
  const answers = await readAnswers(context, shard, runs, (damage) => lines.push(damage));
  for (const [index, run] of runs.entries()) {
    const [record, key, first, last, chores] = found.slice(index * opsPerRun, (index + 1) * opsPerRun);
    if (record![0] === undefined) continue;
    const history = await restOfHistory(context, shard, first!, last![0]);
    const latest = key![0] && attempt(key![0], () => readLatest(key![0]!));
    // The run goes on without its damaged key row, as the import finds out by itself which run is the latest.
    if (latest instanceof Damage) lines.push(latest);
    const line = {
      latest: latest === run.id,
      idempotency: answers.get(run.id)!,
      chores: readChores(chores!, limit, (damage) => lines.push(damage)),
    };
    lines.push(lineOf(record![0], history, line));
  }
  return lines;
}

/** More hooks than one page are left to do only where something is very wrong: then the rest is reported as damage. */
function readChores(
  rows: readonly Entry[],
  limit: number,
  onDamage: (damage: Damage) => void,
): readonly Chore[] {
  return rows.flatMap((entry, index) => {
    if (index === limit - 1) onDamage(new Damage(entry, `the run has ${limit} hooks to do, or more`));
    const chore = attempt(entry, () => decodeChore(unescapeText(splitKey(entry.key)[2]!), entry.value));
    if (!(chore instanceof Damage)) return [chore];
    onDamage(chore);
    return [];
  });
}

/** History only grows at its end, so up to the row that was last in the snapshot it is the history of the snapshot. */
async function restOfHistory(
  context: EngineContext,
  shard: number,
  first: readonly Entry[],
  last: Entry | undefined,
): Promise<readonly Entry[]> {
  let rows = first;
  for (const limit = context.limits.readPageMax; last && rows.at(-1)!.key < last.key;) {
    const range = { start: keyAfter(rows.at(-1)!.key), end: keyAfter(last.key), limit };
    const [page] = await context.reader.read(shard, [range]);
    rows = [...rows, ...page!];
    if (page!.length === 0) break;
  }
  return rows;
}

function lineOf(
  record: Entry,
  rows: readonly Entry[],
  line: Pick<RunLine, "latest" | "idempotency" | "chores">,
): string | Damage {
  const history: string[] = [];
  for (const row of rows) {
    const read = attempt(row, () => decodeHistory(row));
    if (read instanceof Damage) return read;
    // What was written by hand may hold line ends.
    history.push(row.value.includes("\n") ? JSON.stringify(JSON.parse(row.value)) : row.value);
  }
  return attempt(record, () => encodeRunLine({ ...line, history }, record.value));
}

/**
 * The answers kept for these runs. They are written together with their run and never changed, so they need no snapshot,
 * and each key's are read once for all runs of the page.
 */
async function readAnswers(
  context: EngineContext,
  shard: number,
  runs: readonly RunRecord[],
  onDamage: (damage: Damage) => void,
): Promise<ReadonlyMap<string, readonly AnswerLine[]>> {
  const answers = new Map<string, AnswerLine[]>(runs.map((run) => [run.id, []]));
  const ranges = new Map(runs.map((run) => {
    const range = keyspace.idempotency.range(run.definition, run.key);
    return [range.start, range];
  }));
  const limit = context.limits.readPageMax;
  await Promise.all([...ranges.values()].map(async ({ start, end }) => {
    for (;;) {
      const [page] = await context.reader.read(shard, [{ start, end, limit }]);
      for (const entry of page!) {
        const kept = attempt(entry, () => readAnswer(entry));
        const [, , , verb, key] = splitKey(entry.key).map(unescapeText);
        if (kept instanceof Damage) onDamage(kept);
        else {
          const { runId, ...answer } = kept;
          answers.get(runId)?.push({ verb: verb!, key: key!, ...answer });
        }
      }
      if (page!.length < limit) return;
      start = keyAfter(page!.at(-1)!.key);
    }
  }));
  return answers;
}

function attempt<Value>(entry: Entry, read: () => Value): Value | Damage {
  try {
    return read();
  } catch (error) {
    if (error instanceof PawlError || error instanceof SyntaxError) return new Damage(entry, error.message);
    throw error;
  }
}
