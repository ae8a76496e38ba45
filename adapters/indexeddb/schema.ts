/**
 * What lies in the one object store: rows, a counter per shard, and what the store is. Its shape is kept in a row, not in
 * IndexedDB's version, so that no open tab ever has to make way for an upgrade.
 *
 * @module
 */
import { PawlError } from "../../core/errors.ts";

/** The one object store. */
export const rowsName = "rows";

/** IndexedDB's version of every Pawl database. */
export const databaseVersion = 1;

/** The newest format this code reads. */
export const format = 1;

/** Version numbers that are passed over when a store is opened: a power cut may have taken commits that gave them out. */
export const versionSkip = 2 ** 20;

/** A row: its shard and key, its value, and its version. Short names, as they are stored with every row. */
export interface Row {
  readonly k: string;
  readonly v: string;
  readonly n: number;
}

/** What a store is. */
export interface StoreMeta {
  readonly format: number;
  readonly shards: number;
  /** Made when the store was created: another one means that the browser has deleted the store. */
  readonly id: string;
  readonly createdAt: number;
}

/** The key of {@linkcode StoreMeta}. */
export const metaKey = "!meta";

/** The key of the bytes that are kept for when the site's quota is used up. */
export const reserveKey = "!reserve";

/** What keys of a shard begin with. */
export function shardFront(shard: number): string {
  return `${shard.toString(16).padStart(4, "0")} `;
}

/** The key of a shard's version counter. */
export function counterKey(shard: number): string {
  return `!version ${shardFront(shard)}`;
}

/**
 * @param row What the browser handed out.
 * @returns The same.
 * @throws {PawlError} `STORE_CORRUPT` when it is no row of Pawl's.
 */
export function checkRow(row: Row): Row {
  if (typeof row.v === "string" && Number.isSafeInteger(row.n) && row.n >= 0) return row;
  const what = JSON.stringify({ v: row.v, n: row.n })?.slice(0, 80);
  throw new PawlError("STORE_CORRUPT", `Cannot read key ${JSON.stringify(row.k)}: its row is ${what}`);
}

/**
 * @param row The row of a shard's version counter.
 * @returns The last version that was given out.
 * @throws {PawlError} `STORE_CORRUPT` when there is none: versions would be given out again.
 */
export function counterOf(row: Row | undefined, shard: number, where: string): number {
  if (row) return checkRow(row).n;
  throw new PawlError(
    "STORE_CORRUPT",
    `Cannot open ${where}: the version counter of shard ${shard} is gone`,
  );
}

/**
 * @param text The value of the meta row.
 * @param shards Shards that are expected; `undefined`: any number.
 * @param where For messages.
 * @returns What the store is.
 * @throws {PawlError} `STORE_INCOMPATIBLE`, or `STORE_CORRUPT` for what no Pawl wrote.
 */
export function readMeta(text: string, shards: number | undefined, where: string): StoreMeta {
  const meta = parse(text, where);
  if (meta.format !== format) {
    throw new PawlError(
      "STORE_INCOMPATIBLE",
      `Cannot open ${where}: it has format ${meta.format}, this version of Pawl reads format ${format}; ` +
        "reload the page to get the newer code",
    );
  }
  if (shards !== undefined && meta.shards !== shards) {
    throw new PawlError(
      "STORE_INCOMPATIBLE",
      `Cannot open ${where}: it has ${meta.shards} shards, want ${shards}; the count is fixed when a store is created`,
    );
  }
  return meta;
}

function parse(text: string, where: string): StoreMeta {
  try {
    const meta = JSON.parse(text) as StoreMeta;
    const isMeta = typeof meta.format === "number" && typeof meta.id === "string" &&
      typeof meta.shards === "number" && typeof meta.createdAt === "number";
    if (isMeta) return meta;
  } catch {
    // As any other text that is none of ours.
  }
  throw new PawlError(
    "STORE_CORRUPT",
    `Cannot open ${where}: its description is ${String(text).slice(0, 80)}`,
  );
}
