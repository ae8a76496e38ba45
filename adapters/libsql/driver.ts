import { PawlError } from "../../core/errors.ts";
import type { Database, Driver, Prepared } from "../sql/driver.ts";

/** The part of a prepared statement of package `libsql` that is used. */
interface NativeStatement extends Prepared {
  /** Whether it returns rows. */
  readonly reader: boolean;
  /** Makes it return rows as arrays. */
  raw(on: boolean): unknown;
}

/** The part of a connection of package `libsql` that is used. */
interface NativeDatabase {
  readonly inTransaction: boolean;
  prepare(sql: string): NativeStatement;
  exec(sql: string): unknown;
  close(): unknown;
}

/** The class of the package. */
export type NativeClass = new (path: string, options: { readonly timeout: number }) => NativeDatabase;

/**
 * Opens connections through package `libsql`.
 *
 * @param native Its class; tests give one that fails.
 * @returns The driver.
 */
export function libsqlDriver(native: NativeClass): Driver {
  return {
    name: "libsql",
    // A connection lives on until the last of its statements is collected.
    letsGo: false,
    open: (path, busyTimeoutMs) => connectionOf(new native(path, { timeout: busyTimeoutMs })),
  };
}

function connectionOf(db: NativeDatabase): Database {
  return {
    prepare(sql) {
      const statement = db.prepare(sql);
      // The driver refuses rows as arrays of a statement that returns none.
      if (statement.reader) statement.raw(true);
      return statement;
    },
    // Not a prepared statement: one that failed stays in progress and makes every later commit fail.
    exec: (sql) => db.exec(sql),
    rollback() {
      if (db.inTransaction) db.exec("rollback");
    },
    close: () => db.close(),
  };
}

/**
 * Loads the native module. Only local stores do, so that others run where it cannot be loaded.
 *
 * @returns The driver.
 * @throws {PawlError} `STORE_FAILED` when the package is not there.
 */
export async function loadDriver(): Promise<Driver> {
  try {
    return libsqlDriver((await import("libsql")).default as unknown as NativeClass);
  } catch (cause) {
    throw new PawlError(
      "STORE_FAILED",
      "Cannot load the driver of local files: is package libsql installed? " +
        "Node 22.13 and Deno 2.3 need none for sqliteStore() of pawl/adapters/sqlite",
      { cause },
    );
  }
}
