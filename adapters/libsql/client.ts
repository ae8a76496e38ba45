import { PawlError, StoreClosedError } from "../../core/errors.ts";
import { checkCommit, checkRead } from "../../core/store/settle.ts";
import type {
  Batch,
  CallResult,
  CommitCall,
  OnHint,
  PreparedBatch,
  ReadRequest,
  ReadResult,
  Store,
  StoreLimits,
} from "../../core/store/store.ts";
import { leavesStuck, remoteWriteError, storeError } from "./errors.ts";
import { Hints } from "./hints.ts";
import { prepareBatch } from "./prepared.ts";
import { planRead } from "./read_plan.ts";
import { retriable } from "./retriable.ts";
import { metaStatements, readMeta, setupStatements, type Statement } from "./schema.ts";
import { planCommit } from "./settle_sql.ts";

/** The part of a client of `@libsql/client` that a store uses. */
export interface LibsqlClient {
  /** How it talks to the database: `file`, `http` or `ws`. */
  readonly protocol: string;
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

/** What a client store needs to know. */
export interface ClientOptions {
  /** The client, or how to get one. */
  readonly client: () => Promise<LibsqlClient>;
  /** Whether the client was made for this store, and ends with it. */
  readonly owned: boolean;
  /** Whether a reply can be lost. */
  readonly remote: boolean;
  /** The store, for messages. */
  readonly name: string;
  /** Shard count. */
  readonly shards: number;
  /** What it accepts. */
  readonly limits: StoreLimits;
  /** Identity of the store if it is new. */
  readonly newId: string;
  /** Whether to build or drop the table of `sqlIndexes`; absent: it stays as it is. */
  readonly sqlIndexes?: boolean;
}

/** Any database that `@libsql/client` reaches: one round trip per commit and one per read. */
export class ClientStore implements Store {
  readonly limits: StoreLimits;
  readonly shards: number;
  readonly #options: ClientOptions;
  readonly #hints = new Hints();
  readonly #client = retriable(() => this.#open());
  readonly #running = new Set<Promise<unknown>>();
  #closed = false;

  /**
   * @param options Where and how. Nothing is sent before the first read or commit.
   */
  constructor(options: ClientOptions) {
    this.#options = options;
    this.limits = options.limits;
    this.shards = options.shards;
  }

  async read(requests: readonly ReadRequest[]): Promise<readonly ReadResult[]> {
    if (this.#closed) throw new StoreClosedError("read");
    checkRead(requests, this.limits, this.shards);
    const { statements, answer } = planRead(requests);
    if (statements.length === 0) return answer([]);
    return answer(await this.#track(this.#send(statements, "read", `read from ${this.#options.name}`)));
  }

  async commit(calls: readonly CommitCall[]): Promise<readonly CallResult[]> {
    if (this.#closed) throw new StoreClosedError("commit");
    checkCommit(calls, this.limits, this.shards);
    const { statements, settle } = planCommit(calls, this.#options.remote);
    const rows = await this.#track(this.#send(statements, "write", `commit to ${this.#options.name}`));
    const results = settle(rows);
    this.#hints.announce(calls, results);
    return results;
  }

  watch(onHint: OnHint): () => void {
    return this.#hints.watch(onHint);
  }

  prepare(shard: number, batch: Batch): PreparedBatch {
    if (this.#closed) throw new StoreClosedError("prepare");
    const { limits, shards } = this;
    return prepareBatch({ limits, shards, hint: (each) => this.#hints.announceShard(each) }, shard, batch);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#hints.leave();
    await Promise.allSettled(this.#running);
    if (this.#options.owned) (await this.#options.client().catch(() => undefined))?.close();
  }

  async #track<T>(work: Promise<T>): Promise<T> {
    this.#running.add(work);
    try {
      return await work;
    } finally {
      this.#running.delete(work);
    }
  }

  async #send(statements: Statement[], mode: "read" | "write", doing: string): Promise<Rows[]> {
    return await this.#batch(await this.#client(), statements, mode, doing);
  }

  async #batch(
    client: LibsqlClient,
    statements: Statement[],
    mode: "read" | "write",
    doing: string,
  ): Promise<Rows[]> {
    try {
      return (await client.batch(statements, mode)).map((result) => result.rows);
    } catch (error) {
      if (client.protocol === "file" && leavesStuck(error)) {
        // At once: a later attempt would take the lock before it finds itself stuck, and keep it.
        await client.reconnect?.();
      }
      throw mode === "write" && this.#options.remote
        ? remoteWriteError(error, doing)
        : storeError(error, doing);
    }
  }

  async #open(): Promise<LibsqlClient> {
    const { name, newId, shards, sqlIndexes } = this.#options;
    const client = await this.#options.client();
    const opening = `open ${name}`;
    try {
      const rows = (await this.#batch(client, metaStatements(newId, shards), "write", opening)).at(-1)!;
      const meta = readMeta(rows.map((row) => [String(row[0]), String(row[1])]), shards, name);
      await this.#batch(client, setupStatements(meta, sqlIndexes), "write", opening);
      if (!this.#closed) this.#hints.join(meta.id);
      return client;
    } catch (error) {
      throw neverApplied(error, opening);
    }
  }
}

type Rows = readonly ArrayLike<unknown>[];

/** Opening can be repeated at will, so a lost reply to it is a failure and not an unknown outcome. */
function neverApplied(error: unknown, doing: string): unknown {
  if (!(error instanceof PawlError) || error.code !== "OUTCOME_UNKNOWN") return error;
  return new PawlError("STORE_FAILED", `Cannot ${doing}: the server does not answer`, { cause: error.cause });
}
