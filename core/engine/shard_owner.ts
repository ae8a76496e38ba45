import { LeaseLostError } from "../errors.ts";
import type { ChangeOf } from "../parts/run_change.ts";
import type { RunRecord } from "../parts/run_record.ts";
import type { Check, Version } from "../store/store.ts";
import { Attempts } from "./attempts.ts";
import type { Definition } from "./behaviour.ts";
import type { EngineContext } from "./context.ts";
import { earliest } from "./earliest.ts";
import { shardFailed } from "./notice.ts";
import type { ShardOwnerOptions } from "./owner_options.ts";
import { ringSurely } from "./ring_surely.ts";
import { ShardRuns } from "./shard_runs.ts";
import { SideWork } from "./side_work.ts";
import { unstallRuns } from "./stalled_runs.ts";
import type { Also, Held } from "./write_change.ts";

/**
 * The owner of one definition in one shard: the only one whose guarded commits count there. Its runs and the work beside
 * them have classes of their own; this one begins, ends and passes on all of it.
 */
export class ShardOwner {
  /** What it works on. */
  readonly definition: Definition;
  /** The definition's name. */
  readonly name: string;
  /** The shard. */
  readonly shard: number;
  /** The fence. */
  readonly guard: Check;
  readonly #options: ShardOwnerOptions;
  readonly #context: EngineContext;
  readonly #runs: ShardRuns;
  readonly #side: SideWork;
  #bell: Version | undefined;
  #aheadAt: number | undefined;
  /** What runs under it, and must land before it is passed on. */
  readonly attempts = new Attempts();
  readonly #end = new AbortController();

  /** @param options What it owns and with which fence. */
  constructor(options: ShardOwnerOptions) {
    this.#options = options;
    this.#context = options.context;
    this.definition = options.definition;
    this.name = options.definition.name;
    this.shard = options.shard;
    this.guard = options.guard;
    this.#side = new SideWork(this, options);
    this.#runs = new ShardRuns(this, this.#side, options);
  }

  /** Reads what is due and takes up stalled runs that this code can go on with. */
  async begin(): Promise<void> {
    this.#side.begin();
    await this.rescan();
    await unstallRuns(this.#context, this, (runId) => this.#runs.unstall(runId));
  }

  /** Whether this ownership has ended. */
  get over(): boolean {
    return this.#end.signal.aborted;
  }

  /** Aborted when this ownership ends. */
  get ended(): AbortSignal {
    return this.#end.signal;
  }

  /** Whether more of what is due is being read, connectors are not quiet, or suspects wait for their turn. */
  get reading(): boolean {
    const isReading = this.#runs.scanning !== undefined || this.#side.reading;
    return !this.over && (isReading || this.#options.suspects.waiting);
  }

  /** Resolves when what is being read has been read and every suspect has had its turn; connectors may go on. */
  async readingDone(): Promise<void> {
    await this.#runs.scanning;
    await this.#side.readingDone();
    if (!this.over) await this.#options.suspects.done();
  }

  /** When the next run is due; `undefined`: nothing waits. */
  get nextDue(): number | undefined {
    return earliest(this.#runs.nextDue, this.#side.nextDue);
  }

  /** Ends this ownership: timers stop, running code is told, nothing more is started. */
  end(reason: unknown): void {
    if (this.over) return;
    this.#end.abort(reason);
    this.#runs.end(reason);
    this.#side.end(reason);
  }

  /** A guarded commit was refused: another engine owns this now. */
  lost(): void {
    this.failed(new LeaseLostError(`"${this.name}" in shard ${this.shard}`));
  }

  /** Starts nothing more, and ends once all that runs has landed, to be passed on; if that takes too long, it goes on. */
  async drain(ms: number): Promise<boolean> {
    if (this.over || this.attempts.isRestWanted) return false;
    const isAtRest = await this.attempts.rest(this.#context.clock, ms, this.ended);
    if (this.over) return false;
    if (isAtRest) this.end(new LeaseLostError(`"${this.name}" in shard ${this.shard}`));
    else await this.rescan();
    return isAtRest;
  }

  /** A run that this engine has just triggered here. */
  adopt(record: RunRecord, version: Version): void {
    this.#runs.adopt(record, version);
  }

  /** The record of a run that is in memory, as last written or read. */
  known(runId: string): RunRecord | undefined {
    return this.#runs.known(runId);
  }

  /** Applies a verb to a run of this shard, as it was just read, under the owner's fence. */
  change(held: Held, changeOf: ChangeOf, also?: Also): Promise<RunRecord> {
    return this.#runs.change(held, changeOf, also);
  }

  /** A schedule that this engine has just changed here, and when it is due. */
  scheduled(id: string, due: number | undefined, version: Version): void {
    if (!this.over) this.#side.scheduled(id, due, version);
  }

  /**
   * The bell row as it was found. A new version means: somebody wrote what this owner does not know.
   *
   * @param bell Its version.
   * @param since When it was asked for, by the monotonic clock.
   */
  heard(bell: Version | undefined, since?: number): void {
    if (bell === this.#bell && since !== undefined) this.#runs.believe(since);
    if (bell === this.#bell || this.over) return;
    this.#bell = bell;
    Promise.all([this.rescan(), this.#runs.doubt()]).catch((error) => {
      // What it told of is not known yet: the next poll hears it again.
      if (this.#bell === bell) this.#bell = undefined;
      this.failed(error);
    });
  }

  /** A write under this owner's fence may yet land unheard of; what is due is read again when that is settled. */
  unsure(): void {
    this.seal().then(() => this.rescan()).catch((error) => this.failed(error));
  }

  /** Reads what is due from its start: everything not in memory yet is taken up. */
  async rescan(): Promise<void> {
    await Promise.all([this.#runs.rescan(), this.#side.rescan()]);
  }

  /**
   * The clock was ahead and has been set back. Until all that was written by it waits by this one, whoever comes next is told.
   *
   * @param aheadAt A time that the clock has shown.
   */
  async setBack(aheadAt: number): Promise<void> {
    this.#aheadAt = aheadAt;
    const areDone = await Promise.all([this.#runs.setBack(), this.#side.setBack()]);
    if (areDone.every((isDone) => isDone)) this.#aheadAt = undefined;
  }

  /** A time of a clock that was ahead, of which something may be left. */
  get aheadAt(): number | undefined {
    return this.#aheadAt;
  }

  /** Starts what has become due. */
  wake(): void {
    this.#runs.wake();
    this.#side.wake();
  }

  /** Ends the ownership when it is lost; anything else is tried again by whoever failed. */
  failed(error: unknown): void {
    if (this.over) return;
    if (error instanceof LeaseLostError) {
      this.end(error);
      this.#options.onLost(this);
      return;
    }
    shardFailed(this.#context, this, error);
  }

  /** Whether nothing new is to begin, as this shard is being passed on. */
  get resting(): boolean {
    return this.attempts.isRestWanted;
  }

  /** Counts something that runs, so that the shard is not passed on before it has landed. */
  async attend(work: Promise<void>): Promise<void> {
    this.attempts.begin();
    await work;
    this.attempts.end();
  }

  /** Resolves when no write of this fence is on its way any more. */
  seal(): Promise<void> {
    return ringSurely(this.#context, this);
  }
}
