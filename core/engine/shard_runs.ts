import { LeaseLostError, OutcomeUnknownError } from "../errors.ts";
import { type Change, type ChangeOf, interrupted, unstall } from "../parts/run_change.ts";
import { dueSince, earliestDue, isFinished, type RunRecord } from "../parts/run_record.ts";
import { keyspace } from "../store/keyspace.ts";
import type { Check, Version } from "../store/store.ts";
import type { Definition } from "./behaviour.ts";
import type { EngineContext } from "./context.ts";
import type { Ready, RunSource, Wait } from "./dispatcher.ts";
import type { Disposed } from "./dispose.ts";
import { DueIndex, type DueSink } from "./due_index.ts";
import { earliest } from "./earliest.ts";
import { cutShort, type HotRun, HotRuns, type HowToChange } from "./hot_runs.ts";
import type { ShardOwnerOptions } from "./owner_options.ts";
import { setBackAll, setBackRun } from "./set_back_run.ts";
import { runTurn, type TurnHost } from "./run_turn.ts";
import type { ShardOwner } from "./shard_owner.ts";
import type { SideWork } from "./side_work.ts";
import { whyStalled } from "./stalled_runs.ts";
import { StatusWaits } from "./status_waits.ts";
import type { SuspectSource, SuspectStart } from "./suspects.ts";
import { decideTurn, stepReady } from "./turn.ts";
import type { Also, Held } from "./write_change.ts";

/** The runs of one definition in one shard, for their owner: it keeps the records of hot ones, and starts what is due. */
export class ShardRuns implements RunSource, DueSink, SuspectSource, TurnHost {
  /** Whose code they run. */
  readonly definition: Definition;
  /** Scopes the bounds of their statuses. */
  readonly name: string;
  /** The owner's fence. */
  readonly guard: Check;
  readonly #owner: ShardOwner;
  readonly #options: ShardOwnerOptions;
  readonly #context: EngineContext;
  readonly #hot: HotRuns;
  /** Runs that are queued with the dispatcher, blocked there, running, or waiting as suspects. */
  readonly #queued = new Set<string>();
  readonly #waits = new StatusWaits();
  readonly #index: DueIndex;

  /**
   * @param owner Whose.
   * @param side Told of what follows from their changes.
   * @param options The owner's.
   */
  constructor(owner: ShardOwner, side: SideWork, options: ShardOwnerOptions) {
    const { context, definition, shard, guard } = options;
    this.#owner = owner;
    this.#options = options;
    this.#context = context;
    this.definition = definition;
    this.name = definition.name;
    this.guard = guard;
    this.#hot = new HotRuns(context, guard, (applied) => side.applied(applied));
    this.#index = new DueIndex(context, this.name, shard, keyspace.work, this);
  }

  /** @inheritdoc */
  get over(): boolean {
    return this.#owner.over;
  }

  /** @inheritdoc */
  get ended(): AbortSignal {
    return this.#owner.ended;
  }

  /** @inheritdoc */
  failed(error: unknown): void {
    this.#owner.failed(error);
  }

  /** @inheritdoc */
  readonly surely: HowToChange = { seal: () => this.#owner.seal() };

  /** The scan of the due index that is going on. */
  get scanning(): Promise<void> | undefined {
    return this.#index.scanning;
  }

  /** When the next run is due; `undefined`: none waits. */
  get nextDue(): number | undefined {
    const queued = this.#options.dispatcher.nextDue(this, this.#queued.size);
    return earliest(this.#index.nextDue, queued === Infinity ? undefined : queued);
  }

  /** Timers stop, running code is told, nothing more is started. */
  end(reason: unknown): void {
    this.#index.end();
    this.#options.suspects.leave(this);
    this.#options.dispatcher.leave(this);
    this.#waits.clear();
    for (const run of this.#hot.values()) run.attempt?.abort(reason);
  }

  /** Reads the due index from its start: everything not in memory yet is taken up. */
  rescan(): Promise<void> {
    return this.#index.rescan();
  }

  /** Starts what has become due. */
  wake(): void {
    this.#index.wake();
  }

  /** No guest has changed any run, as of a time by the monotonic clock. */
  believe(at: number): void {
    this.#hot.believe(at);
  }

  /** A guest may have changed any run: what is in memory is believed no more. */
  async doubt(): Promise<void> {
    this.#hot.dropAll();
    await this.#hot.tellEnded();
  }

  /** The clock was ahead and has been set back. Whether nothing is left that could not be set back with it. */
  setBack(): Promise<boolean> {
    return setBackAll(this.#index, this.#owner, async (runId) => {
      const run = await this.#hot.load(runId);
      const changeOf = run && !run.attempt && await setBackRun(this.#context, this.definition, run.record);
      if (changeOf) await this.#change(run, changeOf);
    });
  }

  /** Takes up a stalled run, if this code can go on with it. */
  async unstall(runId: string): Promise<void> {
    const { behaviour } = this.definition;
    const run = await this.#hot.load(runId);
    if (run && !whyStalled(behaviour, run.record)) await this.#change(run, unstall(behaviour));
  }

  /** A run that this engine has just triggered here. */
  adopt(record: RunRecord, version: Version): void {
    this.#settle(this.#hot.hold(record, version));
  }

  /** The record of a run that is in memory, as last written or read. */
  known(runId: string): RunRecord | undefined {
    return this.#hot.known(runId);
  }

  /** Applies a verb to a run of this shard, as it was just read, under the owner's fence. */
  async change(held: Held, changeOf: ChangeOf, also?: Also): Promise<RunRecord> {
    const run = this.#hot.peek(held.record.id) ?? this.#hot.hold(held.record, held.version);
    const { attempt, record: before } = run;
    await this.#change(run, changeOf, { also });
    // What an attempt comes to that was running before fits no more.
    if (attempt) cutShort(attempt, before, run.record);
    if (isFinished(run.record.state) && attempt && run.attempt === attempt) {
      this.#apart(this.#hot.detach(run));
    }
    return run.record;
  }

  /** @inheritdoc */
  get queued(): number {
    return this.#queued.size;
  }

  /** @inheritdoc */
  holds(runId: string, due: number): boolean {
    const run = this.#hot.peek(runId);
    this.#waits.recall(runId, due);
    if (run?.attempt && run.record.due !== due) {
      this.#hot.review(runId).then((ended) => ended && this.#apart(ended)).catch((error) =>
        this.failed(error)
      );
    }
    return this.#queued.has(runId) || run?.busy === true || run?.attempt !== undefined;
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
    this.#options.suspects.add(runId, this);
    return true;
  }

  /** @inheritdoc */
  due(runId: string): void {
    if (this.over) return;
    if (this.#queued.has(runId)) return this.#waits.recall(runId);
    this.#queued.add(runId);
    this.#options.dispatcher.ready(this, runId);
  }

  /** @inheritdoc */
  dropped(runId: string): void {
    this.#hot.drop(runId);
  }

  /** @inheritdoc */
  prepare(runId: string): Ready | undefined | Promise<Ready | undefined> {
    this.#waits.end(runId);
    if (this.#owner.resting) return this.#leave(runId);
    const hot = this.over ? undefined : this.#hot.fresh(runId);
    return hot ? this.#ready(hot) : this.#prepareCold(runId);
  }

  /** Its step waits; its timers do not. @inheritdoc */
  waits(runId: string, wait: Wait): void {
    const run = this.#hot.peek(runId);
    this.#waits.begin(runId, wait, run);
    if (run?.turn.kind !== "step") return;
    const next = earliestDue(undefined, run.record.timers);
    if (next !== undefined) this.#index.track(runId, next);
  }

  /** What an owner that is to be passed on leaves in the index, for its successor. */
  #leave(runId: string): undefined {
    this.#hot.drop(runId);
    return this.#unqueue(runId);
  }

  #unqueue(runId: string): undefined {
    this.#queued.delete(runId);
    this.#options.suspects.landed(runId);
  }

  /** @inheritdoc */
  run(runId: string): Promise<void> {
    // Decided while it was prepared: whoever is to take the shard over runs it.
    if (this.over || this.#owner.resting) return Promise.resolve(this.#leave(runId));
    const run = this.#hot.peek(runId);
    if (!run) return Promise.resolve(this.#again(runId));
    if (run.turn.kind === "step") this.#waits.leave(runId);
    this.#owner.attempts.begin();
    return runTurn(this.#context, this, run);
  }

  /** @inheritdoc */
  hadTurn(run: HotRun, end: Disposed): void {
    run.attempt = undefined;
    if (end === "gone") this.#forget(run.record.id);
    else if (!run.detached) this.#next(run, end);
    this.#owner.attempts.end();
  }

  /** @inheritdoc */
  brokeOff(run: HotRun, error: unknown): void {
    const { id } = run.record;
    run.attempt = undefined;
    this.failed(error);
    if (error instanceof OutcomeUnknownError) this.#owner.unsure();
    this.#forget(id);
    this.#index.retry(id, error);
    this.#owner.attempts.end();
  }

  /** @inheritdoc */
  landing(count: 1 | -1): void {
    this.#options.dispatcher.landing += count;
  }

  /** @inheritdoc */
  apply(run: HotRun, changeOf: ChangeOf, how?: HowToChange): Promise<Change> {
    return this.#hot.change(run, changeOf, how);
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
    this.#waits.leave(runId);
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
    const place = run.turn.kind === "step" ? this.#waits.placeOf(run.record) : undefined;
    return place === undefined ? decision.ready : { ...decision.ready, place };
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
      const run = this.#owner.resting ? undefined : await this.#hot.load(runId);
      if (!run || run.record.due === undefined || run.record.due > this.#context.clock.now()) {
        this.#queued.delete(runId);
        if (run) this.#settle(run);
        return "dropped";
      }
      // What waits for its rate, or the network, starts nothing yet: it is neither to blame, nor to hold up the others.
      const ready = stepReady(this.definition.behaviour, run.record.status);
      const waits = ready && this.#options.dispatcher.mustWait(this, ready);
      if (run.record.state !== "paused" && !waits) {
        if (run.record.crashes > 0 && !this.#options.suspects.isAlone(runId)) return "alone";
        run.dueSince = dueSince(run.record);
        await this.#change(run, interrupted(this.definition.behaviour, this.#context.limits.crashesMax));
      }
      this.#hot.keep(run);
      this.#options.dispatcher.ready(this, runId);
      return waits ? "dropped" : "started";
    } catch (error) {
      this.failed(error);
      this.#queued.delete(runId);
      this.#index.retry(runId, error);
      return "dropped";
    }
  }

  async #change(run: HotRun, changeOf: ChangeOf, how?: HowToChange): Promise<void> {
    const { after } = await this.apply(run, changeOf, how).catch((error) => {
      if (error instanceof LeaseLostError) this.failed(error);
      if (error instanceof OutcomeUnknownError) this.#owner.unsure();
      // Nothing is filed by a copy that was refused: another verb may have written meanwhile what it does not know. But a
      // scan may have passed the run over while this went on.
      if (!run.attempt && !this.#queued.has(run.record.id)) {
        this.#hot.drop(run.record.id);
        this.#index.recall(run.record.id);
      }
      throw error;
    });
    if (this.#waits.reconsider(this.definition.behaviour, run.record, this.#context.clock.now())) return;
    // What was read by a copy of its own may be of the past by now, unless it has just been written.
    if (!run.attempt && (after || this.#hot.peek(run.record.id) === run)) this.#settle(run);
  }

  /** Files a run by what its record says is next. */
  #settle(run: HotRun): void {
    const { record, version } = run;
    if (this.#queued.has(record.id)) return;
    const isDue = record.due !== undefined && record.due <= this.#context.clock.now();
    if (!isDue) this.#waits.leave(record.id);
    if (record.due === undefined || this.over) {
      this.#index.forget(record.id, version);
      this.#hot.drop(record.id);
      return;
    }
    if (isDue) this.#hot.keep(run);
    else this.#hot.drop(record.id);
    if (!this.#index.track(record.id, record.due, version)) this.#hot.drop(record.id);
  }
}
