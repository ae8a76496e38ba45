import { OutcomeUnknownError, PawlError, RunStateError } from "../errors.ts";
import { encodeHistory } from "../parts/history.ts";
import type { Change, ChangeOf } from "../parts/run_change.ts";
import { isFinished, type RunLock, type RunRecord } from "../parts/run_record.ts";
import { decodeRecord } from "../parts/run_row.ts";
import { keyspace } from "../store/keyspace.ts";
import type { Check, Entry, Version } from "../store/store.ts";
import { type EngineContext, shardOfRun } from "./context.ts";
import type { AttemptSignal } from "./attempt_call.ts";
import { noticed } from "./notice.ts";
import type { Turn } from "./turn.ts";
import {
  type Also,
  type Applied,
  applyChange,
  draftOf,
  type Held,
  landed,
  lookAgain,
  readRun,
} from "./write_change.ts";

/** What goes with a change. */
export interface HowToChange {
  /**
   * Resolves when no write of this fence is on its way any more: for a change that must not be applied twice even if its
   * outcome stays unknown.
   */
  readonly seal?: () => Promise<void>;
  /** Rows of the same batch. */
  readonly also?: Also | undefined;
}

/** What a change throws that was decided on another state of the run than the one it is to be applied to. */
export class Stale extends Error {}

const stepTurn: Turn = { kind: "step" };

/** A run whose record is in memory. */
export interface HotRun extends Held {
  /** When the record was last known true, by the monotonic clock; `-Infinity`: a guest may have changed it since. */
  seenAt: number;
  /** A change is on its way; changes of one run are applied one after another. */
  busy: boolean;
  /** Who waits for it. */
  waiting: (() => void)[] | undefined;
  /** What its next turn is for, decided when it is readied. */
  turn: Turn;
  /** The attempt that is running. */
  attempt: AttemptSignal | undefined;
  /** Its run has ended meanwhile: what is left to do with the run does not wait for the attempt. */
  detached: boolean;
  /** When its step's next start fell due, where the record does not tell any more. */
  dueSince: number | undefined;
}

/** The records that an owner has in memory, and the changes it makes to them under its fence. */
export class HotRuns {
  readonly #context: EngineContext;
  readonly #guard: Check;
  readonly #applied: (applied: Applied) => void;
  readonly #runs = new Map<string, HotRun>();
  /** When it was last known that no guest has changed any run. */
  #quietAt = -Infinity;
  /** How often a guest may have changed any. */
  #doubts = 0;

  /**
   * @param context The engine.
   * @param guard The owner's fence.
   * @param applied Told of each change that was applied.
   */
  constructor(context: EngineContext, guard: Check, applied: (applied: Applied) => void) {
    this.#context = context;
    this.#guard = guard;
    this.#applied = applied;
  }

  /** The runs in memory. */
  values(): Iterable<HotRun> {
    return this.#runs.values();
  }

  /** Whether a run is in memory. */
  has(runId: string): boolean {
    return this.#runs.has(runId);
  }

  /** The run, if it is in memory. */
  peek(runId: string): HotRun | undefined {
    return this.#runs.get(runId);
  }

  /** The run, if its record can still be believed: where no poll has said so for long, a guest may have changed it. */
  fresh(runId: string): HotRun | undefined {
    const run = this.#runs.get(runId);
    if (!run || run.busy) return undefined;
    const { clock, pollMs } = this.#context;
    const now = clock.monotonic();
    // Polls come a little later than each `pollMs`.
    const isQuiet = run.seenAt > -Infinity && now - this.#quietAt <= 2 * pollMs;
    if (isQuiet || now - run.seenAt <= pollMs) return run;
    this.#runs.delete(runId);
    return undefined;
  }

  /** The record of a run in memory, unless a guest may have changed it. */
  known(runId: string): RunRecord | undefined {
    const run = this.#runs.get(runId);
    return run && run.seenAt > -Infinity ? run.record : undefined;
  }

  /**
   * No guest has changed any run, as of a time.
   *
   * @param at By the monotonic clock.
   */
  believe(at: number): void {
    this.#quietAt = at;
  }

  /** Keeps a run in memory. */
  keep(run: HotRun): void {
    this.#runs.set(run.record.id, run);
  }

  /** Forgets a run, unless something is going on with it. */
  drop(runId: string): void {
    const run = this.#runs.get(runId);
    if (run && !run.busy && !run.attempt) this.#runs.delete(runId);
  }

  /**
   * Parts a run that has ended from the attempt that still runs.
   *
   * @returns The run without it.
   */
  detach(run: HotRun): HotRun {
    run.detached = true;
    this.#runs.delete(run.record.id);
    return this.hold(run.record, run.version);
  }

  /**
   * Looks at a run whose row in the index is not where its record in memory says.
   *
   * @returns The run without its attempt, if it has ended.
   */
  async review(runId: string): Promise<HotRun | undefined> {
    const found = await readRun(this.#context, runId);
    const run = this.#runs.get(runId);
    const isCode = run?.turn.kind === "step" || run?.turn.kind === "timer";
    if (!run?.attempt || !isCode || run.busy || !found || !isFinished(found.record.state)) return undefined;
    run.attempt.abort(runEnded(found.record));
    this.detach(run);
    return this.hold(found.record, found.version);
  }

  /** Forgets every run with which nothing is going on: a guest may have changed any of them. */
  dropAll(): void {
    this.#doubts++;
    for (const [runId, run] of [...this.#runs]) {
      run.seenAt = -Infinity;
      this.drop(runId);
    }
  }

  /** Running code that listens to its signal is told when a guest has ended its run, or moved it on. */
  async tellEnded(): Promise<void> {
    const listening = [...this.#runs.values()].filter((run) => run.attempt?.isListening);
    await Promise.all(listening.map(async (run) => {
      const { record } = run;
      const found = await readRun(this.#context, record.id);
      if (found && run.attempt) cutShort(run.attempt, record, found.record);
    }));
  }

  /** A record just written or read. */
  hold(record: RunRecord, version: Version): HotRun {
    const seenAt = this.#context.clock.monotonic();
    return {
      record,
      version,
      seenAt,
      busy: false,
      waiting: undefined,
      turn: stepTurn,
      attempt: undefined,
      detached: false,
      dueSince: undefined,
    };
  }

  /** The run from memory or from the store. */
  async load(runId: string): Promise<HotRun | undefined> {
    const known = this.#runs.get(runId);
    if (known) return known;
    const doubts = this.#doubts;
    const held = await readRun(this.#context, runId);
    // Somebody may have loaded it meanwhile: two copies of one run would only refuse each other.
    const loaded = this.#runs.get(runId);
    if (loaded || !held) return loaded;
    const run = this.hold(held.record, held.version);
    if (doubts !== this.#doubts) run.seenAt = -Infinity;
    return run;
  }

  /** Resolves when the change that is on its way has ended; the next may have begun by then, so look again. */
  free(run: HotRun): Promise<void> {
    return new Promise((resolve) => (run.waiting ??= []).push(resolve));
  }

  /**
   * Applies a change, after those that came before it.
   *
   * @param run The run; kept true.
   * @param changeOf The change.
   * @param how What goes with it.
   * @returns What was applied.
   */
  async change(run: HotRun, changeOf: ChangeOf, how?: HowToChange): Promise<Applied> {
    while (run.busy) await this.free(run);
    run.busy = true;
    let tried: Change | undefined;
    const trying: ChangeOf = (record, now) => tried = changeOf(record, now);
    const context = this.#context;
    const guard = this.#guard;
    const doubts = this.#doubts;
    let applied: Applied | undefined;
    try {
      // Not in a function of its own, which would wait, too: what waits stays in memory, once for every run in flight.
      const draft = draftOf(context, run, trying, guard, how?.also);
      const result = draft.batch && await context.committer.commit(draft.shard, draft.batch, guard);
      if (!result) applied = draft.change;
      else if (result.ok) applied = landed(context, run, draft, result.version);
      else {
        await lookAgain(context, run, result.reason);
        applied = await applyChange(context, run, trying, guard, how?.also);
      }
    } catch (error) {
      applied = await this.#afterAll(run, changeOf, how, tried, error);
    } finally {
      this.#freed(run, applied !== undefined && doubts === this.#doubts);
    }
    this.#applied(applied);
    return applied;
  }

  /** What failed may have landed all the same, and what was written before a guest's change was heard of may be older. */
  #freed(run: HotRun, isTrue: boolean): void {
    run.busy = false;
    run.seenAt = isTrue ? this.#context.clock.monotonic() : -Infinity;
    const { waiting } = run;
    run.waiting = undefined;
    if (waiting) { for (const next of waiting) next(); }
  }

  /** What a change comes to that could not be applied at first. */
  async #afterAll(
    run: HotRun,
    changeOf: ChangeOf,
    how: HowToChange | undefined,
    tried: Change | undefined,
    error: unknown,
  ): Promise<Applied> {
    if (error instanceof OutcomeUnknownError) {
      // Where even the look fails, what the caller must know is that the change may have landed.
      const isFound = await this.#foundLanded(run, tried ?? {}, how?.seal).catch(() => false);
      if (isFound) return { ...tried, unheard: true };
    }
    const isRefusal = error instanceof RunStateError || error instanceof Stale;
    if (isRefusal) return await this.#applyFresh(run, changeOf, error, how?.also);
    throw error;
  }

  /** The copy in memory is a guess: a verb or callback is refused only for what the store says. */
  async #applyFresh(
    run: HotRun,
    changeOf: ChangeOf,
    refusal: RunStateError | Stale,
    also: Also | undefined,
  ): Promise<Applied> {
    const found = await readRun(this.#context, run.record.id);
    if (!found || found.version === run.version) throw refusal;
    run.record = found.record;
    run.version = found.version;
    return await applyChange(this.#context, run, changeOf, this.#guard, also);
  }

  /** When even the settlement of a lost reply failed, the history tells whether the change landed. */
  async #foundLanded(run: HotRun, { after, event }: Change, seal?: () => Promise<void>): Promise<boolean> {
    await seal?.();
    const { id } = run.record;
    const [[entry], newest] = await this.#context.reader.read(shardOfRun(this.#context, id), [
      { get: keyspace.run.key(id) },
      { ...keyspace.history.range(id), limit: this.#context.limits.readPageMax, reverse: true },
    ]) as [Entry[], Entry[]];
    if (!entry) return false;
    const before = run.record;
    run.record = decodeRecord(entry.value, entry.key);
    run.version = entry.version;
    if (!after || !event) return false;
    // A record's version alone does not tell: a guest may have written that version instead.
    const row = encodeHistory(event, after, after.updatedAt);
    const isFound = newest.some((each) => each.value === row);
    if (isFound) noticed(this.#context, before, { after, event }, after.updatedAt);
    this.#context.watch.changed(run.record);
    return isFound;
  }
}

/**
 * The reason with which an attempt is aborted whose run has ended or left its status.
 *
 * @param record The run.
 * @returns The error its code sees.
 */
function runEnded({ id, state, status }: RunRecord): PawlError {
  const now = isFinished(state) ? `is ${state}` : `is now at "${status}"`;
  return new PawlError("RUN_ENDED", `Run ${id} ${now}: what this attempt comes to is dropped`);
}

/** What an attempt comes to fits no more once its run has ended, or has left the visit, or lost the lock, it was begun in. */
export function cutShort(attempt: AttemptSignal, before: RunRecord, after: RunRecord): void {
  const { visit, lock } = before;
  if (isFinished(after.state) || after.visit !== visit) attempt.abort(runEnded(after));
  else if (lock && after.lock?.request !== lock.request) attempt.abort(lockGone(after, lock));
}

/**
 * The reason with which an attempt is aborted whose run has lost its lock.
 *
 * @param record The run.
 * @param lock What it had.
 * @returns The error its code sees.
 */
function lockGone({ id }: RunRecord, { namespace, wants }: RunLock): PawlError {
  const names = wants.map(({ name }) => `"${name}"`).join(", ");
  return new PawlError(
    "LOCK_LOST",
    `Run ${id} has lost ${names} of namespace "${namespace}": what this attempt comes to is dropped`,
  );
}
