import { leavesStuck, storeError } from "../sql/errors.ts";
import type { Ask, LibsqlClient, Link, Rows } from "./link.ts";

/** The way to a file through a client that was handed in: replies cannot be lost, but connections get stuck. */
export class FileLink implements Link {
  readonly #client: LibsqlClient;

  /**
   * @param client The user's client.
   */
  constructor(client: LibsqlClient) {
    this.#client = client;
  }

  async ask({ statements, mode, doing }: Ask): Promise<Rows[]> {
    try {
      return (await this.#client.batch(statements, mode === "read" ? "read" : "write")).map((result) =>
        result.rows
      );
    } catch (error) {
      // At once: a later attempt would take the lock before it finds itself stuck, and keep it.
      if (leavesStuck(error)) await this.#client.reconnect?.();
      throw storeError(error, doing);
    }
  }

  /** The client stays its user's. */
  close(): Promise<void> {
    return Promise.resolve();
  }
}
