/**
 * `settleCall` of `core/store/settle.ts`, said in SQL: a whole commit is one `insert` into a view whose triggers settle
 * its calls and batches row by row, in order. So a commit of any shape is five statements, one round trip and one
 * transaction, and a batch sees what the batches before it wrote.
 *
 * @module
 */
import { readOutcome } from "../../core/store/settle.ts";
import { keyspace } from "../../core/store/keyspace.ts";
import type { Batch, BatchResult, CallResult, Check, CommitCall } from "../../core/store/store.ts";
import type { Statement } from "./schema.ts";

/** Why a call was refused, in the column `failed`; of a batch it is the index of the failed check. */
const superseded = -1;
const guardFailed = 0;

/** The first of the row's checks that does not hold, or null. */
const firstFailed = `(
  select min(c.key) from json_each(new.checks) c
  left join pawl_kv k on k.shard = new.shard and k.key = c.value ->> 0
  where k.version is not c.value ->> 1)`;

const batchHeld = "exists (select 1 from pawl_scratch where id = new.id and failed is null)";

const overwrite = "on conflict (shard, key) do update set version = excluded.version, value = excluded.value";

/**
 * What `pawl_inbox` does with a row. `pawl_scratch` lives within one transaction; writers take turns, so it is empty
 * at the start of each. Nothing is ever stored in the view.
 */
export const settleTriggers: readonly string[] = [
  `create table if not exists pawl_scratch (
     id integer primary key, call integer not null, version integer not null, failed integer, kept text)`,
  `create view if not exists pawl_inbox as
     select 0 as id, '' as kind, 0 as call, 0 as shard, 0 as version, '' as checks, '' as puts, '' as deletes,
       '' as outcome, '' as call_id, '' as previous
     where false`,
  `create trigger if not exists pawl_call instead of insert on pawl_inbox when new.kind = 'call' begin
     insert into pawl_scratch (id, call, version, failed, kept)
     select new.id, new.id, new.version,
       case
         when new.outcome is not null and (o.value ->> 'callId') is not new.previous then ${superseded}
         when ${firstFailed} is not null then ${guardFailed}
       end,
       o.value
     from (select 1) left join pawl_kv o on o.shard = new.shard and o.key = new.outcome;
   end`,
  `create trigger if not exists pawl_batch instead of insert on pawl_inbox when new.kind = 'batch' begin
     insert into pawl_scratch (id, call, version, failed)
     select new.id, new.call, new.version, ${firstFailed}
     where (select failed from pawl_scratch where id = new.call) is null;
     insert into pawl_kv (shard, key, version, value)
     select new.shard,
       p.value ->> 0 || case when p.value ->> 2 then printf('%012x', new.version) else '' end,
       new.version,
       p.value ->> 1
     from json_each(new.puts) p where ${batchHeld}
     ${overwrite};
     delete from pawl_kv
     where shard = new.shard and key in (select value from json_each(new.deletes)) and ${batchHeld};
   end`,
  // The row of rule 4. Only where replies can be lost.
  `create trigger if not exists pawl_outcome instead of insert on pawl_inbox when new.kind = 'outcome' begin
     insert into pawl_kv (shard, key, version, value)
     select new.shard, new.outcome, new.version,
       case
         when failed is not null then json_object('callId', new.call_id)
         else json_object('callId', new.call_id, 'results', (
           select json_group_array(case when b.failed is null then b.version else -1 - b.failed end)
           from (select version, failed from pawl_scratch where call = new.call and id > new.call order by id) b))
       end
     from pawl_scratch where id = new.call and failed is not ${superseded}
     ${overwrite};
   end`,
];

/** A commit on its way: what to run, and how to read what came back. */
export interface PlannedCommit {
  /** Run these in one write transaction. */
  readonly statements: Statement[];
  /** Reads the rows of each statement. */
  settle(rows: readonly (readonly ArrayLike<unknown>[])[]): CallResult[];
}

type Row = readonly unknown[];

/**
 * Plans a commit.
 *
 * @param calls The commit.
 * @param keepsOutcomes Whether replies can be lost, so that the rows of rule 4 are kept.
 * @returns Statements and the reader of their results.
 */
export function planCommit(calls: readonly CommitCall[], keepsOutcomes: boolean): PlannedCommit {
  const rows: Row[] = [];
  const used = new Map<number, number>();
  // A version is named by its distance from the shard's old counter, which only the database knows.
  const take = (shard: number) => {
    used.set(shard, (used.get(shard) ?? 0) + 1);
    return used.get(shard)!;
  };
  const firstIds = calls.map((call) => {
    const id = rows.length;
    const { committer, shard } = call;
    const outcome = keepsOutcomes ? keyspace.outcome.key(committer.id) : null;
    const guard = call.guard ? [call.guard] : [];
    rows.push([
      id,
      "call",
      id,
      shard,
      0,
      packChecks(guard),
      [],
      [],
      outcome,
      null,
      committer.previous ?? null,
    ]);
    for (const batch of call.batches) {
      rows.push([
        rows.length,
        "batch",
        id,
        shard,
        take(shard),
        packChecks(batch.checks),
        packPuts(batch),
        batch.deletes,
      ]);
    }
    if (outcome) {
      rows.push([rows.length, "outcome", id, shard, take(shard), [], [], [], outcome, committer.callId]);
    }
    return id;
  });
  return {
    statements: commitStatements(rows, [...used]),
    settle: ([, failures, shards]) => readResults(calls, firstIds, rows, failures!, shards!),
  };
}

function commitStatements(rows: readonly Row[], used: readonly (readonly [number, number])[]): Statement[] {
  return [
    {
      sql: `insert into pawl_inbox
            select r.value ->> 0, r.value ->> 1, r.value ->> 2, r.value ->> 3, s.version + (r.value ->> 4),
              r.value ->> 5, r.value ->> 6, r.value ->> 7, r.value ->> 8, r.value ->> 9, r.value ->> 10
            from json_each(?) r cross join pawl_shard s on s.shard = r.value ->> 3`,
      args: [JSON.stringify(rows)],
    },
    { sql: "select id, failed, kept from pawl_scratch where failed is not null", args: [] },
    {
      sql: "select shard, version from pawl_shard where shard in (select value ->> 0 from json_each(?))",
      args: [JSON.stringify(used)],
    },
    {
      sql: `update pawl_shard set version = pawl_shard.version + (u.value ->> 1)
            from json_each(?) u where pawl_shard.shard = u.value ->> 0`,
      args: [JSON.stringify(used)],
    },
    { sql: "delete from pawl_scratch", args: [] },
  ];
}

function readResults(
  calls: readonly CommitCall[],
  firstIds: readonly number[],
  rows: readonly Row[],
  failures: readonly ArrayLike<unknown>[],
  shards: readonly ArrayLike<unknown>[],
): CallResult[] {
  // A client may be set to return integers as numbers, bigints or text.
  const failed = new Map(failures.map((row) => [Number(row[0]), row]));
  const counters = new Map(shards.map((row) => [Number(row[0]), Number(row[1])]));
  return calls.map((call, index): CallResult => {
    const id = firstIds[index]!;
    const refusal = failed.get(id);
    if (refusal) {
      if (Number(refusal[1]) === guardFailed) return { outcome: "guard-failed" };
      return readOutcome(refusal[2] === null ? undefined : String(refusal[2]));
    }
    const results = call.batches.map((_, offset): BatchResult => {
      const row = rows[id + 1 + offset]!;
      const failure = failed.get(id + 1 + offset);
      if (failure) return { ok: false, failed: Number(failure[1]) };
      return { ok: true, version: counters.get(call.shard)! + Number(row[4]) };
    });
    return { outcome: "done", results };
  });
}

/** Checks as the triggers read them. */
export const packChecks = (checks: readonly Check[]): readonly unknown[] =>
  checks.map((check) => [check.key, check.version]);

/** Puts as the triggers read them. */
export const packPuts = (batch: Batch): readonly unknown[] =>
  batch.puts.map((put) => put.stamped ? [put.key, put.value, 1] : [put.key, put.value]);
