/**
 * The table behind `sqlIndexes`: the columns of every run that questions filter, group and order by, in a plain table
 * with plain indexes, kept by triggers within the transaction of each change.
 *
 * Indexes on expressions over the records themselves were measured and set aside: SQLite does not take them for
 * covering, so that counting 200,000 runs reads every record (230 ms; here 7 ms), and it writes each of them anew at
 * every change of a record, also where nothing in it changes, which costs a step more than this table does. Counts kept
 * by triggers cost as much, and answer nothing else.
 *
 * @module
 */

/** Raise it with any change of the statements below: older tables are then dropped and built again. */
export const runIndexVersion = 1;

/**
 * Whether an unfinished run does not go on by itself, or its step fails.
 *
 * @param record The SQL of its record.
 * @returns An SQL condition.
 */
export const isStuck = (record: string): string =>
  `(${record} ->> 'state' in ('paused', 'stalled') or ${record} ->> 'state' in ('initiated', 'running')
    and (${record} ->> 'attempt' > 0 or ${record} ->> 'crashes' > 0))`;

const isRun = (key: string) => `${key} >= 'run ' and ${key} < 'run!'`;

const columns = "(run_id, shard, definition, key, status, state, updated_at, stuck)";

const valuesOf = (row: string) =>
  `substr(${row}.key, 5), ${row}.shard, ${row}.value ->> 'definition', ${row}.value ->> 'key',
   ${row}.value ->> 'status', ${row}.value ->> 'state', ${row}.value ->> 'updatedAt', ${
    isStuck(`${row}.value`)
  }`;

/** Builds the table for whatever runs there are. */
export const createRunIndex: readonly string[] = [
  // A run's id is unique, but a store takes any key in any shard. No column refuses anything: a record that cannot be
  // understood must not make a commit fail.
  `create table pawl_run_index (
     run_id text, shard integer, definition text, key text, status text, state text,
     updated_at integer, stuck integer, primary key (run_id, shard)
   ) without rowid`,
  `insert into pawl_run_index ${columns}
   select ${valuesOf("k")} from pawl_shard s
   cross join pawl_kv k on k.shard = s.shard and ${isRun("k.key")}`,
  // Of a key's runs. Written once per run.
  "create index pawl_runs_by_key on pawl_run_index (definition, key)",
  // Counts, and what is in a state. `pawl_counts` reads nothing else, and by three seeks a group.
  "create index pawl_runs_by_state on pawl_run_index (state, definition, status)",
  // What changed lately.
  "create index pawl_runs_by_update on pawl_run_index (updated_at)",
  // What an operator should look at: few, so that it is hardly ever written.
  "create index pawl_runs_stuck on pawl_run_index (updated_at) where stuck = 1",
  `create trigger pawl_run_added after insert on pawl_kv when ${isRun("new.key")} begin
     insert into pawl_run_index ${columns} select ${valuesOf("new")};
   end`,
  `create trigger pawl_run_changed after update of value on pawl_kv when ${isRun("new.key")} begin
     update pawl_run_index
     set status = new.value ->> 'status', state = new.value ->> 'state', updated_at = new.value ->> 'updatedAt',
       stuck = ${isStuck("new.value")}
     where run_id = substr(new.key, 5) and shard = new.shard;
   end`,
  `create trigger pawl_run_removed after delete on pawl_kv when ${isRun("old.key")} begin
     delete from pawl_run_index where run_id = substr(old.key, 5) and shard = old.shard;
   end`,
];

/** Removes it, if it is there; its indexes go with it. */
export const dropRunIndex: readonly string[] = [
  "drop trigger if exists pawl_run_added",
  "drop trigger if exists pawl_run_changed",
  "drop trigger if exists pawl_run_removed",
  "drop table if exists pawl_run_index",
];
