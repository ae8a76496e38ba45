import type { Entry, ReadRequest, ReadResult } from "../../core/store/store.ts";
import type { Statement } from "./schema.ts";

/** All keys asked for, in one statement: a statement costs more than a row. */
const getsSql = `select j.key as place, k.key, k.version, k.value
  from json_each(?) j cross join pawl_kv k on k.shard = j.value ->> 0 and k.key = j.value ->> 1`;

const rangeSql = (order: string) =>
  `select null as place, key, version, value from pawl_kv
   where shard = ? and key >= ? and key < ? order by key ${order} limit ?`;

const forwardSql = rangeSql("asc");
const reverseSql = rangeSql("desc");

/** A read on its way: what to run, and how to read what came back. */
export interface PlannedRead {
  /** Run these in one read transaction. */
  readonly statements: Statement[];
  /** Sorts the rows of each statement to the ops that asked for them. */
  answer(rows: readonly (readonly ArrayLike<unknown>[])[]): ReadResult[];
}

/**
 * Plans a read: one statement for all keys and one per range.
 *
 * @param requests The read.
 * @returns Statements and the reader of their rows.
 */
export function planRead(requests: readonly ReadRequest[]): PlannedRead {
  const keys: [shard: number, key: string][] = [];
  const ranges: Statement[] = [];
  // Where the answer of each op is: a key by its index, a range by the complement of its index.
  const places = requests.map(({ shard, ops }) =>
    ops.map((op) => {
      if ("get" in op) return keys.push([shard, op.get]) - 1;
      const sql = op.reverse ? reverseSql : forwardSql;
      return ~(ranges.push({ sql, args: [shard, op.start, op.end, op.limit] }) - 1);
    })
  );
  const gets = keys.length > 0 ? [{ sql: getsSql, args: [JSON.stringify(keys)] }] : [];
  return {
    statements: [...gets, ...ranges],
    answer(rows) {
      const found = new Map(gets.length > 0 ? rows[0]!.map((row) => [Number(row[0]), row]) : []);
      const answerTo = (place: number) => {
        if (place < 0) return rows[~place + gets.length]!.map(entryOf);
        const row = found.get(place);
        return row ? [entryOf(row)] : [];
      };
      return places.map((of) => of.map(answerTo));
    },
  };
}

function entryOf(row: ArrayLike<unknown>): Entry {
  return { key: String(row[1]), version: Number(row[2]), value: String(row[3]) };
}
