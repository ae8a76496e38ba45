import { PawlError } from "../../core/errors.ts";
import type { Database, Driver, Prepared, Row } from "../sql/driver.ts";

/** The part of a prepared statement of `node:sqlite` that is used. */
interface StatementSync {
  all(...args: unknown[]): object[];
  run(...args: unknown[]): unknown;
  /** Node 22.13 and Deno 2.6 have none. */
  setReturnArrays?(on: boolean): void;
}

/** The part of a connection of `node:sqlite` that is used. */
interface DatabaseSync {
  /** Node 22.13 and Deno 2.6 do not tell. */
  readonly isTransaction?: boolean;
  prepare(sql: string): StatementSync;
  close(): void;
}

/** The module. */
export interface SqliteModule {
  readonly DatabaseSync: new (path: string) => DatabaseSync;
}

/** What is asked for the module: `process` of Node and Deno. */
export interface Host {
  getBuiltinModule?(name: string): unknown;
}

/**
 * Finds the runtime's own SQLite. It is asked for by name and not imported, so that a bundler does not look for it, this
 * module can be imported where there is none, and Node says nothing of experiments before a store is made.
 *
 * @param host Who is asked for it.
 * @returns The driver.
 * @throws {PawlError} `UNSUPPORTED` where there is none.
 */
export function sqliteDriver(host = (globalThis as { process?: Host }).process): Driver {
  const found = host?.getBuiltinModule?.("node:sqlite") as SqliteModule | undefined;
  if (!found?.DatabaseSync) {
    throw new PawlError(
      "UNSUPPORTED",
      "Cannot make a SQLite store: this runtime has no node:sqlite; it comes with Node 22.13 and Deno 2.3, " +
        "elsewhere use libsqlStore() of pawl/adapters/libsql with package libsql",
    );
  }
  return {
    name: "node:sqlite",
    letsGo: true,
    open: (path, busyTimeoutMs) => connectionOf(new found.DatabaseSync(path), busyTimeoutMs),
  };
}

function connectionOf(db: DatabaseSync, busyTimeoutMs: number): Database {
  const kept = new Map<string, StatementSync>();
  const exec = (sql: string) => {
    let statement = kept.get(sql);
    if (!statement) kept.set(sql, statement = db.prepare(sql));
    statement.run();
  };
  // The option of the constructor came with Node 22.16.
  db.prepare(`pragma busy_timeout = ${busyTimeoutMs}`).all();
  return {
    prepare: (sql) => preparedOf(db.prepare(sql)),
    // Prepared, because `db.exec` of Deno throws errors without their codes.
    exec,
    rollback() {
      if (db.isTransaction === false) return;
      try {
        exec("rollback");
      } catch (error) {
        // Where nobody can tell whether there was one, there was none.
        if (db.isTransaction) throw error;
      }
    },
    close() {
      kept.clear();
      db.close();
    },
  };
}

function preparedOf(statement: StatementSync): Prepared {
  const run = (args: readonly unknown[]) => statement.run(...args);
  if (!statement.setReturnArrays) {
    return { run, all: (args) => statement.all(...args).map((row) => Object.values(row)) };
  }
  statement.setReturnArrays(true);
  return { run, all: (args) => statement.all(...args) as unknown as Row[] };
}
