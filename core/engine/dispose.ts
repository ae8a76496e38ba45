/**
 * Erasing the data of a finished run, and removing a run that has been kept for long enough. Both go in bounded batches
 * and begin again from the start when they are cut off; the record is the last to change.
 *
 * @module
 */
import { LeaseLostError } from "../errors.ts";
import { jsonText, parseStored } from "../json.ts";
import { type Chore, choreTable, decodeChore } from "../parts/chore.ts";
import { erased, notErased } from "../parts/disposal.ts";
import { readAnswer, readLatest } from "../parts/key_rows.ts";
import { backoffMs } from "../parts/landing.ts";
import type { ChangeOf } from "../parts/run_change.ts";
import { type Payload, type RunRecord } from "../parts/run_record.ts";
import { runTable } from "../parts/run_row.ts";
import { BatchBuilder } from "../store/batch.ts";
import { keyAfter, splitKey, unescapeText } from "../store/key.ts";
import { keyspace } from "../store/keyspace.ts";
import type { Check, Entry } from "../store/store.ts";
import { AttemptSignal } from "./attempt_call.ts";
import type { Definition } from "./behaviour.ts";
import { type EngineContext, openPayload, sealPayload, shardOfRun } from "./context.ts";
import { readData } from "./data_rules.ts";
import { runError, withTimeout } from "./step_runner.ts";
import { type Held, readRun } from "./write_change.ts";

/** Rows of one batch at most. */
const rowsPerBatch = 64;

/** What a disposal came to; `later`: it must wait for something, `again`: the run has changed meanwhile. */
export type Disposed = "done" | "gone" | "again" | "later";

/** Longest that user code may take to scrub data: a few that hang would hold up all other erasures. */
const scrubMsMax = 60_000;

/** How a failed erasure is repeated. */
const retry = { retryInitialMs: 1_000, retryMaxMs: 300_000, retryFactor: 2, retryJitter: true };

/** Where, under which fence. */
interface Place {
  readonly context: EngineContext;
  readonly shard: number;
  readonly guard: Check;
}

/**
 * @param held The run, finished and due.
 * @param guard The owner's fence.
 * @param kind What is to be done with it.
 * @param change Applies a change to its record.
 * @returns What it came to.
 */
export async function dispose(
  context: EngineContext,
  definition: Definition,
  held: Held,
  guard: Check,
  kind: "erase" | "remove",
  change: (changeOf: ChangeOf) => Promise<void>,
): Promise<Disposed> {
  const place = { context, shard: shardOfRun(context, held.record.id), guard };
  if (kind === "remove") return await removeRun(place, held);
  await eraseRun(place, definition, held, change);
  return "done";
}

async function eraseRun(
  place: Place,
  definition: Definition,
  { record }: Held,
  change: (changeOf: ChangeOf) => Promise<void>,
): Promise<void> {
  const { context } = place;
  let payload: Payload;
  try {
    payload = await scrubbed(context, definition, record);
  } catch (error) {
    context.logger.log("error", "Cannot scrub the data of a run; trying again", {
      definition: record.definition,
      runId: record.id,
      attempt: record.attempt + 1,
    });
    const chance = context.random.float();
    const failure = runError(error, context.limits.messageLengthMax);
    return await change(notErased(failure, (attempt) => backoffMs(retry, attempt, chance)));
  }
  await rewrite(place, keyspace.history.range(record.id), (batch, entry) => {
    const text = withoutWords(entry);
    if (text !== entry.value) batch.check(entry.key, entry.version).put(entry.key, text);
  });
  await rewrite(place, keyspace.chore.range(record.id), (batch, entry) => {
    const chore = choreOf(entry);
    const run = {
      ...chore.run,
      payload: payload.text,
      sealed: payload.sealed,
      dataVersion: payload.version ?? chore.run.dataVersion,
      ...wordless,
    };
    batch.check(entry.key, entry.version);
    choreTable.write(batch, chore, { ...chore, lastError: undefined, run });
  });
  await change(erased(definition.behaviour, payload));
}

const wordless = { reason: undefined, lastError: undefined };

/** What is left of the data: what the definition's own function leaves, else nothing. */
async function scrubbed(
  context: EngineContext,
  { behaviour }: Definition,
  record: RunRecord,
): Promise<Payload> {
  const { payloadBytesMax } = context.limits;
  const { data, scrub } = behaviour;
  if (!scrub) return await sealPayload(context, "null", data.version);
  const left = await withTimeout(
    context,
    Promise.resolve(scrub(readData(data, record, await openPayload(context, record)))),
    scrubMsMax,
    new AttemptSignal(),
  );
  return await sealPayload(context, jsonText(left, "what scrub answered", payloadBytesMax), data.version);
}

/** Reasons and error messages are free text, and may quote data. */
function withoutWords(entry: Entry): string {
  const row = parseStored(entry.value, `history row "${entry.key}"`) as Record<string, unknown>;
  if (row.reason === undefined && row.error === undefined) return entry.value;
  const { reason: _reason, error, ...rest } = row;
  const { name, code } = Object(error) as { name?: unknown; code?: unknown };
  return JSON.stringify({
    ...rest,
    ...(error !== undefined && { error: { name, message: "", ...(code !== undefined && { code }) } }),
  });
}

function choreOf(entry: Entry): Chore {
  return decodeChore(unescapeText(splitKey(entry.key)[2]!), entry.value);
}

/**
 * The record goes last, with the last of its history: until then the run is found, and this begins again. Whatever changes
 * the run meanwhile, as a request to delete its data does, ends this.
 */
async function removeRun(place: Place, held: Held): Promise<Disposed> {
  const { context, shard } = place;
  // A verb of this engine changes what is held while this goes on.
  const { record, version } = held;
  let waits = false;
  await rewrite(place, keyspace.chore.range(record.id), (batch, entry) => {
    const chore = choreOf(entry);
    // A hook that has not run yet is not lost with its run; a parked one has had its time.
    if (chore.due !== undefined) return waits = true;
    batch.check(entry.key, entry.version);
    choreTable.remove(batch, chore);
  });
  if (waits) return "later";
  const last: Entry[] = [];
  await rewrite(place, keyspace.idempotency.range(record.definition, record.key), (batch, entry) => {
    if (readAnswer(entry).runId !== record.id) return;
    // As long as the run is there, the same trigger makes no other one.
    if (splitKey(entry.key)[3] === "trigger") last.push(entry);
    else batch.check(entry.key, entry.version).delete(entry.key);
  });
  const keyRow = keyspace.key.key(record.definition, record.key);
  const limit = pageOf(context);
  for (;;) {
    const [page, [latest]] = await context.reader.read(shard, [
      { ...keyspace.history.range(record.id), limit },
      { get: keyRow },
    ]) as [Entry[], Entry[]];
    const batch = new BatchBuilder().check(record.rowKey, version);
    for (const { key } of page) batch.delete(key);
    const isLast = page.length < limit;
    if (isLast) {
      for (const { key, version } of last) batch.check(key, version).delete(key);
      runTable.remove(batch, record);
      await passKeyOn(place, batch, record, latest);
    }
    if (!await commit(place, batch)) return "again";
    if (isLast) return "gone";
  }
}

/** The latest run of a key leaves the key to the run before it, if that is still there. */
async function passKeyOn(
  { context }: Place,
  batch: BatchBuilder,
  { id, definition, key, previous }: RunRecord,
  latest: Entry | undefined,
): Promise<void> {
  const keyRow = keyspace.key.key(definition, key);
  // Checked also where it names another run, which may be passing it on to this one just now.
  batch.check(keyRow, latest?.version ?? null);
  if (!latest || readLatest(latest) !== id) return;
  const before = previous === undefined ? undefined : await readRun(context, previous);
  if (!before) return void batch.delete(keyRow);
  batch.check(before.record.rowKey, before.version);
  batch.put(keyRow, JSON.stringify({ runId: before.record.id }));
}

/** Rows of a batch that any store takes: each may cost three writes, and some are needed beside them. */
function pageOf({ limits, store }: EngineContext): number {
  const { writesPerCommitMax } = store.limits;
  return Math.max(1, Math.min(rowsPerBatch, limits.readPageMax, Math.floor((writesPerCommitMax - 6) / 3)));
}

/** Walks a range, and commits what becomes of its rows a batch at a time. */
async function rewrite(
  place: Place,
  { start, end }: { readonly start: string; readonly end: string },
  each: (batch: BatchBuilder, entry: Entry) => unknown,
): Promise<void> {
  const { context, shard } = place;
  const limit = pageOf(context);
  for (let from = start;;) {
    const [page] = await context.reader.read(shard, [{ start: from, end, limit }]);
    const batch = new BatchBuilder();
    for (const entry of page!) each(batch, entry);
    const isEmpty = batch.puts.length === 0 && batch.deletes.length === 0;
    // A row that has changed meanwhile is looked at again.
    if (!isEmpty && !await commit(place, batch)) continue;
    if (page!.length < limit) return;
    from = keyAfter(page!.at(-1)!.key);
  }
}

async function commit({ context, shard, guard }: Place, batch: BatchBuilder): Promise<boolean> {
  const result = await context.committer.commit(shard, batch, guard);
  if (!result.ok && result.reason === "lease-lost") throw new LeaseLostError(`shard ${shard}`);
  return result.ok;
}
