import { createClient } from "@libsql/client";
import { type LibsqlOptions, libsqlStore, type LibsqlUrlOptions } from "pawl/adapters/libsql";
import { memoryStore } from "pawl/adapters/memory";
import { type SqliteOptions, sqliteStore } from "pawl/adapters/sqlite";
import type { Store } from "../../core/store/store.ts";
import { ownSqlite } from "../own_sqlite.ts";
import { storeConformance, type StoreConformanceOptions } from "../../core/testing/store_conformance.ts";

function suite(name: string, open: () => Store | Promise<Store>, options?: StoreConformanceOptions): void {
  for (const each of storeConformance(open, options)) Deno.test(`${name}: ${each.name}`, each.run);
}

/** A suite whose stores live in files, each in a folder of its own. */
function fileSuite(
  name: string,
  open: (url: string) => { store: Store; end?: () => void },
  options?: StoreConformanceOptions,
): void {
  const places = new WeakMap<Store, { folder: string; end?: () => void }>();
  const openIn = (folder: string) => {
    const { store, end } = open(`file:${folder}/pawl.db`);
    places.set(store, { folder, ...(end && { end }) });
    return store;
  };
  suite(name, async () => openIn(await Deno.makeTempDir()), {
    ...options,
    reopen(closed) {
      const { folder, end } = places.get(closed)!;
      end?.();
      return openIn(folder);
    },
    async dispose(store) {
      const { folder, end } = places.get(store)!;
      end?.();
      await Deno.remove(folder, { recursive: true });
    },
  });
}

/** A file client that says of itself that replies may be lost, so that the store keeps outcomes as for a server. */
function likeRemote(url: string, options: LibsqlOptions = {}): { store: Store; end: () => void } {
  const client = createClient({ url });
  const remote = {
    protocol: "http",
    batch: client.batch.bind(client),
    close: () => {
      throw new Error("a store closed a client that was handed in");
    },
  };
  return { store: libsqlStore({ client: remote, ...options }), end: () => client.close() };
}

const local = (options: Omit<LibsqlUrlOptions, "url">) => (url: string) => ({
  store: libsqlStore({ url, ...options }),
});

const builtIn = (options: SqliteOptions = {}) => (url: string) => ({
  store: sqliteStore({ url, ...options }),
});

suite("memory", () => memoryStore());
suite("memory, 4 shards", () => memoryStore({ shards: 4 }));
suite("memory, outcomes", () => memoryStore({ keepOutcomes: true }), { keepsOutcomes: true });
suite("memory, 4 shards, outcomes", () => memoryStore({ shards: 4, keepOutcomes: true }), {
  keepsOutcomes: true,
});

fileSuite("libsql file", local({}));
fileSuite("libsql file, 4 shards", local({ shards: 4 }));
fileSuite("libsql file, normal", local({ durability: "normal" }));
fileSuite("libsql file, sqlIndexes", local({ shards: 2, sqlIndexes: true }));
suite("libsql :memory:", () => libsqlStore({ url: ":memory:" }));

if (ownSqlite) {
  fileSuite("node:sqlite file", builtIn());
  const options = { shards: 4, durability: "normal", sqlIndexes: true } as const;
  fileSuite("node:sqlite file, 4 shards, normal, sqlIndexes", builtIn(options));
  suite("node:sqlite :memory:", () => sqliteStore({ path: ":memory:" }));
}

fileSuite("client of a file", (url) => {
  const client = createClient({ url });
  return { store: libsqlStore({ client }), end: () => client.close() };
});
fileSuite("client of a file, bigints", (url) => {
  const client = createClient({ url, intMode: "bigint" });
  return { store: libsqlStore({ client, shards: 3 }), end: () => client.close() };
});
suite("client of :memory:", () => libsqlStore({ client: createClient({ url: ":memory:" }) }));
fileSuite("client like a server's", (url) => likeRemote(url), { keepsOutcomes: true });
fileSuite("client like a server's, sqlIndexes", (url) => likeRemote(url, { sqlIndexes: true }), {
  keepsOutcomes: true,
});
fileSuite("client like a server's, 1 shard", (url) => likeRemote(url, { shards: 1 }), {
  keepsOutcomes: true,
});
