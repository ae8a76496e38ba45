/**
 * Trigger: one batch that creates a run if its key has no unfinished one.
 *
 * @module
 */
import { ConflictError, OutcomeUnknownError, PawlError, RunInProgressError } from "../errors.ts";
import { fingerprint } from "../hash.ts";
import { jsonText } from "../json.ts";
import { encodeHistory } from "../parts/history.ts";
import { readAnswer, readLatest } from "../parts/key_rows.ts";
import { logText } from "../parts/run_log.ts";
import { hashSuffix, shardOfHash } from "../parts/run_id.ts";
import {
  earliestDue,
  isFinished,
  noTimers,
  type Payload,
  type RunOrigin,
  type RunRecord,
} from "../parts/run_record.ts";
import { recordOf, runTable } from "../parts/run_row.ts";
import type { RunPolicy } from "../parts/run_policy.ts";
import { BatchBuilder } from "../store/batch.ts";
import { stamp } from "../store/key.ts";
import { keyspace } from "../store/keyspace.ts";
import type { CommitResult } from "../store/group_commit.ts";
import type { Entry, Version } from "../store/store.ts";
import type { Definition } from "./behaviour.ts";
import { checkName } from "./check_input.ts";
import { definitionOf, type EngineContext, openPayload, placeOf, shardOfRun } from "./context.ts";
import { writeData } from "./data_rules.ts";
import { featureOf } from "./feature.ts";
import type { Ownership } from "./ownership.ts";
import type { PolicyOverride } from "./policy_override.ts";
import type { ShardOwner } from "./shard_owner.ts";
import { timersOf } from "./step_runner.ts";
import { readRun } from "./write_change.ts";

/** What a trigger was asked for, checked. */
export interface Wish {
  readonly definition: Definition;
  readonly key: string;
  readonly status: string;
  readonly payload: Payload;
  /** The data's JSON text, for the functions that set timers. */
  readonly text: string;
  readonly traceOrigin: string | undefined;
  /** The occurrence that it is made by. */
  readonly origin?: RunOrigin;
  /** What the caller asks for its steps. */
  readonly policies?: readonly RunPolicy[] | undefined;
  readonly idempotency: { readonly key: string; readonly input: string } | undefined;
}

/** Options of a trigger, untyped. */
export interface TriggerInput {
  readonly data?: unknown;
  readonly startAt?: string;
  readonly idempotencyKey?: string;
  readonly traceOrigin?: string | undefined;
  readonly policy?: PolicyOverride | undefined;
}

/** What a trigger answers. */
export interface Triggered {
  /** The run. */
  readonly runId: string;
  /** False when the idempotency key had been used before: the answer is that of the first call. */
  readonly created: boolean;
}

/** The latest run of a key, as a trigger finds it. */
export interface Latest {
  readonly version: Version;
  readonly runId: string;
}

/** Makes run ids: 12 digits of time, 4 of a sequence within the millisecond, 10 of chance, 4 of the shard's hash. */
export class RunIds {
  readonly #context: Pick<EngineContext, "clock" | "random">;
  #time = 0;
  #stamp = stamp(0);
  #sequence = 0;

  /**
   * @param context Time and chance.
   */
  constructor(context: Pick<EngineContext, "clock" | "random">) {
    this.#context = context;
  }

  /** The next id: later than every id this engine made before. */
  next(hash: number): { readonly id: string; readonly createdAt: number } {
    const now = this.#context.clock.now();
    this.#sequence++;
    if (now > this.#time) this.#begin(now);
    else if (this.#sequence > 0xffff) this.#begin(this.#time + 1);
    const sequence = this.#sequence.toString(16).padStart(4, "0");
    const id = this.#stamp + sequence + this.#context.random.hex(10) + hashSuffix(hash);
    return { id, createdAt: this.#time };
  }

  #begin(time: number): void {
    this.#time = time;
    this.#stamp = stamp(time);
    this.#sequence = 0;
  }
}

/**
 * Creates a run, or says why not.
 *
 * @throws {RunInProgressError} When the key has an unfinished run.
 * @throws {PawlError} `INVALID_ARGUMENT`, `UNKNOWN_STATUS`, `NOT_JSON`, `PAYLOAD_TOO_LARGE`, `IDEMPOTENCY_MISMATCH`,
 * `CONFLICT`, `STORE_FULL`, or what the store says.
 */
export async function trigger(
  context: EngineContext,
  ownership: Ownership,
  runIds: RunIds,
  definition: Definition,
  key: string,
  input: TriggerInput,
): Promise<Triggered> {
  const checked = checkWish(context, definition, key, input);
  const wish = checked instanceof Promise ? await checked : checked;
  const place = placeOf(definition.name, key);
  const shard = shardOfHash(place, context.store.shards);
  if (context.store.admits?.() === false) {
    const { answered } = await look(context, wish, shard);
    if (answered) return { runId: answered, created: false };
    throw new PawlError(
      "STORE_FULL",
      `Cannot trigger "${definition.name}" for key "${key}": the store is nearly full; ` +
        "new runs are refused until there is room, and those that are there go on",
    );
  }
  // A new key is the common case: it is tried blind, without a read.
  let latest: Latest | undefined;
  for (let rebase = 0; rebase <= context.limits.rebasesMax; rebase++) {
    const record = newRecord(context, runIds, wish, place, latest?.runId);
    const result = await commitNew(context, ownership, record, triggerBatch(wish, record, latest));
    if (result.ok) return { runId: record.id, created: true };
    if (result.reason === "lease-lost") continue;
    const seen = await look(context, wish, shard);
    if (seen.answered) return { runId: seen.answered, created: false };
    latest = seen.latest;
  }
  throw new ConflictError(
    `Cannot trigger "${definition.name}" for key "${key}": other writers were first ${context.limits.rebasesMax} times`,
  );
}

/** Commits a new run under its owner's fence, if that is here; else rings for the one who is to work on it. */
export async function commitNew(
  context: EngineContext,
  ownership: Pick<Ownership, "ownerOf">,
  record: RunRecord,
  batch: BatchBuilder,
): Promise<CommitResult> {
  const shard = shardOfRun(context, record.id);
  const owner = ownership.ownerOf(record.definition, shard);
  if (!owner) batch.put(keyspace.bell.key(record.definition), "1");
  try {
    const result = await context.committer.commit(shard, batch, owner?.guard);
    if (result.ok) begun(context, owner, record, result.version);
    else if (result.reason === "lease-lost") owner?.lost();
    return result;
  } catch (error) {
    if (error instanceof OutcomeUnknownError) owner?.unsure();
    throw error;
  }
}

/** Tells all who want to know of a run that has just been created. */
function begun(
  context: EngineContext,
  owner: ShardOwner | undefined,
  record: RunRecord,
  version: Version,
): void {
  if (owner && !owner.over) owner.adopt(record, version);
  context.watch.changed(record);
  const { behaviour } = definitionOf(context, record.definition);
  if (behaviour.stream) context.hub.changed(shardOfRun(context, record.id));
  context.metrics?.runState(record.definition, undefined, record.state);
}

/** Checks everything at the door; a plain value where nothing had to be waited for. */
export function checkWish(
  context: EngineContext,
  definition: Definition,
  key: string,
  input: TriggerInput,
): Wish | Promise<Wish> {
  const { limits } = context;
  const { behaviour, name } = definition;
  checkName(key, "key", limits.keyLengthMax);
  const status = input.startAt ?? behaviour.start;
  if (!behaviour.statuses.has(status) || behaviour.isTerminal(status)) {
    const usable = [...behaviour.statuses].filter((each) => !behaviour.isTerminal(each));
    throw new PawlError(
      "UNKNOWN_STATUS",
      `Cannot trigger "${name}" at status ${JSON.stringify(status)}: it can start at ${quoteAll(usable)}`,
    );
  }
  const { idempotencyKey } = input;
  if (idempotencyKey !== undefined) checkName(idempotencyKey, "idempotencyKey", limits.keyLengthMax);
  const { traceOrigin } = input;
  if (traceOrigin !== undefined && typeof traceOrigin !== "string") {
    throw new PawlError("INVALID_ARGUMENT", `Cannot trigger "${name}": traceOrigin is no text`);
  }
  const policies = policiesOf(context, definition, input.policy);
  const wishOf = (payload: Payload, text: string): Wish => ({
    definition,
    key,
    status,
    payload,
    text,
    traceOrigin: traceOrigin?.slice(0, limits.traceOriginLengthMax),
    policies,
    idempotency: idempotencyKey === undefined ? undefined : {
      key: idempotencyKey,
      input: fingerprint(
        `${status} ${givenText(context, input.data)}${policies ? JSON.stringify(policies) : ""}`,
      ),
    },
  });
  const withText = (payload: Payload): Wish | Promise<Wish> => {
    if (!behaviour.timers) return wishOf(payload, "");
    const text = openPayload(context, { payload: payload.text, sealed: payload.sealed });
    return typeof text === "string" ? wishOf(payload, text) : text.then((each) => wishOf(payload, each));
  };
  const payload = writeData(context, behaviour.data, input.data, `trigger "${name}" for key "${key}"`);
  return payload instanceof Promise ? payload.then(withText) : withText(payload);
}

/** What the caller asks for the steps of its run; refused where nobody may ask. */
function policiesOf(
  context: EngineContext,
  definition: Definition,
  given: PolicyOverride | undefined,
): readonly RunPolicy[] | undefined {
  if (given === undefined) return undefined;
  featureOf(context.features, "integrations", `trigger "${definition.name}" with a \`policy\``);
  return context.integrations!.policiesOf(definition, given);
}

/** What was given tells whether a call is the same: a schema may fill in other defaults, or be another one by now. */
export function givenText(context: EngineContext, data: unknown): string {
  try {
    return jsonText(data, "data", context.limits.payloadBytesMax);
  } catch {
    return String(JSON.stringify(data, (_, value) => typeof value === "bigint" ? `${value}n` : value));
  }
}

/** The run as it begins. */
export function newRecord(
  context: EngineContext,
  runIds: RunIds,
  wish: Wish,
  place: number,
  previous: string | undefined,
): RunRecord {
  const { behaviour, name } = wish.definition;
  const { id, createdAt } = runIds.next(place);
  const policy = behaviour.policy(wish.status);
  const stepDue = policy && context.clock.now() + policy.lagMs;
  // The functions that set them are told what a run that is not there yet will be.
  const timers = (behaviour.timers && timersOf(context, behaviour, wish.status, {
    runId: id,
    definition: name,
    key: wish.key,
    createdAt: new Date(createdAt),
    readData: () => JSON.parse(wish.text),
  })) ?? noTimers;
  const identity = {
    id,
    definition: name,
    key: wish.key,
    createdAt,
    previous,
    traceOrigin: wish.traceOrigin,
    origin: wish.origin,
    policies: wish.policies,
  };
  return recordOf(identity, {
    state: "initiated",
    status: wish.status,
    version: 1,
    visit: 1,
    attempt: 0,
    crashes: 0,
    updatedAt: createdAt,
    due: earliestDue(stepDue, timers),
    stepDue,
    timers,
    lock: undefined,
    reason: undefined,
    lastError: undefined,
    dataVersion: wish.payload.version ?? behaviour.data.version,
    sealed: wish.payload.sealed,
    payload: wish.payload.text,
  });
}

/** The batch that creates it; without the bell that a guest adds. */
export function triggerBatch(wish: Wish, record: RunRecord, latest: Latest | undefined): BatchBuilder {
  const batch = new BatchBuilder();
  const keyRow = keyspace.key.key(record.definition, record.key);
  batch.check(keyRow, latest?.version ?? null).check(record.rowKey, null);
  batch.put(keyRow, JSON.stringify({ runId: record.id }));
  runTable.write(batch, undefined, record);
  const by = wish.origin ? "schedule" : "client";
  const event = { kind: "trigger", by, to: record.status } as const;
  batch.putStamped(keyspace.history.front(record.id), encodeHistory(event, record, record.createdAt));
  if (wish.definition.behaviour.stream) {
    const logged = logText(undefined, { after: record, event }, record.createdAt)!;
    batch.putStamped(keyspace.log.front(record.definition), logged);
  }
  if (wish.idempotency) {
    const row = idempotencyRow(wish);
    // The key row alone does not tell: it goes with the latest run, which an earlier one may outlive.
    batch.check(row, null).put(row, JSON.stringify({ runId: record.id, input: wish.idempotency.input }));
  }
  return batch;
}

/** Where the answer to a wish with an idempotency key is kept. */
export function idempotencyRow(wish: Wish): string {
  return keyspace.idempotency.key(wish.definition.name, wish.key, "trigger", wish.idempotency!.key);
}

/** Is there our own earlier call, an unfinished run (which throws), or a finished one that we may follow? */
export async function look(
  context: EngineContext,
  wish: Wish,
  shard: number,
): Promise<{ readonly answered?: string; readonly latest?: Latest }> {
  const { name } = wish.definition;
  const [keyEntries, keptEntries] = await context.reader.read(shard, [
    { get: keyspace.key.key(name, wish.key) },
    ...(wish.idempotency ? [{ get: idempotencyRow(wish) }] : []),
  ]);
  const kept = keptEntries?.[0];
  if (kept) return { answered: sameInput(wish, kept) };
  const keyEntry = keyEntries?.[0];
  if (!keyEntry) return {};
  const runId = readLatest(keyEntry);
  const run = await readRun(context, runId);
  if (run && !isFinished(run.record.state)) throw new RunInProgressError(name, wish.key, runId);
  return { latest: { version: keyEntry.version, runId } };
}

function sameInput(wish: Wish, kept: Entry): string {
  const row = readAnswer(kept);
  if (row.input === wish.idempotency!.input) return row.runId;
  throw new PawlError(
    "IDEMPOTENCY_MISMATCH",
    `Cannot trigger "${wish.definition.name}" for key "${wish.key}": idempotency key ` +
      `"${wish.idempotency!.key}" was used before with other input (run ${row.runId}); use another one`,
  );
}

function quoteAll(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(", ");
}
