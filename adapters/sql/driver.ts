/**
 * What a local store needs of a library with SQLite in it. All of it blocks the event loop until it is done.
 *
 * @module
 */

/** A row, as values in the order of its columns. */
export type Row = readonly unknown[];

/** A prepared statement. Whatever runs it runs it to its end, so that it holds no lock and no snapshot afterwards. */
export interface Prepared {
  /** Runs it, and returns its rows. */
  all(args: readonly unknown[]): Row[];
  /** Runs one that returns no rows. */
  run(args: readonly unknown[]): unknown;
}

/** A connection. What it throws carries the code of SQLite, as `codeOf` of `errors.ts` reads it. */
export interface Database {
  /** Compiles a statement. */
  prepare(sql: string): Prepared;
  /** Runs a statement that takes and returns nothing; one that fails leaves nothing in progress. */
  exec(sql: string): unknown;
  /** Takes the open transaction back, if there is one. */
  rollback(): void;
  /** Ends the connection. */
  close(): unknown;
}

/** A library. */
export interface Driver {
  /** The package or module it comes in, for messages. */
  readonly name: string;
  /** Whether a connection lets go of its file at once when it is closed. */
  readonly letsGo: boolean;
  /**
   * Opens a connection.
   *
   * @param path A path, or `:memory:`.
   * @param busyTimeoutMs How long one statement waits for another connection's lock.
   */
  open(path: string, busyTimeoutMs: number): Database;
}
