/**
 * Where a fleet lives: a folder with the ledger and the logs, and a store in a file or behind a server.
 *
 * @module
 */
import type { Store } from "pawl";
import { fileStore } from "../file_store.ts";
import { type SqldServer, startSqld } from "../sqld/server.ts";

/** Kinds of stores: a file, or a server by either of its protocols. */
export const storeKinds = ["file", "sqld", "sqld-ws"] as const;
/** A kind of store. */
export type StoreKind = typeof storeKinds[number];

/** Where a fleet lives. */
export interface Place {
  readonly kind: StoreKind;
  readonly folder: string;
  /** Path of the ledger. */
  readonly ledger: string;
  /** What every process opens. */
  readonly url: string;
  readonly shards: number;
  /** The server, if there is one. */
  readonly server: SqldServer | undefined;
  open(): Store;
  /** Ends the server; the folder stays. */
  close(): Promise<void>;
}

/** A worker that starts takes its share of each machine's shards: not too many, when workers come and go all the time. */
const shards = 8;

/** Makes a place of its own. */
export async function makePlace(kind: StoreKind): Promise<Place> {
  const folder = await Deno.makeTempDir({ prefix: "pawl-fleet-" });
  const common = { kind, folder, ledger: `${folder}/ledger.ndjson` };
  if (kind === "file") {
    const url = `file:${folder}/pawl.db`;
    const open = () => fileStore({ url, shards });
    return { ...common, url, shards, server: undefined, open, close: () => Promise.resolve() };
  }
  const server = await startSqld({ folder });
  const url = server.url(kind === "sqld" ? "http" : "ws");
  const open = () => fileStore({ url, shards });
  return { ...common, url, shards, server, open, close: () => server.stop() };
}
