import type { Version } from "../store/store.ts";
import type { Ready, RunSource } from "./dispatcher.ts";
import { DueIndex, type DueSink, type DueSpace } from "./due_index.ts";
import type { ShardOwnerOptions } from "./owner_options.ts";
import { setBackAll } from "./set_back_run.ts";
import type { ShardOwner } from "./shard_owner.ts";

/** Who does what is due. */
export interface TurnTaker {
  /** As {@linkcode RunSource.prepare}. */
  prepare(id: string): Ready | undefined | Promise<Ready | undefined>;
  /** As {@linkcode RunSource.run}; tells by {@linkcode DueTurns.over} when the turn is over. */
  run(id: string): Promise<void>;
}

/** What is due in one shard beside runs, and its turns at the dispatcher, which it shares with the runs. */
export class DueTurns implements RunSource, DueSink {
  readonly name: string;
  readonly #owner: ShardOwner;
  readonly #options: ShardOwnerOptions;
  readonly #taker: TurnTaker;
  readonly #index: DueIndex;
  readonly #queued = new Set<string>();

  /**
   * @param kind What it is that is due.
   * @param space Its due index.
   * @param owner Whose.
   * @param options The owner's.
   * @param taker Does it.
   */
  constructor(
    kind: string,
    space: DueSpace,
    owner: ShardOwner,
    options: ShardOwnerOptions,
    taker: TurnTaker,
  ) {
    const { context, definition, shard } = options;
    this.name = `${definition.name}\n${kind}`;
    this.#owner = owner;
    this.#options = options;
    this.#taker = taker;
    this.#index = new DueIndex(context, definition.name, shard, space, this);
  }

  /** The scan that is going on. */
  get scanning(): Promise<void> | undefined {
    return this.#index.scanning;
  }

  /** When the next one is due. */
  get nextDue(): number | undefined {
    return this.#queued.size > 0 ? this.#options.context.clock.now() : this.#index.nextDue;
  }

  /** Reads the index from its start. */
  rescan(): Promise<void> {
    return this.#index.rescan();
  }

  /** Starts what has become due. */
  wake(): void {
    this.#index.wake();
  }

  /**
   * The clock was ahead and has been set back.
   *
   * @param setBack What is to be done with each that has no turn.
   * @returns Whether all of it was done.
   */
  setBack(setBack: (id: string) => Promise<void>): Promise<boolean> {
    return setBackAll(this.#index, this.#owner, async (id) => {
      if (!this.#queued.has(id)) await setBack(id);
    });
  }

  /** It is due then; `undefined`: no more. One that has its turn is filed when that is over. */
  file(id: string, due: number | undefined, version?: Version): void {
    if (due === undefined) this.#index.forget(id, version);
    else this.#index.track(id, due, version);
  }

  /** Its turn is over. */
  over(id: string): void {
    this.#queued.delete(id);
  }

  /** Its turn is over, and came to nothing: it is tried again. */
  retry(id: string, error: unknown): void {
    this.over(id);
    this.failed(error);
    this.#index.retry(id, error);
  }

  /** There may be room for more. */
  readAhead(): void {
    this.#index.readAhead();
  }

  /** Nothing more is started. */
  end(): void {
    this.#index.end();
    this.#options.dispatcher.leave(this);
  }

  /** @inheritdoc */
  get queued(): number {
    return this.#queued.size;
  }

  /** @inheritdoc */
  holds(id: string): boolean {
    return this.#queued.has(id);
  }

  /** @inheritdoc */
  takes(): boolean {
    return false;
  }

  /** @inheritdoc */
  due(id: string): void {
    if (this.#queued.has(id) || this.#owner.over) return;
    this.#queued.add(id);
    this.#options.dispatcher.ready(this, id);
  }

  /** @inheritdoc */
  dropped(): void {}

  /** @inheritdoc */
  failed(error: unknown): void {
    this.#owner.failed(error);
  }

  /** @inheritdoc */
  prepare(id: string): Ready | undefined | Promise<Ready | undefined> {
    return this.#taker.prepare(id);
  }

  /** @inheritdoc */
  run(id: string): Promise<void> {
    return this.#taker.run(id);
  }
}
