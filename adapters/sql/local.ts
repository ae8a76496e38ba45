import { PawlError, StoreBusyError, StoreClosedError } from "../../core/errors.ts";
import { type Clock, sleep } from "../../core/ports/clock.ts";
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
import { Connection, type ConnectionOptions } from "./connection.ts";
import type { Driver } from "./driver.ts";
import { storeError } from "./errors.ts";
import { inMemory } from "./file_url.ts";
import { claimFile } from "./one_library.ts";
import { Hints } from "../../core/store/hints.ts";
import { prepareBatch } from "./prepared.ts";
import { retriable } from "../../core/store/retriable.ts";

/** What a local store needs to know. */
export interface LocalOptions extends ConnectionOptions {
  /** The URL as the user wrote it, for messages. */
  readonly url: string;
  /** Shard count. */
  readonly shards: number;
  /** What it accepts. */
  readonly limits: StoreLimits;
  /** Identity of the store if it is new. */
  readonly newId: string;
  /** Waits between attempts to open a locked file. */
  readonly clock: Clock;
  /** Finds the library, when the store is first used. */
  readonly loadDriver: () => Driver | Promise<Driver>;
}

/** Attempts to open a locked file, and the pause after each: a few seconds, as long as a crash recovery may take. */
const openAttemptsMax = 100;
const openPauseMs = 20;

/** A file, or a database in the memory of this process: one transaction per commit. */
export class LocalStore implements Store {
  readonly limits: StoreLimits;
  readonly shards: number;
  readonly #options: LocalOptions;
  readonly #hints = new Hints();
  readonly #connection = retriable(() => this.#open());
  #closed = false;
  /** Gives up the claim on the file. */
  #letGo = () => {};
  #last: Promise<Connection> | undefined;

  /**
   * @param options Where and how. Nothing is opened before the first read or commit.
   */
  constructor(options: LocalOptions) {
    this.#options = options;
    this.limits = options.limits;
    this.shards = options.shards;
  }

  async read(requests: readonly ReadRequest[]): Promise<readonly ReadResult[]> {
    return await this.#use(
      "read",
      () => checkRead(requests, this.limits, this.shards),
      (it) => it.read(requests),
    );
  }

  async commit(calls: readonly CommitCall[]): Promise<readonly CallResult[]> {
    const check = () => checkCommit(calls, this.limits, this.shards);
    const results = await this.#use("commit", check, (connection) => connection.commit(calls));
    this.#hints.announce(calls, results);
    return results;
  }

  watch(onHint: OnHint): () => void {
    return this.#hints.watch(onHint);
  }

  prepare(shard: number, batch: Batch): PreparedBatch {
    if (this.#closed) throw new StoreClosedError("prepare");
    if (this.#options.path === inMemory) {
      throw new PawlError(
        "UNSUPPORTED",
        `Cannot prepare for store "${this.#options.url}": nobody else can reach it; use a file, or a client`,
      );
    }
    const { limits, shards } = this;
    return prepareBatch({ limits, shards, hint: (each) => this.#hints.announceShard(each) }, shard, batch);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#hints.leave();
    // Calls that came before this one are ahead of it in the queue of the same promise.
    const connection = await this.#last?.catch(() => undefined);
    connection?.close();
    this.#letGo();
  }

  async #use<T>(verb: "read" | "commit", check: () => void, work: (connection: Connection) => T): Promise<T> {
    if (this.#closed) throw new StoreClosedError(verb);
    check();
    const connection = await (this.#last = this.#connection());
    try {
      return work(connection);
    } catch (error) {
      throw storeError(error, `${verb} ${verb === "read" ? "from" : "to"} store "${this.#options.url}"`);
    }
  }

  async #open(): Promise<Connection> {
    const { path, loadDriver } = this.#options;
    const driver = await loadDriver();
    if (path !== inMemory) this.#letGo = claimFile(path, driver, this.#opening);
    try {
      return await this.#connectPatiently(driver);
    } catch (error) {
      this.#letGo();
      throw error;
    }
  }

  async #connectPatiently(driver: Driver): Promise<Connection> {
    for (let attempt = 1;; attempt++) {
      try {
        return this.#connect(driver);
      } catch (error) {
        const named = storeError(error, this.#opening);
        if (!(named instanceof StoreBusyError) || attempt === openAttemptsMax) throw named;
        await sleep(this.#options.clock, openPauseMs);
      }
    }
  }

  get #opening(): string {
    return `open store "${this.#options.url}"`;
  }

  #connect(driver: Driver): Connection {
    const { newId, shards, url } = this.#options;
    const connection = new Connection(driver, this.#options);
    try {
      const meta = connection.setUp(newId, shards, `store "${url}"`);
      if (!this.#closed) this.#hints.join(meta.id);
      return connection;
    } catch (error) {
      connection.close();
      throw error;
    }
  }
}
