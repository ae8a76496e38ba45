/**
 * A record and the index rows that follow from it. This is the only code that writes index keys, so an index row can
 * never outlive, or miss, the record it stands for.
 *
 * @module
 */
import type { BatchBuilder } from "./batch.ts";

/** An index row that follows from a record. */
export interface IndexRow {
  /** Encoded key. */
  readonly key: string;
  /** JSON text. */
  readonly value: string;
}

/** One kind of record. */
export interface TableShape<Row> {
  /** Where a record lives. */
  readonly key: (row: Row) => string;
  /** Its JSON text. */
  readonly encode: (row: Row) => string;
  /** Each index, as a function from a record to its row there, if it has one. */
  readonly indexes: readonly ((row: Row) => IndexRow | undefined)[];
}

/** Writes records of one kind together with their index rows. */
export interface Table<Row> {
  /** Adds to the batch what turns `before` (absent: a new record) into `after`. Writes no row that stays the same. */
  write(batch: BatchBuilder, before: Row | undefined, after: Row): void;
  /** Adds to the batch what removes a record. */
  remove(batch: BatchBuilder, row: Row): void;
  /** All rows that must exist for a record: what `admin.verify()` compares with the store. */
  rows(row: Row): readonly IndexRow[];
}

/**
 * Makes the writer of one kind of record.
 *
 * @param shape Where its records and index rows live.
 * @returns The table.
 */
export function table<Row>(shape: TableShape<Row>): Table<Row> {
  return {
    write(batch, before, after) {
      batch.put(shape.key(after), shape.encode(after));
      for (const index of shape.indexes) {
        const old = before && index(before);
        const next = index(after);
        if (old && old.key !== next?.key) batch.delete(old.key);
        if (next && (old?.key !== next.key || old.value !== next.value)) batch.put(next.key, next.value);
      }
    },
    remove(batch, row) {
      batch.delete(shape.key(row));
      for (const index of shape.indexes) {
        const old = index(row);
        if (old) batch.delete(old.key);
      }
    },
    rows: (row) => shape.indexes.map((index) => index(row)).filter((found) => found !== undefined),
  };
}
