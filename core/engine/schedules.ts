import { LeaseLostError, OutcomeUnknownError, PawlError } from "../errors.ts";
import { backoffMs } from "../parts/landing.ts";
import { setBackSchedule } from "../parts/schedule_edit.ts";
import { runEnded, type ScheduleChange, startLanded } from "../parts/schedule_landing.ts";
import { type PlanFacts, planOf } from "../parts/schedule_plan.ts";
import { type Overlap, scheduleDue, type ScheduleRecord } from "../parts/schedule_record.ts";
import { keyspace } from "../store/keyspace.ts";
import type { Version } from "../store/store.ts";
import { askFilter, FilterFailure } from "./ask_filter.ts";
import type { EngineContext } from "./context.ts";
import type { Ready } from "./dispatcher.ts";
import { DueTurns, type TurnTaker } from "./due_turns.ts";
import { makeRoom } from "./make_room.ts";
import type { ShardOwnerOptions } from "./owner_options.ts";
import { endedRuns } from "./schedule_end.ts";
import { rowsPerBatch, startedIn, sweepDeleted, sweepOutcomeRows } from "./schedule_outcomes.ts";
import { type HeldSchedule, readSchedule, scheduleBatch, slotsOf } from "./schedule_store.ts";
import type { ShardOwner } from "./shard_owner.ts";
import { runError } from "./step_runner.ts";
import { type Starter, startOccurrence } from "./start_occurrence.ts";
import { RunIds } from "./trigger.ts";

/** How a filter that fails is asked again. */
const filterRetry = { retryInitialMs: 500, retryMaxMs: 30_000, retryFactor: 2, retryJitter: false };

/** How long a schedule is let be that this code cannot go on with. */
const unknownMs = 60_000;

/**
 * The schedules of one definition in one shard. A turn of one takes it up to the start of at most one run: the start is
 * claimed together with the next occurrence, then made, then told; each is one commit, and repeats to the same end
 * wherever the one before was cut off.
 */
export class Schedules implements TurnTaker {
  /** Theirs. */
  readonly turns: DueTurns;
  readonly #owner: ShardOwner;
  readonly #context: EngineContext;
  readonly #starter: Starter;
  /** How often the filter of a schedule has failed in a row. */
  readonly #failures = new Map<string, number>();
  /** What verbs of this engine have made of schedules while they had their turn. */
  readonly #news = new Map<string, { readonly due: number | undefined; readonly version: Version }>();

  /**
   * @param owner Whose.
   * @param options The owner's.
   */
  constructor(owner: ShardOwner, options: ShardOwnerOptions) {
    const { context, ownerOf } = options;
    this.#owner = owner;
    this.#context = context;
    this.#starter = { context, ownership: { ownerOf }, runIds: new RunIds(context) };
    this.turns = new DueTurns("schedules", keyspace.tick, owner, options, this);
  }

  /** The clock was ahead and has been set back: what was changed by it goes on by this one. */
  setBack(): Promise<boolean> {
    return this.turns.setBack(async (id) => {
      const held = await readSchedule(this.#context, id);
      if (held?.record.definition !== this.#owner.name) return;
      const slots = slotsOf(this.#context, held.record.rules);
      const change = setBackSchedule(held.record, slots, this.#context.clock.now());
      const after = change && await this.#tryCommit(held, change);
      if (after) this.changed(id, scheduleDue(after.record), after.version);
    });
  }

  /** A schedule was changed by this engine. */
  changed(id: string, due: number | undefined, version: Version): void {
    if (this.turns.holds(id)) this.#news.set(id, { due, version });
    else this.turns.file(id, due, version);
  }

  /** @inheritdoc */
  prepare(id: string): Ready | undefined {
    if (!this.#owner.over && !this.#owner.resting) return { status: "schedule", concurrency: 0 };
    this.turns.over(id);
    return undefined;
  }

  /** @inheritdoc */
  async run(id: string): Promise<void> {
    await this.#owner.attend(this.#work(id));
  }

  async #work(id: string): Promise<void> {
    try {
      const held = await this.#turn(id);
      const news = this.#end(id);
      // What was changed meanwhile may be newer than what was read.
      if (news && !(held && held.version > news.version)) this.turns.file(id, news.due, news.version);
      else this.turns.file(id, held && scheduleDue(held.record), held?.version);
    } catch (error) {
      this.#end(id);
      this.#setAside(id, error);
    }
    this.turns.readAhead();
  }

  #end(id: string): { readonly due: number | undefined; readonly version: Version } | undefined {
    const news = this.#news.get(id);
    this.turns.over(id);
    this.#news.delete(id);
    return news;
  }

  /** Nothing is lost by a failure: the record tells what is to be done. */
  #setAside(id: string, error: unknown): void {
    const { clock, logger } = this.#context;
    if (error instanceof OutcomeUnknownError) this.#owner.unsure();
    if (error instanceof FilterFailure) return this.#waitForFilter(id, error);
    if (error instanceof PawlError && /^(UNKNOWN|INVALID)_/.test(error.code)) {
      const { code, message } = error;
      logger.log("error", "Cannot go on with a schedule", {
        definition: this.#owner.name,
        schedule: id,
        code,
        message,
      });
      this.turns.file(id, clock.now() + unknownMs);
    } else this.turns.retry(id, error);
  }

  #waitForFilter(id: string, { message, cause }: FilterFailure): void {
    const { clock, logger, limits } = this.#context;
    const attempt = (this.#failures.get(id) ?? 0) + 1;
    this.#failures.set(id, attempt);
    const { name, message: why } = runError(cause, limits.messageLengthMax);
    const fields = { definition: this.#owner.name, schedule: id, attempt, error: name, message: why };
    logger.log("warn", `A ${message}; it is asked again`, fields);
    this.turns.file(id, clock.now() + backoffMs(filterRetry, attempt, 1));
  }

  async #turn(id: string): Promise<HeldSchedule | undefined> {
    let held = await readSchedule(this.#context, id);
    if (this.#owner.over) return held;
    // Its id may have passed to a schedule of another target.
    if (held?.record.definition !== this.#owner.name) return undefined;
    if (held.record.deletedAt !== undefined) return await this.#sweep(held);
    if (!held.record.starting) held = await this.#advance(held);
    if (held?.record.starting && !this.#owner.over) held = await this.#start(held);
    return held;
  }

  /** Decides, until a start is claimed or nothing is left to decide. */
  async #advance(first: HeldSchedule): Promise<HeldSchedule | undefined> {
    const verdicts = new Map<number, boolean>();
    let isRoomAsked = false;
    let held: HeldSchedule | undefined = first;
    while (held && !held.record.starting && held.record.deletedAt === undefined && !this.#owner.over) {
      const { clock } = this.#context;
      const now = clock.now();
      const due = scheduleDue(held.record);
      if (due === undefined || due > now) break;
      const fresh = await this.#withEnds(held.record);
      const facts = await this.#facts(fresh.after, verdicts, isRoomAsked);
      const plan = planOf(fresh.after, now, facts);
      if (plan.ask !== undefined) {
        verdicts.set(plan.ask, await askFilter(this.#context, fresh.after, plan.ask));
        this.#failures.delete(fresh.after.id);
      } else if (plan.room && fresh.after === held.record) {
        await makeRoom(this.#starter, this.#owner.definition, fresh.after.id, plan.room);
        isRoomAsked = true;
      } else {
        const outcomes = [...fresh.outcomes, ...plan.outcomes];
        const after = plan.after === fresh.after
          ? fresh.after
          : { ...plan.after, version: held.record.version + 1 };
        if (after === held.record) break;
        held = await this.#commit(held, { after, outcomes });
      }
    }
    return held;
  }

  /** The schedule with those of its runs told of that have ended unheard. */
  async #withEnds(schedule: ScheduleRecord): Promise<ScheduleChange> {
    let change: ScheduleChange = { after: schedule, outcomes: [] };
    const isBeside = (overlap: Overlap) => overlap === "allowAll";
    const { rules, waiting, backfills, running } = schedule;
    const areBeside = [rules, ...waiting, ...backfills].every((each) =>
      isBeside(each.overlap ?? rules.overlap)
    );
    // They are told of anyway; whoever starts beside them need not look at hundreds.
    if (areBeside && running.length < this.#context.limits.scheduleRunsMax) return change;
    for (const { start, ...result } of await endedRuns(this.#context, schedule)) {
      const { life } = schedule;
      change = runEnded(change.after, { life, start }, result, this.#context.clock.now()) ?? change;
    }
    if (change.after === schedule) return change;
    return { ...change, after: { ...change.after, version: schedule.version + 1 } };
  }

  async #facts(
    schedule: ScheduleRecord,
    verdicts: ReadonlyMap<number, boolean>,
    isRoomAsked: boolean,
  ): Promise<PlanFacts> {
    const { limits } = this.#context;
    return {
      slots: slotsOf(this.#context, schedule.rules),
      passes: (at) => verdicts.get(at),
      wasStarted: await startedIn(this.#context, schedule),
      isRoomAsked,
      bounds: {
        decisionsMax: rowsPerBatch(this.#context),
        missedMax: limits.missedCountMax,
        waitingMax: limits.occurrencesWaitingMax,
        runningMax: limits.scheduleRunsMax,
      },
    };
  }

  async #start(held: HeldSchedule): Promise<HeldSchedule | undefined> {
    const { start } = held.record.starting!;
    const landed = await startOccurrence(this.#starter, held.record, this.#owner.definition);
    let current: HeldSchedule | undefined = held;
    for (let rebase = 0; current && rebase <= this.#context.limits.rebasesMax; rebase++) {
      const change = startLanded(current.record, start, landed, this.#context.clock.now());
      if (!change) break;
      const after = await this.#tryCommit(current, change);
      if (after) return after;
      current = await readSchedule(this.#context, held.record.id);
    }
    return current;
  }

  async #sweep(held: HeldSchedule): Promise<HeldSchedule | undefined> {
    if (scheduleDue(held.record)! > this.#context.clock.now()) return held;
    const isGone = await sweepDeleted(this.#context, held, this.#owner.guard);
    return isGone ? undefined : await readSchedule(this.#context, held.record.id);
  }

  /** Commits a change, or reads what somebody else has made of the schedule. */
  async #commit(held: HeldSchedule, change: ScheduleChange): Promise<HeldSchedule | undefined> {
    return await this.#tryCommit(held, change) ?? await readSchedule(this.#context, held.record.id);
  }

  async #tryCommit(held: HeldSchedule, change: ScheduleChange): Promise<HeldSchedule | undefined> {
    const { shard, guard, name } = this.#owner;
    const swept = await sweepOutcomeRows(this.#context, change);
    const batch = scheduleBatch(held, swept.change);
    for (const key of swept.gone) batch.delete(key);
    const result = await this.#context.committer.commit(shard, batch, guard);
    if (result.ok) return { record: swept.change.after, version: result.version };
    if (result.reason === "lease-lost") throw new LeaseLostError(`"${name}" in shard ${shard}`);
    return undefined;
  }
}
