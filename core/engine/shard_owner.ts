/**
 * The owner of one definition in one shard: it knows what is due, keeps the records of hot runs, and is the only one
 * whose guarded commits count.
 *
 * @module
 */
import { LeaseLostError, OutcomeUnknownError, PawlError } from "../errors.ts";
import { type Cancel, sleep } from "../ports/clock.ts";
import {
  type Change,
  type ChangeOf,
  interrupted,
  land,
  resume,
  stall,
  unstall,
} from "../parts/run_change.ts";
import { isFinished, type RunRecord } from "../parts/run_record.ts";
import { keyAfter, readStamp, splitKey } from "../store/key.ts";
import { keyspace } from "../store/keyspace.ts";
import type { Check, Version } from "../store/store.ts";
import type { Definition } from "./behaviour.ts";
import type { EngineContext } from "./context.ts";
import type { Dispatcher, Ready, RunSource } from "./dispatcher.ts";
import { DueHeap } from "./due_heap.ts";
import { AttemptSignal, runStep } from "./step_runner.ts";
import { Suspects } from "./suspects.ts";
import { applyChange, type Held, readRun } from "./write_change.ts";

/** A run whose record is in memory. */
interface HotRun extends Held {
  /** Changes of one run are applied one after another. */
  tail: Promise<unknown>;
  /** Changes waiting or on their way. */
  pending: number;
  /** The attempt that is running. */
  attempt?: AttemptSignal;
}

/** What makes an owner. */
export interface ShardOwnerOptions {
  readonly context: EngineContext;
  readonly definition: Definition;
  readonly shard: number;
  /** The owner row and its version: the fence of every commit. */
  readonly guard: Check;
  readonly dispatcher: Dispatcher;
  /** When the shard was taken from an owner that had died; absent: it was free. */
  readonly takenOverAt?: number;
  /** Told once, when another engine has taken over. */
  readonly onLost: (owner: ShardOwner) => void;
}

/** Owns one definition in one shard. */
export class ShardOwner implements RunSource {
  /** The definition's name. */
  readonly name: string;
  /** The shard. */
  readonly shard: number;
  /** The fence. */
  readonly guard: Check;
  readonly #options: ShardOwnerOptions;
  readonly #context: EngineContext;
  readonly #definition: Definition;
  readonly #hot = new Map<string, HotRun>();
  /** Runs that are queued with the dispatcher, blocked there, running, or waiting as suspects. */
  readonly #queued = new Set<string>();
  readonly #later = new DueHeap();
  readonly #suspects: Suspects;
  /** First key of the due index that is not in memory; absent: all of it is. */
  #horizon: string | undefined;
  #bell: Version | undefined;
  #scanning: Promise<void> | undefined;
  #timer: { readonly at: number; readonly cancel: Cancel } | undefined;
  #over = false;

  /** @param options What it owns and with which fence. */
  constructor(options: ShardOwnerOptions) {
    this.#options = options;
    this.#context = options.context;
    this.#definition = options.definition;
    this.name = options.definition.name;
    this.shard = options.shard;
    this.guard = options.guard;
    this.#suspects = new Suspects(this.#context.limits, (runId) => this.#startSuspect(runId));
  }

  /** Reads what is due and takes up stalled runs whose status is known now. */
  async begin(): Promise<void> {
    await this.rescan();
    const range = keyspace.list.range(this.name, "stalled");
    const [entries] = await this.#context.reader.read(this.shard, [{
      ...range,
      limit: this.#context.limits.duePageMax,
    }]);
    for (const entry of entries!) {
      const run = await this.#load(splitKey(entry.key)[3]!);
      if (run && this.#definition.behaviour.statuses.has(run.record.status)) {
        await this.#change(run, unstall(this.#definition.behaviour)).catch((error) => this.#failed(error));
      }
    }
  }

  /** Whether this ownership has ended. */
  get over(): boolean {
    return this.#over;
  }

  /** Whether more of the due index is being read, or suspects wait for their turn. */
  get reading(): boolean {
    return this.#scanning !== undefined || (!this.#over && this.#suspects.waiting);
  }

  /** Resolves when what is being read has been read and every suspect has had its turn. */
  async readingDone(): Promise<void> {
    await this.#scanning?.catch(() => {});
    if (!this.#over) await this.#suspects.done();
  }

  /** When the next run is due; `undefined`: nothing waits. */
  get nextDue(): number | undefined {
    return this.#queued.size > 0 ? this.#context.clock.now() : this.#later.peek();
  }

  /** Ends this ownership: timers stop, running code is told, nothing more is started. */
  end(reason: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#timer?.cancel();
    for (const run of this.#hot.values()) run.attempt?.abort(reason);
  }

  /** A guarded commit was refused: another engine owns this now. */
  lost(): void {
    this.#failed(new LeaseLostError(`"${this.name}" in shard ${this.shard}`));
  }

  /** A run that this engine has just triggered here. */
  adopt(record: RunRecord, version: Version): void {
    const run: HotRun = { record, version, tail: Promise.resolve(), pending: 0 };
    this.#settle(run);
  }

  /** Applies a verb to a run of this shard under the owner's fence. */
  async change(runId: string, changeOf: ChangeOf): Promise<{ change: Change; record: RunRecord }> {
    const run = this.#hot.get(runId) ?? await this.#load(runId);
    if (!run) throw new PawlError("RUN_NOT_FOUND", `Cannot change run ${runId}: there is no such run`);
    const change = await this.#change(run, changeOf);
    if (isFinished(run.record.state)) {
      run.attempt?.abort(new PawlError("RUN_ENDED", `Run ${runId} is ${run.record.state}`));
    }
    return { change, record: run.record };
  }

  /** The bell row as the poll found it. A new version means: somebody wrote what this owner does not know. */
  heard(bell: Version | undefined): void {
    if (bell === this.#bell || this.#over) return;
    this.#bell = bell;
    for (const runId of [...this.#hot.keys()]) this.#drop(runId);
    this.rescan().catch((error) => this.#failed(error));
  }

  /** Reads the due index from its start: everything not in memory yet is taken up. */
  async rescan(): Promise<void> {
    while (this.#scanning) await this.#scanning;
    this.#scanning = this.#scan(keyspace.work.range(this.name).start);
    await this.#scanning.finally(() => this.#scanning = undefined);
  }

  /** Starts what has become due; called by the owner's timer and by the engine's poll, as clocks jump. */
  wake(): void {
    if (this.#over) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    const now = this.#context.clock.now();
    for (let runId = this.#later.take(now); runId !== undefined; runId = this.#later.take(now)) {
      this.#enqueue(runId);
    }
    this.#arm();
  }

  // The dispatcher's side.

  /** @inheritdoc */
  prepare(runId: string): Ready | undefined | Promise<Ready | undefined> {
    const hot = this.#hot.get(runId);
    if (hot && !this.#over) return this.#ready(hot);
    return this.#prepareCold(runId);
  }

  /** @inheritdoc */
  postpone(runId: string): void {
    // What waits for a slot may be changed by a guest meanwhile: it is read again when its turn comes.
    this.#drop(runId);
  }

  /** @inheritdoc */
  async run(runId: string): Promise<void> {
    const run = this.#hot.get(runId)!;
    const { clock, random } = this.#context;
    const startedAt = clock.monotonic();
    run.attempt = new AttemptSignal();
    const { visit } = run.record;
    const result = runStep(this.#context, this.#definition, run.record, run.attempt);
    const landing = result instanceof Promise ? await result : result;
    const durationMs = Math.round(clock.monotonic() - startedAt);
    const changeOf = land(this.#definition.behaviour, { visit, durationMs, chance: random.float() }, landing);
    await this.#landSurely(run, changeOf);
    delete run.attempt;
    this.#queued.delete(runId);
    this.#suspects.landed(runId);
    this.#settle(run);
    if (this.#horizon !== undefined) this.#readAhead();
  }

  /** A result that is in hand is not given up while this engine owns the shard, whatever ails the store. */
  async #landSurely(run: HotRun, changeOf: ChangeOf): Promise<void> {
    for (let attempt = 1; !this.#over; attempt++) {
      try {
        await this.#change(run, changeOf);
        return;
      } catch (error) {
        if (error instanceof LeaseLostError) return this.#failed(error);
        this.#context.logger.log("error", "Cannot store a step's result; trying again", {
          definition: this.name,
          runId: run.record.id,
          error: String(error),
        });
        const code = error instanceof PawlError ? error.code : undefined;
        if (code === "RUN_NOT_FOUND" || code === "STORE_CLOSED") return;
        if (code === "LIMIT_EXCEEDED") changeOf = this.#asFailure(run, error as PawlError);
        await sleep(this.#context.clock, Math.min(5_000, 50 * 2 ** Math.min(attempt, 7)));
      }
    }
  }

  #asFailure(run: HotRun, error: PawlError): ChangeOf {
    const failure = { name: error.name, message: error.message, code: error.code };
    const attempt = { visit: run.record.visit, durationMs: 0, chance: this.#context.random.float() };
    return land(this.#definition.behaviour, attempt, { kind: "error", error: failure });
  }

  async #prepareCold(runId: string): Promise<Ready | undefined> {
    if (this.#over) return undefined;
    try {
      const run = await this.#load(runId);
      if (run) return this.#ready(run);
      this.#drop(runId);
      this.#queued.delete(runId);
    } catch (error) {
      this.#queued.delete(runId);
      this.#failed(error);
      this.#later.set(runId, this.#context.clock.now() + this.#context.pollMs);
      this.#arm();
    }
    return undefined;
  }

  /** The start is decided on the record as last read or written. */
  #ready(run: HotRun): Ready | undefined | Promise<Ready | undefined> {
    if (run.pending > 0) return run.tail.then(() => this.#ready(run));
    const { record } = run;
    const { behaviour } = this.#definition;
    const now = this.#context.clock.now();
    if (record.due === undefined || record.due > now || isFinished(record.state)) return this.#notNow(run);
    if (record.state === "paused") return this.#instead(run, resume(behaviour, "engine"));
    if (!behaviour.statuses.has(record.status)) return this.#instead(run, stall());
    const policy = behaviour.policy(record.status);
    if (!policy) return this.#notNow(run);
    this.#hot.set(record.id, run);
    return { status: record.status, concurrency: policy.concurrency };
  }

  #notNow(run: HotRun): undefined {
    this.#queued.delete(run.record.id);
    this.#suspects.landed(run.record.id);
    this.#settle(run);
    return undefined;
  }

  async #instead(run: HotRun, changeOf: ChangeOf): Promise<undefined> {
    try {
      await this.#change(run, (record, now) => record.due === undefined ? {} : changeOf(record, now));
    } catch (error) {
      this.#failed(error);
    }
    return this.#notNow(run);
  }

  #change(run: HotRun, changeOf: ChangeOf): Promise<Change> {
    run.pending++;
    const change = run.pending === 1
      ? this.#apply(run, changeOf)
      : run.tail.then(() => this.#apply(run, changeOf));
    run.tail = change.then(() => {}, () => {});
    return change;
  }

  async #apply(run: HotRun, changeOf: ChangeOf): Promise<Change> {
    try {
      return await this.#applyKnown(run, changeOf);
    } catch (error) {
      if (error instanceof LeaseLostError) this.#failed(error);
      throw error;
    } finally {
      run.pending--;
      if (!run.attempt && !this.#queued.has(run.record.id)) this.#settle(run);
    }
  }

  /** When even the settlement of a lost reply failed, the record itself tells whether the change landed. */
  async #applyKnown(run: HotRun, changeOf: ChangeOf): Promise<Change> {
    let tried: Change = {};
    const remember: ChangeOf = (record, now) => tried = changeOf(record, now);
    try {
      return await applyChange(this.#context, run, remember, this.guard);
    } catch (error) {
      if (!(error instanceof OutcomeUnknownError)) throw error;
      const found = await readRun(this.#context, run.record.id);
      if (!found) throw error;
      const landed = tried.after !== undefined && found.record.version >= tried.after.version &&
        found.record.visit >= tried.after.visit;
      Object.assign(run, found);
      if (landed) return tried;
      throw error;
    }
  }

  // What is due, and when.

  async #scan(from: string): Promise<void> {
    const { limits, reader } = this.#context;
    const { end } = keyspace.work.range(this.name);
    for (let start = from; !this.#over;) {
      const [page] = await reader.read(this.shard, [{ start, end, limit: limits.duePageMax }]);
      for (const entry of page!) this.#found(entry.key);
      if (page!.length < limits.duePageMax) {
        this.#horizon = undefined;
        return;
      }
      start = keyAfter(page!.at(-1)!.key);
      if (this.#queued.size + this.#later.size < limits.dueInMemoryMax) continue;
      this.#horizon = start;
      return;
    }
  }

  #found(workKey: string): void {
    const [, , due, runId] = splitKey(workKey);
    if (this.#queued.has(runId!) || this.#hot.has(runId!)) return;
    const dueAt = readStamp(due!);
    const { takenOverAt } = this.#options;
    if (takenOverAt !== undefined && dueAt <= takenOverAt) {
      this.#queued.add(runId!);
      this.#suspects.add(runId!);
    } else {
      this.#track(runId!, dueAt);
    }
  }

  /** More of the index is read when little of what was read is left. */
  #readAhead(): void {
    if (this.#queued.size + this.#later.size > this.#context.limits.duePageMax / 2 || this.#scanning) return;
    const horizon = this.#horizon!;
    this.#scanning = this.#scan(horizon);
    this.#scanning.catch((error) => this.#failed(error)).finally(() => this.#scanning = undefined);
  }

  /** Files a run by what its record says is next. */
  #settle(run: HotRun): void {
    const { record } = run;
    if (this.#queued.has(record.id)) return;
    if (record.due === undefined || this.#over) {
      this.#later.delete(record.id);
      this.#drop(record.id);
      return;
    }
    const now = this.#context.clock.now();
    if (record.due <= now) this.#hot.set(record.id, run);
    else this.#drop(record.id);
    this.#track(record.id, record.due);
  }

  #track(runId: string, due: number): void {
    if (this.#queued.has(runId)) return;
    const { limits, clock } = this.#context;
    if (this.#queued.size + this.#later.size >= limits.dueInMemoryMax) {
      const key = keyspace.work.key(this.name, due, runId);
      if (this.#horizon === undefined || key < this.#horizon) this.#horizon = key;
      this.#later.delete(runId);
      this.#drop(runId);
    } else if (due <= clock.now()) {
      this.#enqueue(runId);
    } else {
      this.#later.set(runId, due);
      this.#arm();
    }
  }

  #enqueue(runId: string): void {
    if (this.#queued.has(runId) || this.#over) return;
    this.#later.delete(runId);
    this.#queued.add(runId);
    this.#options.dispatcher.ready(this, runId);
  }

  #arm(): void {
    const at = this.#later.peek();
    if (at === undefined || this.#over) return;
    if (this.#timer && this.#timer.at <= at) return;
    this.#timer?.cancel();
    const { clock } = this.#context;
    this.#timer = { at, cancel: clock.after(Math.max(0, at - clock.now()), () => this.wake()) };
  }

  async #startSuspect(runId: string): Promise<"started" | "alone" | "dropped"> {
    try {
      const run = await this.#load(runId);
      const due = run?.record.due;
      if (!run || due === undefined || due > this.#context.clock.now() || run.record.state === "paused") {
        this.#queued.delete(runId);
        if (run) this.#settle(run);
        return "dropped";
      }
      if (run.record.crashes > 0 && !this.#suspects.isAlone(runId)) return "alone";
      await this.#change(run, interrupted(this.#definition.behaviour, this.#context.limits.crashesMax));
      this.#hot.set(runId, run);
      this.#options.dispatcher.ready(this, runId);
      return "started";
    } catch (error) {
      this.#failed(error);
      this.#queued.delete(runId);
      this.#track(runId, this.#context.clock.now() + this.#context.pollMs);
      return "dropped";
    }
  }

  async #load(runId: string): Promise<HotRun | undefined> {
    const held = await readRun(this.#context, runId);
    // Somebody may have loaded it meanwhile: two copies of one run would only refuse each other.
    return this.#hot.get(runId) ?? (held && { ...held, tail: Promise.resolve(), pending: 0 });
  }

  #drop(runId: string): void {
    const run = this.#hot.get(runId);
    if (run && run.pending === 0 && !run.attempt) this.#hot.delete(runId);
  }

  #failed(error: unknown): void {
    if (this.#over) return;
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
}
