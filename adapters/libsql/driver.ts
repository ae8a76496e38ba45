import { PawlError } from "../../core/errors.ts";

/** The part of a prepared statement of package `libsql` that is used. */
export interface Prepared {
  /** Whether it returns rows. */
  readonly reader: boolean;
  /** Makes it return rows as arrays. */
  raw(on: boolean): unknown;
  /** Runs it to its end. */
  all(args: readonly unknown[]): unknown[];
  /** Runs it to its end. */
  run(args: readonly unknown[]): unknown;
}

/** The part of a connection of package `libsql` that is used. All of it blocks. */
export interface Database {
  /** Whether a transaction is open. */
  readonly inTransaction: boolean;
  /** Compiles a statement. */
  prepare(sql: string): Prepared;
  /** Compiles and runs a statement, and forgets it. */
  exec(sql: string): unknown;
  /** Ends the connection. */
  close(): unknown;
}

/** Opens connections. */
export type Driver = new (path: string, options: { readonly timeout: number }) => Database;

/**
 * Loads the native module. Only local stores do, so that others run where it cannot be loaded.
 *
 * @returns The driver.
 * @throws {PawlError} `STORE_FAILED` when the package is not there.
 */
export async function loadDriver(): Promise<Driver> {
  try {
    return (await import("libsql")).default;
  } catch (cause) {
    throw new PawlError(
      "STORE_FAILED",
      "Cannot load the driver of local files: is package libsql installed?",
      {
        cause,
      },
    );
  }
}
