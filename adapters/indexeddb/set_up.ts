import { PawlError } from "../../core/errors.ts";
import type { Handle } from "./database.ts";
import {
  checkRow,
  counterKey,
  counterOf,
  metaKey,
  readMeta,
  rowsName,
  type StoreMeta,
  versionSkip,
} from "./schema.ts";

/** What a database turned out to be. */
export interface Found {
  readonly meta: StoreMeta;
  /** There was nothing. */
  readonly isNew: boolean;
}

/**
 * Creates the store if it is new, and passes over versions that may have been given out before a power cut.
 *
 * @param fresh What it is if it is new.
 * @throws {PawlError} `STORE_INCOMPATIBLE`; `STORE_CORRUPT` for what no Pawl has left behind.
 */
export async function setUp(handle: Handle, fresh: StoreMeta, where: string): Promise<Found> {
  const names = [...handle.objectStoreNames];
  if (names.length !== 1 || names[0] !== rowsName) throw foreign(names, where);
  const tx = handle.transaction(rowsName, "readwrite", { durability: "strict" });
  tx.done.catch(() => {});
  if (tx.store.keyPath !== "k") throw foreign(names, where);
  const shards = Array.from({ length: fresh.shards }, (_, shard) => shard);
  const [row, anyKeys, ...counts] = await Promise.all([
    tx.store.get(metaKey),
    tx.store.getAllKeys(null, 1),
    ...shards.map((shard) => tx.store.get(counterKey(shard))),
  ]);
  if (!row && anyKeys.length > 0) {
    throw new PawlError(
      "STORE_CORRUPT",
      `Cannot open ${where}: it has rows, and no description of the store`,
    );
  }
  const meta = row ? readMeta(checkRow(row).v, fresh.shards, where) : fresh;
  if (!row) tx.store.put({ k: metaKey, v: JSON.stringify(meta), n: 0 }).catch(() => {});
  for (const shard of shards) {
    const n = row ? counterOf(counts[shard], shard, where) + versionSkip : 0;
    tx.store.put({ k: counterKey(shard), v: "", n }).catch(() => {});
  }
  tx.commit();
  await tx.done;
  return { meta, isNew: !row };
}

/** A database of our version that another program made, or of which the browser has lost a part. */
function foreign(names: readonly string[], where: string): PawlError {
  const holds = names.length === 0 ? "nothing" : names.map((name) => `"${name}"`).join(", ");
  return new PawlError(
    "STORE_CORRUPT",
    `Cannot open ${where}: it should hold the object store "${rowsName}" by key "k", and holds ${holds}; ` +
      "is it another program's? Choose another name",
  );
}
