/**
 * Prepare: a trigger as statements that the user commits together with rows of his own, in one transaction.
 *
 * @module
 */
import { ConflictError, PawlError } from "../errors.ts";
import { keyspace } from "../store/keyspace.ts";
import type { PreparedBatch, SqlStatement } from "../store/store.ts";
import type { Definition } from "./behaviour.ts";
import { type EngineContext, placeOf, shardOf } from "./context.ts";
import {
  checkWish,
  idempotencyRow,
  look,
  newRecord,
  type RunIds,
  triggerBatch,
  type Triggered,
  type TriggerInput,
  type Wish,
} from "./trigger.ts";

/** A trigger that waits to be committed by the user. */
export interface PreparedTrigger extends Triggered {
  /** For the user's own transaction, in which they fail if the run cannot be created. None when `created` is false. */
  readonly statements: readonly SqlStatement[];
  /**
   * Tells why the transaction was refused.
   *
   * @param error What the user's driver threw.
   * @returns `RunInProgressError`; `CONFLICT`: a run of the key was first and is over, prepare again;
   * `ALREADY_APPLIED`: these statements were committed before; or `undefined`: it was not for this trigger.
   */
  refusal(error: unknown): Promise<PawlError | undefined>;
  /** After the commit, if you like: wakes the engines of this process at once. Others find the run by their poll. */
  landed(): void;
}

/**
 * Prepares a trigger.
 *
 * @throws {RunInProgressError} When the key has an unfinished run.
 * @throws {PawlError} What `trigger` throws at the door, or `UNSUPPORTED`.
 */
export async function prepareTrigger(
  context: EngineContext,
  runIds: RunIds,
  definition: Definition,
  key: string,
  input: TriggerInput,
): Promise<PreparedTrigger> {
  const { store } = context;
  const wish = await checkWish(context, definition, key, input);
  if (!store.prepare) {
    throw new PawlError(
      "UNSUPPORTED",
      `Cannot prepare trigger of "${definition.name}": this store has no statements to give; ` +
        `use one of libsqlStore(), or trigger()`,
    );
  }
  const shard = shardOf(context, definition.name, key);
  const seen = await look(context, wish, shard);
  if (seen.answered) {
    const refusal = () => Promise.resolve(undefined);
    return { runId: seen.answered, created: false, statements: [], refusal, landed: () => {} };
  }
  const record = newRecord(context, runIds, wish, placeOf(definition.name, key), seen.latest?.runId);
  const batch = triggerBatch(wish, record, seen.latest).put(keyspace.bell.key(definition.name), "1");
  const prepared = store.prepare(shard, batch);
  return {
    runId: record.id,
    created: true,
    statements: prepared.statements,
    refusal: (error) => explain(context, { wish, shard, runId: record.id, prepared, seen }, error),
    landed: () => prepared.announce(),
  };
}

/** What a prepared trigger was made of. */
interface Preparation {
  readonly wish: Wish;
  readonly shard: number;
  readonly runId: string;
  readonly prepared: PreparedBatch;
  readonly seen: Awaited<ReturnType<typeof look>>;
}

/** What is read now was not true before the refusal only if it came since; and then these statements are void, too. */
async function explain(
  context: EngineContext,
  { wish, shard, runId, prepared, seen }: Preparation,
  error: unknown,
): Promise<PawlError | undefined> {
  if (!prepared.isRefusal(error)) return undefined;
  const { name } = wish.definition;
  const [own, latest, kept] = await context.reader.read(shard, [
    { get: keyspace.run.key(runId) },
    { get: keyspace.key.key(name, wish.key) },
    ...(wish.idempotency ? [{ get: idempotencyRow(wish) }] : []),
  ]);
  if (own!.length > 0) {
    return new PawlError(
      "ALREADY_APPLIED",
      `Cannot trigger "${name}" for key "${wish.key}": run ${runId} was created by these statements before; ` +
        `prepare again for another run`,
      { cause: error },
    );
  }
  const isSame = latest![0]?.version === seen.latest?.version && !kept?.length;
  if (isSame) return undefined;
  const reason = await look(context, wish, shard).then(() => undefined, (thrown) => thrown as PawlError);
  if (reason?.code === "RUN_IN_PROGRESS" || reason?.code === "IDEMPOTENCY_MISMATCH") return reason;
  if (reason) throw reason;
  return new ConflictError(
    `Cannot trigger "${name}" for key "${wish.key}": another run was first since this was prepared; prepare again`,
  );
}
