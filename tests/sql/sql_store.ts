/**
 * What the tests of the SQL surface share: a store in a file, and somebody who asks it in SQL.
 *
 * @module
 */
import Database from "libsql";
import type { LibsqlOptions } from "pawl/adapters/libsql";
import type { Store } from "../../mod.ts";
import { World } from "../engine/stores.ts";
import { fileLibrary, fileStore } from "../file_store.ts";
import { ownConnection, ownSqlite } from "../own_sqlite.ts";

/** A row by its columns. */
export type Row = Readonly<Record<string, unknown>>;

/** The SQLite of a file's stores and of whoever asks it: one library for a file, as they share a process. */
export type SqlLibrary = "libsql" | "node:sqlite";

/** A connection of a user's own. */
export interface Connection {
  exec(sql: string): unknown;
  prepare(sql: string): { all(args: readonly unknown[]): unknown[]; run(args: readonly unknown[]): unknown };
  close(): unknown;
}

function connectTo(path: string, library: SqlLibrary, timeout: number): Connection {
  if (library === "libsql") return new Database(path, { timeout }) as unknown as Connection;
  const db = ownConnection(path);
  db.exec(`pragma busy_timeout = ${timeout}`);
  return {
    exec: (sql) => db.exec(sql),
    prepare(sql) {
      const statement = db.prepare(sql);
      return {
        all: (args) => statement.all(...args as string[]).map((row) => ({ ...row })),
        run: (args) => statement.run(...args as string[]),
      };
    },
    close: () => db.close(),
  };
}

/** A file that stores are opened on. */
export class SqlFile {
  readonly path: string;
  readonly url: string;
  readonly library: SqlLibrary;
  readonly #folder: string;
  readonly #stores: Store[] = [];
  readonly #connections: Connection[] = [];

  constructor(folder: string, library: SqlLibrary = fileLibrary === "libsql" ? "libsql" : "node:sqlite") {
    this.library = library;
    this.#folder = folder;
    this.path = `${folder}/test.db`;
    this.url = `file:${this.path}`;
  }

  /** A store that is open, and is closed at the end of the test. */
  async open(options: LibsqlOptions = {}): Promise<Store> {
    const store = fileStore({ url: this.url, durability: "normal", ...options }, this.library);
    this.#stores.push(store);
    await store.read([{ shard: 0, ops: [{ get: "nothing" }] }]);
    return store;
  }

  /** A connection of the user's own. */
  connect(): Connection {
    const connection = connectTo(this.path, this.library, 1_000);
    this.#connections.push(connection);
    return connection;
  }

  /** Asks in SQL. */
  rows(sql: string, ...args: unknown[]): Row[] {
    const connection = connectTo(this.path, this.library, 0);
    try {
      return connection.prepare(sql).all(args) as Row[];
    } finally {
      connection.close();
    }
  }

  /** How SQLite goes about a question: the steps of its plan. */
  plan(sql: string): string[] {
    return this.rows(`explain query plan ${sql}`).map((row) => String(row.detail));
  }

  async end(): Promise<void> {
    for (const connection of this.#connections) connection.close();
    for (const store of this.#stores) await store.close();
    await Deno.remove(this.#folder, { recursive: true });
  }
}

/** Registers a test with a file of its own. */
export function testOnFile(
  name: string,
  body: (file: SqlFile) => Promise<void>,
  library?: SqlLibrary,
): void {
  Deno.test({
    name: library === "node:sqlite" ? `${name} (node:sqlite)` : name,
    ignore: library === "node:sqlite" && !ownSqlite,
    async fn() {
      const file = new SqlFile(await Deno.makeTempDir({ prefix: "pawl-" }), library);
      try {
        await body(file);
      } finally {
        await file.end();
      }
    },
  });
}

/** Registers it for either library. */
export function testOnFiles(name: string, body: (file: SqlFile) => Promise<void>): void {
  testOnFile(name, body);
  testOnFile(name, body, "node:sqlite");
}

/** Engines in virtual time on a store. */
export async function inWorld(store: Store, body: (world: World) => Promise<void>): Promise<void> {
  const world = new World(store);
  try {
    await body(world);
  } finally {
    await world.end();
  }
}
