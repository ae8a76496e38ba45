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
import { Hints } from "../../core/store/hints.ts";
import type { Link, Rows } from "./link.ts";
import { prepareBatch } from "../sql/prepared.ts";
import { planRead } from "../sql/read_plan.ts";
import { retriable } from "../../core/store/retriable.ts";
import { metaStatements, readMeta, setupStatements, type Statement, type StoreMeta } from "../sql/schema.ts";
import { planCommit } from "../sql/settle_sql.ts";

/** What a client store needs to know. */
export interface ClientOptions {
  /** The way to the database. */
  readonly link: Link;
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
  readonly #opened = retriable(() => this.#open());
  readonly #openedToRead = retriable(() => this.#openToRead());
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
    await this.#options.link.close();
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
    await (mode === "read" ? this.#openedToRead() : this.#opened());
    return await this.#options.link.ask({ statements, mode, doing });
  }

  async #open(): Promise<void> {
    const { newId, shards, sqlIndexes } = this.#options;
    const meta = this.#meet(await this.#askToOpen(metaStatements(newId, shards), "open"));
    await this.#askToOpen(setupStatements(meta, sqlIndexes), "open");
  }

  /** What may only be read can be read, if it is a store. */
  async #openToRead(): Promise<void> {
    try {
      await this.#opened();
    } catch (error) {
      if (!(error instanceof PawlError) || error.code !== "STORE_READ_ONLY") throw error;
      const found = await this.#askToOpen(metaStatements("", 0).slice(-1), "read").catch(() => {
        throw error;
      });
      this.#meet(found);
    }
  }

  async #askToOpen(statements: Statement[], mode: "read" | "open"): Promise<Rows[]> {
    return await this.#options.link.ask({ statements, mode, doing: `open ${this.#options.name}` });
  }

  #meet(found: readonly Rows[]): StoreMeta {
    const { shards, name } = this.#options;
    const meta = readMeta(found.at(-1)!.map((row) => [String(row[0]), String(row[1])]), shards, name);
    if (!this.#closed) this.#hints.join(meta.id);
    return meta;
  }
}
