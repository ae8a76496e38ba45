/**
 * Batches that users commit in transactions of their own: one `insert` into a view, whose trigger checks and writes as
 * the store would, and ends the whole transaction when a check does not hold.
 *
 * @module
 */
import { checkCommit } from "../../core/store/settle.ts";
import type { Batch, PreparedBatch, StoreLimits } from "../../core/store/store.ts";
import { packChecks, packPuts } from "./settle_sql.ts";

const applied = "PAWL_APPLIED";
const stale = "PAWL_STALE";

/** Made anew with the views; a view takes its triggers along when it is dropped. */
export const preparedStatements: readonly string[] = [
  "drop view if exists pawl_prepared",
  `create view pawl_prepared as
     select 0 as shard, '' as checks, '' as puts, '' as deletes where false`,
  // `raise` takes nothing but literals, so it is the engine that later finds out which run is in the way.
  `create trigger pawl_prepared_added instead of insert on pawl_prepared begin
     select raise(abort, '${applied}: these statements of a prepared trigger have been committed before')
     from json_each(new.checks) c join pawl_kv k on k.shard = new.shard and k.key = c.value ->> 0
     where c.value ->> 1 is null and k.key >= 'run ' and k.key < 'run!';
     select raise(abort, '${stale}: a prepared trigger''s key has got another run since; prepare it again')
     from json_each(new.checks) c left join pawl_kv k on k.shard = new.shard and k.key = c.value ->> 0
     where k.version is not c.value ->> 1;
     update pawl_shard set version = version + 1 where shard = new.shard;
     delete from pawl_kv where shard = new.shard and key in (select value from json_each(new.deletes));
     insert into pawl_kv (shard, key, version, value)
     select s.shard,
       p.value ->> 0 || case when p.value ->> 2 then printf('%012x', s.version) else '' end,
       s.version,
       p.value ->> 1
     from json_each(new.puts) p cross join pawl_shard s on s.shard = new.shard
     where true
     on conflict (shard, key) do update set version = excluded.version, value = excluded.value;
   end`,
];

/** What a store tells of itself to prepare a batch. */
export interface Preparer {
  readonly limits: StoreLimits;
  readonly shards: number;
  /** Hints at a change of a shard. */
  hint(shard: number): void;
}

/**
 * Words a batch as SQL.
 *
 * @param store The store.
 * @param shard The shard.
 * @param batch The batch.
 * @returns What to run.
 * @throws {PawlError} `LIMIT_EXCEEDED` for a batch that the store would not take.
 */
export function prepareBatch(store: Preparer, shard: number, batch: Batch): PreparedBatch {
  const call = { shard, committer: { id: "", callId: "" }, batches: [batch] };
  checkCommit([call], store.limits, store.shards);
  const { checks, deletes } = batch;
  const columns = [packChecks(checks), packPuts(batch), deletes].map((column) => JSON.stringify(column));
  const sql = "insert into pawl_prepared (shard, checks, puts, deletes) values (?, ?, ?, ?)";
  return {
    statements: [{ sql, args: [shard, ...columns] }],
    isRefusal,
    announce: () => store.hint(shard),
  };
}

/** How deep an error may be wrapped: by the client, and by what stands between it and the user. */
const causesMax = 8;

/** Every driver keeps the words of `raise` in its message. */
function isRefusal(error: unknown): boolean {
  for (let depth = 0, each = error; depth < causesMax && each; depth++, each = (each as Error).cause) {
    const message = String((each as Error).message ?? each);
    if (message.includes(applied) || message.includes(stale)) return true;
  }
  return false;
}
