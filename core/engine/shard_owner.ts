import { LeaseLostError, OutcomeUnknownError, PawlError } from "../errors.ts";
import { type ChangeOf, interrupted, unstall } from "../parts/run_change.ts";
import { isFinished, type RunRecord } from "../parts/run_record.ts";
import type { Check, Version } from "../store/store.ts";
import { keyspace } from "../store/keyspace.ts";
import { Attempts } from "./attempts.ts";
import type { Definition } from "./behaviour.ts";
import type { EngineContext } from "./context.ts";
import type { Ready, RunSource } from "./dispatcher.ts";
import type { Disposed } from "./dispose.ts";
import { Chores } from "./chores.ts";
import { DueIndex, type DueSink } from "./due_index.ts";
import { type HotRun, HotRuns, type HowToChange, runEnded } from "./hot_runs.ts";
import { ringSurely } from "./ring_surely.ts";
import { runTurn, type TurnHost } from "./run_turn.ts";
import { unstallRuns } from "./stalled_runs.ts";
import type { ShardOwnerOptions } from "./owner_options.ts";
import type { Suspects, SuspectSource, SuspectStart } from "./suspects.ts";
import { decideTurn } from "./turn.ts";
import type { Also } from "./write_change.ts";

/**
 * The owner of one definition in one shard: it keeps the records of hot runs, starts what is due, and is the only one
 * whose guarded commits count.
 */
export class ShardOwner implements RunSource, DueSink, SuspectSource, TurnHost {
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
  readonly #hot: HotRuns;
  /** Runs that are queued with the dispatcher, blocked there, running, or waiting as suspects. */
  readonly #queued = new Set<string>();
  readonly #index: DueIndex;
  readonly #chores: Chores;
  readonly #suspects: Suspects;
  #bell: Version | undefined;
  readonly #attempts = new Attempts();
  readonly #end = new AbortController();

  /**
   * @param options What it owns and with which fence.
   */
  constructor(options: ShardOwnerOptions) {
    this.#options = options;
    this.#context = options.context;
    this.definition = options.definition;
    this.name = options.definition.name;
    this.shard = options.shard;
    this.guard = options.guard;
    this.#hot = new HotRuns(this.#context, this.guard);
    this.#index = new DueIndex(this.#context, this.name, this.shard, keyspace.work, this);
    this.#chores = new Chores(this, options);
    this.#suspects = options.suspects;
  }

  /** Reads what is due and takes up stalled runs whose status is known now. */
  async begin(): Promise<void> {
    const { behaviour } = this.definition;
    await this.rescan();
    await unstallRuns(this.#context, this, async (runId) => {
      const run = await this.#hot.load(runId);
      if (run && behaviour.statuses.has(run.record.status)) await this.#change(run, unstall(behaviour));
    });
  }

  /** Whether this ownership has ended. */
  get over(): boolean {
    return this.#end.signal.aborted;
  }

  /** Aborted when this ownership ends. */
  get ended(): AbortSignal {
    return this.#end.signal;
  }

  /** Whether more of the due index is being read, or suspects wait for their turn. */
  get reading(): boolean {
    const scanning = this.#index.scanning ?? this.#chores.scanning;
    return !this.over && (scanning !== undefined || this.#suspects.waiting);
  }

  /** Resolves when what is being read has been read and every suspect has had its turn. */
  async readingDone(): Promise<void> {
    await this.#index.scanning;
    await this.#chores.scanning;
    if (!this.over) await this.#suspects.done();
  }

  /** When the next run is due; `undefined`: nothing waits. */
  get nextDue(): number | undefined {
    if (this.#queued.size > 0) return this.#context.clock.now();
    return this.nextSleeper;
  }

  /** When the next run or chore is due that is not queued yet. */
  get nextSleeper(): number | undefined {
    const dues = [this.#index.nextDue, this.#chores.nextDue].filter((due) => due !== undefined);
    return dues.length === 0 ? undefined : Math.min(...dues);
  }

  /** Ends this ownership: timers stop, running code is told, nothing more is started. */
  end(reason: unknown): void {
    if (this.over) return;
    this.#end.abort(reason);
    this.#index.end();
    this.#chores.end();
    this.#suspects.leave(this);
    this.#options.dispatcher.leave(this);
    for (const run of this.#hot.values()) run.attempt?.abort(reason);
  }

  /** A guarded commit was refused: another engine owns this now. */
  lost(): void {
    this.failed(new LeaseLostError(`"${this.name}" in shard ${this.shard}`));
  }

  /**
   * Starts nothing more, and ends once all that runs has landed, so that the shard can be passed on.
   *
   * @param ms How long to wait for that.
   * @returns Whether it has ended; if not, it goes on.
   */
  async drain(ms: number): Promise<boolean> {
    if (this.over || this.#attempts.isRestWanted) return false;
    const isAtRest = await this.#attempts.rest(this.#context.clock, ms, this.ended);
    if (this.over) return false;
    if (isAtRest) this.end(new LeaseLostError(`"${this.name}" in shard ${this.shard}`));
    else await this.rescan();
    return isAtRest;
  }

  /** A run that this engine has just triggered here. */
  adopt(record: RunRecord, version: Version): void {
    this.#settle(this.#hot.hold(record, version));
  }

  /** The record of a run that is in memory, as last written or read. */
  known(runId: string): RunRecord | undefined {
    return this.#hot.peek(runId)?.record;
  }

  /** Applies a verb to a run of this shard under the owner's fence. */
  async change(runId: string, changeOf: ChangeOf, also?: Also): Promise<RunRecord> {
    const run = await this.#hot.load(runId);
    if (!run) throw new PawlError("RUN_NOT_FOUND", `Cannot change run ${runId}: there is no such run`);
    const { attempt, record: { visit } } = run;
    await this.#change(run, changeOf, { also });
    const hasEnded = isFinished(run.record.state);
    // What an attempt comes to that was running before fits no more.
    if (hasEnded || run.record.visit !== visit) attempt?.abort(runEnded(run.record));
    if (hasEnded && attempt && run.attempt === attempt) this.#apart(this.#hot.detach(run));
    return run.record;
  }

  /** The bell row as the poll found it. A new version means: somebody wrote what this owner does not know. */
  heard(bell: Version | undefined): void {
    if (bell === this.#bell || this.over) return;
    this.#bell = bell;
    this.#hot.dropAll();
    Promise.all([this.rescan(), this.#hot.tellEnded()]).catch((error) => this.failed(error));
  }

  /** A write under this owner's fence may yet land unheard of; what is due is read again when that is settled. */
  unsure(): void {
    this.seal().then(() => this.rescan()).catch((error) => this.failed(error));
  }

  /** Reads what is due, of runs and of chores, from its start: everything not in memory yet is taken up. */
  async rescan(): Promise<void> {
    await Promise.all([this.#index.rescan(), this.#chores.rescan()]);
  }

  /** Starts what has become due. */
  wake(): void {
    this.#index.wake();
    this.#chores.wake();
  }

  /** @inheritdoc */
  get queued(): number {
    return this.#queued.size;
  }

  /** @inheritdoc */
  holds(runId: string, due: number): boolean {
    const run = this.#hot.peek(runId);
    if (run?.attempt && run.record.due !== due) {
      this.#hot.review(runId).then((ended) => ended && this.#apart(ended)).catch((error) =>
        this.failed(error)
      );
    }
    return run !== undefined || this.#queued.has(runId);
  }

  /** A run has ended while its code still runs: what is left to do with it does not wait for that. */
  #apart(run: HotRun): void {
    this.#unqueue(run.record.id);
    this.#settle(run);
  }

  /** What was due when the previous owner died may be what killed it. @inheritdoc */
  takes(runId: string, due: number): boolean {
    const { takenOverAt } = this.#options;
    if (takenOverAt === undefined || due > takenOverAt) return false;
    this.#queued.add(runId);
    this.#suspects.add(runId, this);
    return true;
  }

  /** @inheritdoc */
  due(runId: string): void {
    if (this.#queued.has(runId) || this.over) return;
    this.#queued.add(runId);
    this.#options.dispatcher.ready(this, runId);
  }

  /** @inheritdoc */
  dropped(runId: string): void {
    this.#hot.drop(runId);
  }

  /** Ends the ownership when it is lost; anything else is tried again by whoever failed. */
  failed(error: unknown): void {
    if (this.over) return;
    if (error instanceof LeaseLostError) {
      this.end(error);
      this.#options.onLost(this);
      return;
    }
    this.#context.logger.log("error", "Work of a shard failed; it is tried again", {
      definition: this.name,
      shard: this.shard,
      error: String(error),
    });
  }

  /** @inheritdoc */
  prepare(runId: string): Ready | undefined | Promise<Ready | undefined> {
    if (this.#attempts.isRestWanted) return this.#leave(runId);
    const hot = this.over ? undefined : this.#hot.fresh(runId);
    if (hot) return this.#ready(hot);
    return this.#prepareCold(runId);
  }

  /** What an owner that is to be passed on leaves in the index, for its successor. */
  #leave(runId: string): undefined {
    this.#hot.drop(runId);
    return this.#unqueue(runId);
  }

  #unqueue(runId: string): undefined {
    this.#queued.delete(runId);
    this.#suspects.landed(runId);
  }

  /** Whether nothing new is to begin, as this shard is being passed on. */
  get resting(): boolean {
    return this.#attempts.isRestWanted;
  }

  /** Counts something that runs, so that the shard is not passed on before it has landed. */
  async attend(work: Promise<void>): Promise<void> {
    this.#attempts.begin();
    await work;
    this.#attempts.end();
  }

  /** @inheritdoc */
  async run(runId: string): Promise<void> {
    const run = this.#hot.peek(runId);
    if (!run) return this.#again(runId);
    this.#attempts.begin();
    try {
      const end = await runTurn(this.#context, this, run);
      run.attempt = undefined;
      if (end === "gone") this.#forget(runId);
      else if (!run.detached) this.#next(run, end);
    } catch (error) {
      run.attempt = undefined;
      this.failed(error);
      if (error instanceof OutcomeUnknownError) this.unsure();
      this.#forget(runId);
      this.#index.retry(runId, error);
    }
    this.#attempts.end();
  }

  /** @inheritdoc */
  seal(): Promise<void> {
    return ringSurely(this.#context, this);
  }

  /** @inheritdoc */
  async apply(run: HotRun, changeOf: ChangeOf, how?: HowToChange): Promise<void> {
    const { chores, unheard } = await this.#hot.change(run, changeOf, how);
    if (chores) this.#chores.added(chores);
    if (unheard) this.#chores.rescan().catch((error) => this.failed(error));
  }

  #next(run: HotRun, end: Exclude<Disposed, "gone">): void {
    const { id } = run.record;
    if (end === "done") this.#done(run);
    else this.#forget(id);
    if (end === "later") this.#index.retry(id);
    if (end === "again") this.due(id);
  }

  #forget(runId: string): void {
    this.#unqueue(runId);
    this.#index.forget(runId);
    this.#hot.drop(runId);
    this.#index.readAhead();
  }

  /** Its record was dropped between preparing and starting: it is prepared again. */
  #again(runId: string): void {
    this.#unqueue(runId);
    this.due(runId);
  }

  async #prepareCold(runId: string): Promise<Ready | undefined> {
    try {
      const run = this.over ? undefined : await this.#hot.load(runId);
      while (run?.busy) await this.#hot.free(run);
      if (run && !this.over) return this.#ready(run);
    } catch (error) {
      this.failed(error);
      this.#index.retry(runId, error);
    }
    return this.#unqueue(runId);
  }

  /** The start is decided on the record as last read or written. */
  #ready(run: HotRun): Ready | undefined | Promise<undefined> {
    const decision = decideTurn(this.definition.behaviour, run.record, this.#context.clock.now());
    if (!decision) return this.#done(run);
    if ("instead" in decision) return this.#instead(run, decision.instead);
    run.turn = decision.turn;
    this.#hot.keep(run);
    return decision.ready;
  }

  async #instead(run: HotRun, changeOf: ChangeOf): Promise<undefined> {
    const { version } = run.record;
    try {
      // Decided on this version of the record; whatever came between decides anew.
      await this.#change(run, (record, now) => record.version === version ? changeOf(record, now) : {});
    } catch (error) {
      this.failed(error);
    }
    return this.#done(run);
  }

  /** The run has had its turn. */
  #done(run: HotRun): undefined {
    this.#unqueue(run.record.id);
    this.#settle(run);
    this.#index.readAhead();
    return undefined;
  }

  /** Records an attempt that may take the process down, then lets it start. */
  async startSuspect(runId: string): Promise<SuspectStart> {
    if (this.over) return "dropped";
    try {
      const run = this.#attempts.isRestWanted ? undefined : await this.#hot.load(runId);
      if (!run || run.record.due === undefined || run.record.due > this.#context.clock.now()) {
        this.#queued.delete(runId);
        if (run) this.#settle(run);
        return "dropped";
      }
      if (run.record.state !== "paused") {
        if (run.record.crashes > 0 && !this.#suspects.isAlone(runId)) return "alone";
        await this.#change(run, interrupted(this.definition.behaviour, this.#context.limits.crashesMax));
      }
      this.#hot.keep(run);
      this.#options.dispatcher.ready(this, runId);
      return "started";
    } catch (error) {
      this.failed(error);
      this.#queued.delete(runId);
      this.#index.retry(runId, error);
      return "dropped";
    }
  }

  async #change(run: HotRun, changeOf: ChangeOf, how?: HowToChange): Promise<void> {
    try {
      await this.apply(run, changeOf, how);
    } catch (error) {
      if (error instanceof LeaseLostError) this.failed(error);
      if (error instanceof OutcomeUnknownError) this.unsure();
      throw error;
    } finally {
      if (!run.attempt && !this.#queued.has(run.record.id)) this.#settle(run);
    }
  }

  /** Files a run by what its record says is next. */
  #settle(run: HotRun): void {
    const { record } = run;
    if (this.#queued.has(record.id)) return;
    if (record.due === undefined || this.over) {
      this.#index.forget(record.id);
      this.#hot.drop(record.id);
      return;
    }
    if (record.due <= this.#context.clock.now()) this.#hot.keep(run);
    else this.#hot.drop(record.id);
    this.#index.track(record.id, record.due);
  }
}
