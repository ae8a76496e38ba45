import { OutcomeUnknownError, PawlError, StoreClosedError } from "../../core/errors.ts";
import { systemClock } from "../../core/ports/clock.ts";
import { systemRandom } from "../../core/ports/random.ts";
import { checkCommit, checkRead } from "../../core/store/settle.ts";
import type {
  CallResult,
  CommitCall,
  OnHint,
  ReadRequest,
  ReadResult,
  StoreLimits,
} from "../../core/store/store.ts";
import { commitIn } from "./commit.ts";
import { Database } from "./database.ts";
import { isQuota, storeError } from "./errors.ts";
import { Health, type StoreHealth } from "./health.ts";
import { knownStore } from "./known_store.ts";
import { findMedium } from "./medium.ts";
import type { IndexedDbOptions, IndexedDbStore } from "./mod.ts";
import { followPage } from "./page_life.ts";
import { roomFigures } from "./persist.ts";
import { readIn } from "./read.ts";
import { isReserveLaid, layReserve, releaseReserve } from "./reserve.ts";
import { Room } from "./room.ts";
import { TabHints } from "./tab_hints.ts";

/** All of them, checked. */
export type TabStoreOptions = Required<IndexedDbOptions> & { readonly limits: StoreLimits };

/** A store in one tab or worker, beside those of the others. */
export class TabStore implements IndexedDbStore {
  readonly limits: StoreLimits;
  readonly shards: number;
  readonly #options: TabStoreOptions;
  readonly #health: Health;
  readonly #database: Database;
  readonly #hints: TabHints;
  readonly #room: Room;
  readonly #unfollow: () => void;
  #isClosed = false;

  constructor(options: TabStoreOptions) {
    const { name, shards, requestTimeoutMs } = options;
    const known = knownStore(name);
    this.#options = options;
    this.limits = options.limits;
    this.shards = shards;
    this.#hints = new TabHints(name);
    this.#health = new Health(known.isKept);
    this.#database = new Database({
      name,
      shards,
      openTimeoutMs: requestTimeoutMs,
      clock: systemClock(),
      health: this.#health,
      newId: () => systemRandom().hex(24),
      known,
      check: () => this.#checkMedium(),
    });
    this.#room = this.#newRoom();
    this.#unfollow = followPage({
      leave: () => {
        this.#hints.leave();
        this.#database.leave();
      },
      comeBack: () => {
        this.#database.comeBack();
        this.#hints.comeBack(shards);
      },
    });
  }

  async read(requests: readonly ReadRequest[]): Promise<readonly ReadResult[]> {
    if (this.#isClosed) throw new StoreClosedError("read");
    checkRead(requests, this.limits, this.shards);
    const doing = `read from ${this.#database.where}`;
    try {
      return await this.#database.use((handle) =>
        readIn(handle, requests, doing, this.#options.requestTimeoutMs)
      );
    } catch (error) {
      throw this.#failed(error, doing);
    }
  }

  async commit(calls: readonly CommitCall[]): Promise<readonly CallResult[]> {
    if (this.#isClosed) throw new StoreClosedError("commit");
    checkCommit(calls, this.limits, this.shards);
    const doing = `commit to ${this.#database.where}`;
    try {
      const results = await this.#commit(calls, doing);
      this.#room.consider();
      this.#tellRoom();
      this.#hints.announce(calls, results);
      return results;
    } catch (error) {
      throw this.#failed(error, doing);
    }
  }

  admits(): boolean {
    this.#room.consider();
    return !this.#room.isFull;
  }

  watch(onHint: OnHint): () => void {
    return this.#hints.watch(onHint);
  }

  health(): StoreHealth {
    return this.#health.now;
  }

  onHealth(listener: (health: StoreHealth) => void): () => void {
    return this.#health.listen(listener);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#unfollow();
    this.#hints.close();
    await this.#room.rest();
    await this.#database.close();
    this.#health.set({ state: "closed" });
  }

  async #commit(calls: readonly CommitCall[], doing: string): Promise<readonly CallResult[]> {
    const { durability, requestTimeoutMs } = this.#options;
    const options = { relaxes: durability === "normal", doing, timeoutMs: requestTimeoutMs };
    const commit = () => this.#database.use((handle) => commitIn(handle, calls, options));
    try {
      return await commit();
    } catch (error) {
      // At the quota nothing of it was done.
      if (!isQuota(error) || !await this.#room.spend()) throw error;
      return await commit();
    }
  }

  #newRoom(): Room {
    const { reserveBytes, requestTimeoutMs } = this.#options;
    return new Room({
      reserveBytes,
      clock: systemClock(),
      figures: roomFigures,
      isLaid: () => this.#database.use((handle) => isReserveLaid(handle, requestTimeoutMs)),
      lay: (bytes) => this.#database.use((handle) => layReserve(handle, bytes, requestTimeoutMs)),
      release: () => this.#database.use((handle) => releaseReserve(handle, requestTimeoutMs)),
      onLook: () => this.#isClosed || this.#tellRoom(),
    });
  }

  #tellRoom(): void {
    const { isFull, figures } = this.#room;
    if (figures) this.#health.note({ usageBytes: figures.usageBytes, quotaBytes: figures.quotaBytes });
    if (isFull) this.#tellFull();
    else this.#health.set({ state: "ok" });
  }

  #tellFull(): void {
    const { usageBytes, quotaBytes } = this.#health.now;
    const told = usageBytes === undefined
      ? ""
      : `; the browser tells of ${usageBytes} bytes of ${quotaBytes}`;
    const problem = `new runs are refused until there is room, and those that are there go on${told}`;
    this.#health.set({ state: "full", problem });
  }

  async #checkMedium(): Promise<void> {
    const finding = findMedium().then((medium) => {
      this.#health.note({ medium });
      return medium;
    });
    // To look may take the browser its time, and only who refuses has to wait.
    if (this.#options.privateWindows === "allow") return;
    if (await finding !== "session") return;
    throw new PawlError(
      "UNSUPPORTED",
      `Cannot open ${this.#database.where}: a private window keeps nothing, and option privateWindows is "refuse"; ` +
        "open the page in an ordinary window",
    );
  }

  #failed(error: unknown, doing: string): PawlError {
    const named = storeError(error, doing);
    if (named instanceof OutcomeUnknownError || named instanceof StoreClosedError) return named;
    if (isQuota(named.cause)) this.#tellFull();
    // What was said of its opening says more.
    else if (this.#health.now.problem !== named.message) {
      this.#health.set({ state: "failing", problem: named.message });
    }
    return named;
  }
}
