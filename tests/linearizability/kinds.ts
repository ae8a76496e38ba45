/**
 * The kinds of stores whose histories are judged. Another kind is another line.
 *
 * @module
 */
import { libsqlStore } from "pawl/adapters/libsql";
import { memoryStore } from "pawl/adapters/memory";
import type { Random } from "../../core/ports/random.ts";
import type { Store } from "../../core/store/store.ts";
import { fileStore } from "../file_store.ts";
import { losingStore } from "./ways.ts";

/** A kind whose clients share a process: they open the store as often as they like. */
export interface NearKind {
  readonly home: "here";
  readonly outcomes: boolean;
  /** Makes an empty store, and says how to open it. */
  readonly make: (random: Random) => () => Store;
}

/** A kind whose clients are in processes of their own, on a file or at a server. */
export interface FarKind {
  readonly home: "file" | "http" | "ws";
  readonly outcomes: boolean;
  readonly open: (url: string) => Store;
}

const near = (make: NearKind["make"], outcomes = false): NearKind => ({ home: "here", outcomes, make });

const one = (store: Store) => () => store;

/** Each opens a store of any number of shards. */
export const kinds = {
  "memory": near(() => one(memoryStore({ shards: 4 }))),
  "memory-1": near(() => one(memoryStore())),
  "memory-losing": near(
    (random) => one(losingStore(memoryStore({ shards: 2, keepOutcomes: true }), random)),
    true,
  ),
  "libsql-memory": near(() => one(libsqlStore({ url: ":memory:", shards: 2 }))),
  "file": { home: "file", outcomes: false, open: (url) => libsqlStore({ url, shards: 3 }) },
  // Some of its processes have one SQLite library, some the other.
  "mixed-file": { home: "file", outcomes: false, open: (url) => fileStore({ url, shards: 3 }, "mixed") },
  "sqld": { home: "http", outcomes: true, open: (url) => libsqlStore({ url, shards: 3 }) },
  "sqld-ws": { home: "ws", outcomes: true, open: (url) => libsqlStore({ url, shards: 3 }) },
} as const satisfies Readonly<Record<string, NearKind | FarKind>>;

/** A kind's name. */
export type KindName = keyof typeof kinds;

/** The names of kinds whose clients are in processes of their own. */
export type FarKindName = { [Name in KindName]: typeof kinds[Name] extends FarKind ? Name : never }[KindName];
