/**
 * The tables, and how a store is created and recognised. Both backends use the same file format, so a file written by
 * one can be opened by the other.
 *
 * @module
 */
import { PawlError } from "../../core/errors.ts";
import { preparedStatements } from "./prepared.ts";
import { createRunIndex, dropRunIndex, runIndexVersion } from "./run_index.ts";
import { settleTriggers } from "./settle_sql.ts";
import { viewStatements, viewsVersion } from "./views.ts";

/** One SQL statement with its positional arguments. */
export interface Statement {
  /** SQL text. */
  sql: string;
  /** Values of its question marks. */
  args: (string | number)[];
}

/** The newest format this code reads. Rows of `pawl_meta` keep their shape for ever. */
export const format = 1;

/**
 * A process that ended uncleanly may have handed out versions that its disk never kept. Every opening skips this many,
 * which is more than a write-ahead log can hold between two syncs.
 */
export const versionSkip = 2 ** 20;

/** The largest number of shards, so that a run id can name its shard in 4 hexadecimal digits. */
export const shardsMax = 65_536;

/** What a store was created as. */
export interface StoreMeta {
  /** Its random identity. */
  readonly id: string;
  /** Its shard count. */
  readonly shards: number;
  /** Which texts its views have; absent: it has none. */
  readonly views: string | undefined;
  /** Which version of the table of `sqlIndexes` it has; absent: it has none. */
  readonly runIndex: string | undefined;
}

/**
 * The first step of opening: writes the identity of a new store, and reads whatever is there.
 *
 * @param id The identity of a new store.
 * @param shards The shard count of a new store.
 * @returns Statements for one transaction; the last one's rows go to {@linkcode readMeta}.
 */
export function metaStatements(id: string, shards: number): Statement[] {
  return [
    {
      sql: "create table if not exists pawl_meta (name text primary key, value text not null) without rowid",
      args: [],
    },
    {
      sql: `insert into pawl_meta (name, value)
            select column1, column2 from (values ('format', ?), ('shards', ?), ('id', ?))
            where not exists (select 1 from pawl_meta)`,
      args: [String(format), String(shards), id],
    },
    { sql: "select name, value from pawl_meta", args: [] },
  ];
}

/**
 * The second step: the tables of this format, the skip of {@linkcode versionSkip}, and the views, if they are not as
 * they should be.
 *
 * @param meta What the store is.
 * @param sqlIndexes `true` builds the table that questions in SQL use, `false` drops it; absent: it stays as it is.
 * @returns Statements for one transaction.
 */
export function setupStatements(meta: StoreMeta, sqlIndexes: boolean | undefined): Statement[] {
  const numbers = JSON.stringify(Array.from({ length: meta.shards }, (_, shard) => shard));
  return [
    ...tables.map((sql) => ({ sql, args: [] })),
    {
      sql: "insert or ignore into pawl_shard (shard, version) select value, 0 from json_each(?)",
      args: [numbers],
    },
    { sql: `update pawl_shard set version = version + ${versionSkip}`, args: [] },
    ...sqlStatements(meta, sqlIndexes),
  ];
}

/** Nothing for a store that is up to date. */
function sqlStatements(meta: StoreMeta, sqlIndexes: boolean | undefined): Statement[] {
  const wantsIndex = sqlIndexes ?? meta.runIndex !== undefined;
  const runIndex = wantsIndex ? String(runIndexVersion) : undefined;
  const views = `${viewsVersion}${wantsIndex ? " indexed" : ""}`;
  const statements: Statement[] = [];
  if (meta.runIndex !== runIndex) {
    const build = [...dropRunIndex, ...(wantsIndex ? createRunIndex : [])];
    statements.push(...build.map((sql) => ({ sql, args: [] })), keepMeta("run_index", runIndex));
  }
  if (meta.views !== views) {
    const made = [...viewStatements(wantsIndex), ...preparedStatements];
    statements.push(...made.map((sql) => ({ sql, args: [] })), keepMeta("views", views));
  }
  return statements;
}

function keepMeta(name: string, value: string | undefined): Statement {
  if (value === undefined) return { sql: "delete from pawl_meta where name = ?", args: [name] };
  return { sql: "insert or replace into pawl_meta (name, value) values (?, ?)", args: [name, value] };
}

/**
 * Reads what a store was created as.
 *
 * @param rows Name and value of each row of `pawl_meta`.
 * @param wanted The shard count the caller goes by.
 * @param where The store, for messages.
 * @returns What it is.
 * @throws {PawlError} `STORE_INCOMPATIBLE` for a newer format or another shard count.
 */
export function readMeta(
  rows: readonly (readonly [name: string, value: string])[],
  wanted: number,
  where: string,
): StoreMeta {
  const meta = new Map(rows);
  const seen = Number(meta.get("format"));
  if (seen !== format) {
    throw new PawlError(
      "STORE_INCOMPATIBLE",
      `Cannot open ${where}: it has format ${
        meta.get("format")
      }, this version of Pawl reads format ${format}; ` +
        (seen > format ? "open it with a newer Pawl" : "is it a Pawl store?"),
    );
  }
  const shards = Number(meta.get("shards"));
  if (shards !== wanted) {
    throw new PawlError(
      "STORE_INCOMPATIBLE",
      `Cannot open ${where}: it was created with ${shards} shards, got ${wanted}; open it with shards: ${shards}`,
    );
  }
  return { id: meta.get("id") ?? "", shards, views: meta.get("views"), runIndex: meta.get("run_index") };
}

const tables = [
  // Without rowid, entries lie in key order: a range is one walk, and there is no second tree to keep.
  `create table if not exists pawl_kv (
     shard integer not null, key text not null, version integer not null, value text not null,
     primary key (shard, key)
   ) without rowid`,
  "create table if not exists pawl_shard (shard integer primary key, version integer not null)",
  ...settleTriggers,
];
