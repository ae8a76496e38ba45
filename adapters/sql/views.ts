/**
 * The views that people ask with SQL. They are the stable surface of the database; the tables under them are not.
 *
 * A view reaches its rows by the primary key, shard by shard: the `cross join` holds SQLite to that order, and the two
 * bounds of the key are one range. Where the table of `sqlIndexes` is, runs are found through it instead.
 *
 * @module
 */
import { isStuck } from "./run_index.ts";

/** Raise it with any change of the texts below, or in `prepared.ts`: opening a store then makes them all anew. */
export const viewsVersion = 1;

/** All entries of one family, shard by shard. */
const rangeFrom = (prefix: string, as: string) =>
  `pawl_shard s cross join pawl_kv ${as}
     on ${as}.shard = s.shard and ${as}.key >= '${prefix} ' and ${as}.key < '${prefix}!'`;

const recordOf = (runId: string, shard: string) => `k.shard = ${shard} and k.key = 'run ' || ${runId}`;

/** Digits of a run id, which ends the keys of the due index. */
const runIdDigits = 30;

/** Where runs come from, and where their most asked columns are: `k` is the record, if it is needed. */
interface RunSource {
  readonly from: string;
  readonly shard: string;
  readonly runId: string;
  column(name: string, field: string): string;
}

const scanned: RunSource = {
  from: rangeFrom("run", "k"),
  shard: "k.shard",
  runId: "substr(k.key, 5)",
  column: (_, field) => `k.value ->> '${field}'`,
};

/** A left join, because SQLite leaves it out of questions that use no column of the record. */
const indexed: RunSource = {
  from: `pawl_run_index r left join pawl_kv k on ${recordOf("r.run_id", "r.shard")}`,
  shard: "r.shard",
  runId: "r.run_id",
  column: (name) => `r.${name}`,
};

const runColumns = (source: RunSource) => `
  ${source.runId} as run_id,
  ${source.column("definition", "definition")} as definition,
  ${source.column("key", "key")} as key,
  ${source.column("state", "state")} as state,
  ${source.column("status", "status")} as status,
  k.value ->> 'version' as version,
  k.value ->> 'visit' as visit,
  k.value ->> 'attempt' as attempt,
  k.value ->> 'crashes' as crashes,
  k.value ->> 'createdAt' as created_at,
  ${source.column("updated_at", "updatedAt")} as updated_at,
  k.value ->> 'due' as due_at,
  k.value ->> 'reason' as reason,
  k.value ->> '$.lastError.name' as last_error_name,
  k.value ->> '$.lastError.message' as last_error,
  k.value ->> 'previous' as previous_run_id,
  coalesce(k.value ->> 'sealed', 0) as sealed,
  case when k.value ->> 'sealed' then null else k.value -> 'data' end as data,
  ${source.shard} as shard`;

const runs = (source: RunSource) => `select ${runColumns(source)} from ${source.from}`;

/** What an operator should look at: paused, stalled, or failing. */
const stuck = (source: RunSource) =>
  `${runs(source)} where ${source === indexed ? "r.stuck = 1" : isStuck("k.value")}`;

const scannedCounts = `select definition, status, state, count(*) as runs from (
    select k.value ->> 'definition' as definition, k.value ->> 'status' as status, k.value ->> 'state' as state
    from ${scanned.from})
  group by state, definition, status`;

const nextGroup = (condition: string) =>
  `(select n.run_id from pawl_run_index n where ${condition} order by n.state, n.definition, n.status limit 1)`;

/**
 * From each group a seek to the next, and a count of each by itself: half the time of grouping the same index, which
 * compares three texts per run (7 and 14 ms for 200,000).
 */
const indexedCounts = `with recursive g (state, definition, status) as (
    select * from (
      select state, definition, status from pawl_run_index order by state, definition, status limit 1)
    union
    select r.state, r.definition, r.status from g cross join pawl_run_index r on r.run_id = coalesce(
      ${nextGroup("n.state = g.state and n.definition = g.definition and n.status > g.status")},
      ${nextGroup("n.state = g.state and n.definition > g.definition")},
      ${nextGroup("n.state > g.state")}))
  select g.definition as definition, g.status as status, g.state as state, (
    select count(*) from pawl_run_index c
    where c.state = g.state and c.definition = g.definition and c.status = g.status) as runs
  from g`;

const work = `select
    k.value ->> 'due' as due_at,
    k.value ->> 'definition' as definition,
    k.value ->> 'key' as key,
    k.value ->> 'id' as run_id,
    k.value ->> 'state' as state,
    k.value ->> 'status' as status,
    k.value ->> 'attempt' as attempt,
    k.shard as shard
  from ${rangeFrom("work", "w")}
  cross join pawl_kv k on ${recordOf(`substr(w.key, -${runIdDigits})`, "w.shard")}`;

/** From the runs to their rows, so that the history of one run is one range. */
const history = (source: RunSource) =>
  `select
    ${source.runId} as run_id,
    ${source.column("definition", "definition")} as definition,
    ${source.column("key", "key")} as key,
    h.version as position,
    h.value ->> 'at' as at,
    h.value ->> 'kind' as kind,
    h.value ->> 'by' as actor,
    h.value ->> 'from' as from_status,
    h.value ->> 'to' as to_status,
    h.value ->> 'runState' as state,
    h.value ->> 'version' as version,
    h.value ->> 'attempt' as attempt,
    h.value ->> 'durationMs' as duration_ms,
    h.value ->> 'reason' as reason,
    h.value ->> '$.error.name' as error_name,
    h.value ->> '$.error.message' as error,
    h.shard as shard
  from ${source.from}
  cross join pawl_kv h on h.shard = ${source.shard}
    and h.key >= 'hist ' || ${source.runId} || ' ' and h.key < 'hist ' || ${source.runId} || '!'`;

const leases = `select
    ${unescaped("substr(o.key, 7)")} as definition,
    o.shard as shard,
    o.value ->> 'engineId' as engine_id,
    o.value ->> 'epoch' as epoch,
    o.value ->> 'since' as since,
    p.value ->> 'expiresAt' as expires_at,
    p.value ->> 'termMs' as term_ms,
    p.value ->> 'since' as engine_since
  from ${rangeFrom("owner", "o")}
  left join pawl_kv p on p.shard = 0 and p.key = 'presence ' || (o.value ->> 'engineId')`;

const engines = `select
    substr(p.key, 10) as engine_id,
    p.value ->> 'since' as since,
    p.value ->> 'expiresAt' as expires_at,
    p.value ->> 'termMs' as term_ms
  from pawl_kv p where p.shard = 0 and p.key >= 'presence ' and p.key < 'presence!'`;

/** Every view by its name. */
const views = (source: RunSource): Readonly<Record<string, string>> => ({
  pawl_runs: runs(source),
  pawl_counts: source === indexed ? indexedCounts : scannedCounts,
  pawl_stuck: stuck(source),
  pawl_work: work,
  pawl_history: history(source),
  pawl_leases: leases,
  pawl_engines: engines,
});

/**
 * Makes all views anew.
 *
 * @param hasRunIndex Whether the table of `sqlIndexes` is there.
 * @returns SQL statements.
 */
export function viewStatements(hasRunIndex: boolean): readonly string[] {
  return Object.entries(views(hasRunIndex ? indexed : scanned)).flatMap(([name, body]) => [
    `drop view if exists ${name}`,
    `create view ${name} as ${body}`,
  ]);
}

/** What `unescapeText` of `core/store/key.ts` does, in SQL: one character or escape after another. */
function unescaped(text: string): string {
  const code = (digits: number) =>
    Array.from(
      { length: digits },
      (_, at) => `((instr('0123456789abcdef', substr(rest, ${at + 2}, 1)) - 1) << ${4 * (digits - 1 - at)})`,
    ).join(" + ");
  return `(
    with recursive u (done, rest) as (
      select '', ${text}
      union all
      select
        done || case substr(rest, 1, 1)
          when '!' then char(${code(2)})
          when '~' then char(${code(6)})
          else substr(rest, 1, 1) end,
        substr(rest, case substr(rest, 1, 1) when '!' then 4 when '~' then 8 else 2 end)
      from u where rest <> '')
    select done from u where rest = '')`;
}
