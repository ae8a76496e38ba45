/**
 * One run of an export on its way into a store: what is there already decides, and all that belongs to the run becomes
 * visible in one batch.
 *
 * @module
 */
import { ConflictError, PawlError } from "../errors.ts";
import { choreTable } from "../parts/chore.ts";
import { readLatest } from "../parts/key_rows.ts";
import type { RunLine } from "../parts/run_line.ts";
import { hashSuffix } from "../parts/run_id.ts";
import { isFinished, type RunRecord } from "../parts/run_record.ts";
import { decodeRecord, encodeRecord, runTable } from "../parts/run_row.ts";
import { BatchBuilder } from "../store/batch.ts";
import { keyAfter, stamp } from "../store/key.ts";
import { keyspace } from "../store/keyspace.ts";
import { batchSize } from "../store/settle.ts";
import type { Entry, Version } from "../store/store.ts";
import { type EngineContext, placeOf, shardOf } from "./context.ts";

/** What became of a run. */
export type Imported =
  | { readonly outcome: "imported" | "skipped" }
  | { readonly outcome: "refused"; readonly reason: string };

/** What the store holds of a run and its key. */
interface Seen {
  /** The run itself. */
  readonly run?: RunRecord;
  /** The row of its key. */
  readonly key?: Entry;
  /** The run that row names, if it is there. */
  readonly latest?: RunRecord;
  /** Keys of the run's idempotency rows that are taken. */
  readonly taken: ReadonlySet<string>;
  /** There are history rows past those of the line: an import of a later export was cut off. */
  readonly overhang: boolean;
}

/** Errors that concern the run, not the store. */
const ofOneRun: ReadonlySet<string> = new Set(["STORE_CORRUPT", "LIMIT_EXCEEDED", "CONFLICT"]);

/** A new run of a new key: what a line is tried with, without a read. */
const nothing: Seen = { taken: new Set(), overhang: false };

/** Lands runs. */
export class RunImporter {
  readonly #context: EngineContext;
  /** A version that each shard has surely reached. */
  readonly #floors = new Map<number, Version>();
  readonly #raising = new Map<number, Promise<void>>();

  /**
   * @param context The engine.
   */
  constructor(context: EngineContext) {
    this.#context = context;
  }

  /**
   * @param line A run.
   * @returns What became of it.
   * @throws {PawlError} What the store says; then nothing of the run can be seen, and it may be imported again.
   */
  async land(line: RunLine): Promise<Imported> {
    const { definition, key, id } = line.record;
    const misfit = misfitOf(this.#context, line);
    if (misfit) return { outcome: "refused", reason: misfit };
    const shard = shardOf(this.#context, definition, key);
    try {
      await this.#raise(shard, definition, line.history.length);
      return await this.#settle(shard, line);
    } catch (error) {
      // What the store says of this run alone is no reason to give up the others.
      if (!(error instanceof PawlError) || !ofOneRun.has(error.code)) throw error;
      await this.#clear(shard, id, 0);
      return { outcome: "refused", reason: error.message };
    }
  }

  async #settle(shard: number, line: RunLine): Promise<Imported> {
    const { record, history } = line;
    const chunks = this.#chunks(line);
    let seen = chunks.length > 0 ? await this.#look(shard, line) : nothing;
    for (let rebase = 0; rebase <= this.#context.limits.rebasesMax; rebase++) {
      const decided = decide(line, seen);
      if (decided.outcome !== "write") {
        if (!seen.run) await this.#clear(shard, record.id, 0);
        return decided;
      }
      if (seen.overhang) await this.#clear(shard, record.id, history.length);
      if (await this.#write(shard, line, chunks, seen, decided.isLatest)) return { outcome: "imported" };
      seen = await this.#look(shard, line);
    }
    throw new ConflictError(`Cannot import run ${record.id}: other writers were first too often`);
  }

  /**
   * History first, if it is too long for one batch, then the record with all else: before that, nothing of the run can be
   * seen. The rows have keys of their own choice, so writing them again changes nothing.
   *
   * @returns False when the store is not as it was seen.
   */
  async #write(
    shard: number,
    line: RunLine,
    chunks: readonly BatchBuilder[],
    seen: Seen,
    isLatest: boolean,
  ): Promise<boolean> {
    const { id } = line.record;
    const batch = chunks.length > 0 ? new BatchBuilder() : historyBatch(line, 0, line.history.length);
    // Whoever else imports this run, or clears it away, touches its first row first.
    for (const [index, chunk] of chunks.entries()) {
      const result = await this.#context.committer.commit(shard, chunk);
      if (!result.ok) return false;
      if (index === 0) batch.check(historyKey(id, 1), result.version);
    }
    finish(batch, line, seen, isLatest);
    const result = await this.#context.committer.commit(shard, batch);
    return result.ok;
  }

  async #look(shard: number, { record, history, idempotency }: RunLine): Promise<Seen> {
    const { reader } = this.#context;
    const [[run], [key], [past], ...kept] = await reader.read(shard, [
      { get: record.rowKey },
      { get: keyspace.key.key(record.definition, record.key) },
      {
        ...keyspace.history.range(record.id),
        start: keyAfter(historyKey(record.id, history.length)),
        limit: 1,
      },
      ...idempotency.map((each) => ({ get: answerKey(record, each) })),
    ]) as [Entry[], Entry[], Entry[], ...Entry[][]];
    const latest = key && await reader.get(shard, keyspace.run.key(readLatest(key)));
    return {
      ...(run && { run: decodeRecord(run.value, run.key) }),
      ...(key && { key }),
      ...(latest && { latest: decodeRecord(latest.value, latest.key) }),
      taken: new Set(kept.flat().map((entry) => entry.key)),
      overhang: past !== undefined,
    };
  }

  /** Removes history rows that no record stands before, from the first on: the others lean on it. */
  async #clear(shard: number, runId: string, after: number): Promise<void> {
    const { committer, reader, limits, store } = this.#context;
    const range = keyspace.history.range(runId);
    const limit = Math.min(limits.readPageMax, store.limits.writesPerCommitMax);
    for (;;) {
      const [page] = await reader.read(shard, [{
        ...range,
        start: keyAfter(historyKey(runId, after)),
        limit,
      }]);
      if (page!.length === 0) return;
      const batch = new BatchBuilder().check(keyspace.run.key(runId), null);
      for (const entry of page!) batch.delete(entry.key);
      if (!(await committer.commit(shard, batch)).ok) return;
    }
  }

  /** Batches of the history, when all of the run does not fit one. */
  #chunks(line: RunLine): BatchBuilder[] {
    const { writesPerCommitMax, bytesPerCommitMax } = this.#context.store.limits;
    const whole = historyBatch(line, 0, line.history.length);
    finish(whole, line, nothing, true);
    const size = batchSize(whole);
    if (size.writes <= writesPerCommitMax && size.bytes <= bytesPerCommitMax) return [];
    const chunks: BatchBuilder[] = [];
    for (let from = 0; from < line.history.length;) {
      let to = from;
      for (let bytes = 0; to < line.history.length && to - from < writesPerCommitMax; to++) {
        bytes += historyKey(line.record.id, to).length + line.history[to]!.length;
        if (bytes > bytesPerCommitMax && to > from) break;
      }
      chunks.push(historyBatch(line, from, to));
      from = to;
    }
    return chunks;
  }

  /**
   * Imported rows are numbered 1, 2, 3, ...; rows to come are stamped with versions. So before a run lands, its shard has
   * given out as many versions as the run has rows. Only a store that is nearly new has not.
   */
  #raise(shard: number, definition: string, least: number): void | Promise<void> {
    if ((this.#floors.get(shard) ?? 0) >= least) return;
    const turn = (this.#raising.get(shard) ?? Promise.resolve()).then(async () => {
      const { committer, limits } = this.#context;
      const bell = () => committer.commit(shard, new BatchBuilder().put(keyspace.bell.key(definition), "1"));
      for (let floor = this.#floors.get(shard) ?? 0; floor < least;) {
        // The first tells where the shard stands.
        const count = floor === 0 ? 1 : Math.min(limits.groupBatchesMax, least - floor);
        for (const result of await Promise.all(Array.from({ length: count }, bell))) {
          if (result.ok) floor = Math.max(floor, result.version);
        }
        this.#floors.set(shard, floor);
      }
    });
    this.#raising.set(shard, turn.catch(() => {}));
    return turn;
  }
}

type Decision = Exclude<Imported, { outcome: "imported" }> | {
  readonly outcome: "write";
  /** It becomes the latest run of its key. */
  readonly isLatest: boolean;
};

function decide({ record, latest }: RunLine, seen: Seen): Decision {
  const refuse = (reason: string): Decision => ({ outcome: "refused", reason });
  if (seen.run) {
    if (seen.run.version >= record.version) return { outcome: "skipped" };
    return refuse(`the store has it at version ${seen.run.version}, and an import never overwrites`);
  }
  const other = seen.latest;
  if (!other || other.id === record.id) return { outcome: "write", isLatest: true };
  if (!isFinished(record.state)) {
    if (!isFinished(other.state)) {
      return refuse(`its key has another unfinished run in the store, ${other.id}`);
    }
    if (other.previous === record.id) return refuse(`run ${other.id} of the store came after it`);
    return { outcome: "write", isLatest: true };
  }
  const follows = other.id === record.previous || (latest && other.id < record.id);
  return { outcome: "write", isLatest: isFinished(other.state) && follows };
}

/** The batch that makes a run visible: all that a trigger would write, and no row past its history. */
function finish(batch: BatchBuilder, line: RunLine, seen: Seen, isLatest: boolean): void {
  const { record, history, idempotency, chores = [] } = line;
  const keyRow = keyspace.key.key(record.definition, record.key);
  batch.check(record.rowKey, null).check(historyKey(record.id, history.length + 1), null);
  batch.check(keyRow, seen.key?.version ?? null);
  if (isLatest) batch.put(keyRow, JSON.stringify({ runId: record.id }));
  runTable.write(batch, undefined, record);
  for (const answer of idempotency) {
    const key = answerKey(record, answer);
    if (seen.taken.has(key)) continue;
    const { verb: _verb, key: _key, ...kept } = answer;
    batch.check(key, null).put(key, JSON.stringify({ runId: record.id, ...kept }));
  }
  for (const chore of chores) choreTable.write(batch, undefined, chore);
  batch.put(keyspace.bell.key(record.definition), "1");
}

function historyBatch({ record, history }: RunLine, from: number, to: number): BatchBuilder {
  const batch = new BatchBuilder().check(record.rowKey, null);
  for (let index = from; index < to; index++) batch.put(historyKey(record.id, index + 1), history[index]!);
  return batch;
}

const historyKey = (runId: string, position: number) => keyspace.history.front(runId) + stamp(position);

const answerKey = ({ definition, key }: RunRecord, answer: RunLine["idempotency"][number]) =>
  keyspace.idempotency.key(definition, key, answer.verb, answer.key);

/** Why this engine or its store cannot hold a run. */
function misfitOf(context: EngineContext, { record, history }: RunLine): string | undefined {
  const { limits, store } = context;
  const { definition, key, status, payload } = record;
  if (!record.id.endsWith(hashSuffix(placeOf(definition, key)))) {
    return "its id is not one of its definition and key";
  }
  for (const name of [definition, status]) {
    if (name.length > limits.nameLengthMax) return `"${name.slice(0, 40)}..." is over limits.nameLengthMax`;
  }
  if (key.length > limits.keyLengthMax) return `its key is over limits.keyLengthMax (${limits.keyLengthMax})`;
  if (!record.sealed && payload.length > limits.payloadBytesMax) {
    return `its data has ${payload.length} bytes, over limits.payloadBytesMax (${limits.payloadBytesMax})`;
  }
  const longest = history.reduce((most, row) => Math.max(most, row.length), encodeRecord(record).length);
  if (longest > store.limits.valueBytesMax) {
    return `it holds a value of ${longest} bytes, the store takes ${store.limits.valueBytesMax}`;
  }
  return undefined;
}
