/**
 * How a client store talks to its database: one function, and what stands between it and the wire.
 *
 * @module
 */
import type { Statement } from "../sql/schema.ts";

/** The part of a client of `@libsql/client` that a store uses. */
export interface LibsqlClient {
  /** How it talks to the database: `file`, `http` or `ws`. */
  readonly protocol: string;
  /** Whether its user has closed it. */
  readonly closed?: boolean;
  /** Runs statements in one transaction. */
  batch(
    statements: { sql: string; args: (string | number)[] }[],
    mode: "read" | "write",
  ): Promise<{ readonly rows: readonly ArrayLike<unknown>[] }[]>;
  /** Opens its connections anew. */
  reconnect?(): void | Promise<void>;
  /** Ends it. A store never closes a client that was handed in. */
  close(): void;
}

/** The rows of one statement. */
export type Rows = readonly ArrayLike<unknown>[];

/** A request: statements that run in one transaction and one trip. */
export interface Ask {
  /** Run in order. */
  readonly statements: Statement[];
  /** Whether it changes anything; `open`: it does, and may be done again at will. */
  readonly mode: "read" | "write" | "open";
  /** What it is for, for messages: `commit to store "libsql://host"`. */
  readonly doing: string;
}

/** The way to a database. */
export interface Link {
  /**
   * Asks once.
   *
   * @throws {PawlError} In Pawl's words, with a code that says what surely did not happen.
   */
  ask(request: Ask): Promise<Rows[]>;
  /** Ends what was made for this link. */
  close(): Promise<void>;
}
