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
import { type Payload, type RunRecord, runTable } from "../parts/run_record.ts";
import { BatchBuilder } from "../store/batch.ts";
import { keyAfter, splitKey, unescapeText } from "../store/key.ts";
import { keyspace } from "../store/keyspace.ts";
import type { Check, Entry } from "../store/store.ts";
import type { Definition } from "./behaviour.ts";
import { type EngineContext, openPayload, sealPayload, shardOfRun } from "./context.ts";
import { readData } from "./data_rules.ts";
import { runError } from "./step_runner.ts";
import type { Held } from "./write_change.ts";

/** Rows of one batch: small enough for any store. */
const rowsPerBatch = 64;

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
 * @returns Whether the run is gone.
 */
export async function dispose(
  context: EngineContext,
  definition: Definition,
  held: Held,
  guard: Check,
  kind: "erase" | "remove",
  change: (changeOf: ChangeOf) => Promise<void>,
): Promise<boolean> {
  const place = { context, shard: shardOfRun(context, held.record.id), guard };
  if (kind === "remove") return await removeRun(place, held);
  await eraseRun(place, definition, held, change);
  return false;
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
  const left = await scrub(readData(data, record, await openPayload(context, record)));
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

/** The record goes last: until then the run is found, and this begins again. */
async function removeRun(place: Place, held: Held): Promise<boolean> {
  const { record } = held;
  await rewrite(place, keyspace.chore.range(record.id), (batch, entry) => {
    batch.check(entry.key, entry.version);
    choreTable.remove(batch, choreOf(entry));
  });
  await rewrite(place, keyspace.idempotency.range(record.definition, record.key), (batch, entry) => {
    if (readAnswer(entry).runId === record.id) batch.check(entry.key, entry.version).delete(entry.key);
  });
  await rewrite(place, keyspace.history.range(record.id), (batch, entry) => batch.delete(entry.key));
  const { context, shard } = place;
  const keyRow = keyspace.key.key(record.definition, record.key);
  const latest = await context.reader.get(shard, keyRow);
  const batch = new BatchBuilder().check(keyspace.run.key(record.id), held.version);
  runTable.remove(batch, record);
  if (latest && readLatest(latest) === record.id) batch.check(keyRow, latest.version).delete(keyRow);
  return await commit(place, batch);
}

/** Walks a range, and commits what becomes of its rows a batch at a time. */
async function rewrite(
  place: Place,
  { start, end }: { readonly start: string; readonly end: string },
  each: (batch: BatchBuilder, entry: Entry) => void,
): Promise<void> {
  const { context, shard } = place;
  const limit = Math.min(rowsPerBatch, context.limits.pageMax);
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
