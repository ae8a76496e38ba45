/**
 * What the tests of the SQL surface share: a store in a file, and somebody who asks it in SQL.
 *
 * @module
 */
import Database from "libsql";
import { type LibsqlOptions, libsqlStore } from "pawl/adapters/libsql";
import type { Store } from "../../mod.ts";
import { World } from "../engine/stores.ts";

/** A row by its columns. */
export type Row = Readonly<Record<string, unknown>>;

/** A file that stores are opened on. */
export class SqlFile {
  readonly path: string;
  readonly url: string;
  readonly #folder: string;
  readonly #stores: Store[] = [];
  readonly #connections: InstanceType<typeof Database>[] = [];

  constructor(folder: string) {
    this.#folder = folder;
    this.path = `${folder}/test.db`;
    this.url = `file:${this.path}`;
  }

  /** A store that is open, and is closed at the end of the test. */
  async open(options: LibsqlOptions = {}): Promise<Store> {
    const store = libsqlStore({ url: this.url, durability: "normal", ...options });
    this.#stores.push(store);
    await store.read([{ shard: 0, ops: [{ get: "nothing" }] }]);
    return store;
  }

  /** A connection of the user's own. */
  connect(): InstanceType<typeof Database> {
    const connection = new Database(this.path, { timeout: 1_000 });
    this.#connections.push(connection);
    return connection;
  }

  /** Asks in SQL. */
  rows(sql: string, ...args: unknown[]): Row[] {
    const connection = new Database(this.path);
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
export function testOnFile(name: string, body: (file: SqlFile) => Promise<void>): void {
  Deno.test(name, async () => {
    const file = new SqlFile(await Deno.makeTempDir({ prefix: "pawl-" }));
    try {
      await body(file);
    } finally {
      await file.end();
    }
  });
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
