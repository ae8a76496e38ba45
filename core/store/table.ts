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

/** An index: rows without content, one for each record that stands in it. */
export interface Index<Row, Place extends string | number> {
  /** Where a record stands: all that can change of its key; `undefined`: it has no row. */
  readonly place: (row: Row) => Place | undefined;
  /** The key of a record that stands there. */
  readonly key: (row: Row, place: Place) => string;
}

/** One kind of record. */
export interface TableShape<Row, Place extends string | number> {
  /** Where a record lives. */
  readonly key: (row: Row) => string;
  /** Its JSON text. */
  readonly encode: (row: Row) => string;
  /** Its indexes. */
  readonly indexes: readonly Index<Row, Place>[];
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

/** What an index row holds. */
const present = "1";

/**
 * Makes the writer of one kind of record.
 *
 * @param shape Where its records and index rows live.
 * @returns The table.
 */
export function table<Row, Place extends string | number>(
  { key, encode, indexes }: TableShape<Row, Place>,
): Table<Row> {
  return {
    write(batch, before, after) {
      batch.put(key(after), encode(after));
      for (const index of indexes) {
        const old = before && index.place(before);
        const next = index.place(after);
        // Most changes move no row: places are compared, as making keys is the dearer part.
        if (old === next) continue;
        if (old !== undefined) batch.delete(index.key(before!, old));
        if (next !== undefined) batch.put(index.key(after, next), present);
      }
    },
    remove(batch, row) {
      batch.delete(key(row));
      for (const index of indexes) {
        const place = index.place(row);
        if (place !== undefined) batch.delete(index.key(row, place));
      }
    },
    rows: (row) =>
      indexes.flatMap((index) => {
        const place = index.place(row);
        return place === undefined ? [] : [{ key: index.key(row, place), value: present }];
      }),
  };
}
