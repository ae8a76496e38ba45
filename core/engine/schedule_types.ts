/**
 * Schedules as their users see them.
 *
 * @module
 */
import type { Duration } from "../duration.ts";
import type { RunState } from "../parts/run_record.ts";
import type { OccurrenceKind, Overlap, ScheduleCounts } from "../parts/schedule_record.ts";
import type { Recurrence, StoredRecurrence } from "../schedule/recurrence.ts";
import type { Definition } from "./behaviour.ts";

/** What a filter is asked about. */
export interface ScheduledOccurrence {
  /** The schedule's id. */
  readonly schedule: string;
  /** The time of the occurrence. */
  readonly scheduledFor: Date;
}

/** Says whether an occurrence is to happen. What it throws keeps the occurrence, and it is asked again. */
export type ScheduleFilter = (occurrence: ScheduledOccurrence) => boolean | Promise<boolean>;

/** What may be asked of a schedule, beside its target and data. */
export interface ScheduleSettings {
  /** When. */
  readonly recurrence: Recurrence;
  /** The key of its runs. `{scheduledFor}` in it stands for the time of the occurrence, as ISO text. */
  readonly key: string;
  /** What happens while a run of the schedule is unfinished; default `"skip"`. `"allowAll"` wants `{scheduledFor}` in the key. */
  readonly overlap?: Overlap;
  /** How late an occurrence may start when no engine was there in time; default 1 day, at least 10 s. Older ones are missed. */
  readonly catchUp?: Duration;
  /** Spreads the starts over so long after each occurrence; the same for the same occurrence. Default: none. */
  readonly jitter?: Duration;
  /** Pauses the schedule when a run of it fails, or cannot be started; default `false`. */
  readonly pauseOnFailure?: boolean;
  /** Starts by its recurrence, in all; default: any number. */
  readonly limit?: number;
  /** No occurrence is before this. */
  readonly from?: Date;
  /** No occurrence is after this. */
  readonly until?: Date;
  /** Name of a function in `createEngine({ filters })` that says of each occurrence whether it is to happen. */
  readonly filter?: string;
}

/** What `create` takes. `data` may be left out only where the definition's data may be `undefined`. */
export type ScheduleOptions<Data, Status extends string, Start extends string> =
  & ScheduleSettings
  & {
    /** Names the schedule; unique in the store. */
    readonly id: string;
    /** What it triggers. */
    readonly target: Definition<Data, Status, Start>;
    /** Where its runs start; default: the definition's first status. */
    readonly startAt?: NoInfer<Start>;
    /** `false`: it begins paused. */
    readonly enabled?: boolean;
    /** For whoever looks at it. */
    readonly note?: string;
  }
  & (undefined extends Data ? { readonly data?: NoInfer<Data> } : { readonly data: NoInfer<Data> });

/** What `update` takes; what is left out stays, and `null` takes away. */
export type ScheduleChanges =
  & Partial<Omit<ScheduleSettings, "limit" | "from" | "until" | "filter">>
  & { readonly [Name in "limit" | "from" | "until" | "filter"]?: ScheduleSettings[Name] | null }
  & {
    /** The data of the runs to come. */
    readonly data?: unknown;
    /** Where the runs to come start. */
    readonly startAt?: string;
    /** Pauses or unpauses it. */
    readonly enabled?: boolean;
    /** For whoever looks at it. */
    readonly note?: string;
  };

/** A schedule. */
export interface ScheduleView {
  /** Its id. */
  readonly id: string;
  /** Name of its target. */
  readonly definition: string;
  /** The key of its runs, or a template of it. */
  readonly key: string;
  /** Where its runs start; absent: where all do. */
  readonly startAt?: string;
  /** When, as it is stored. */
  readonly recurrence: StoredRecurrence;
  /** What happens while a run is unfinished. */
  readonly overlap: Overlap;
  /** How late an occurrence may start. */
  readonly catchUpMs: number;
  /** Over how long starts are spread. */
  readonly jitterMs: number;
  /** Whether a failure pauses it. */
  readonly pauseOnFailure: boolean;
  /** Starts in all; absent: any number. */
  readonly limit?: number;
  /** Starts that are left of it. */
  readonly startsLeft?: number;
  /** No occurrence is before this. */
  readonly from?: Date;
  /** No occurrence is after this. */
  readonly until?: Date;
  /** Name of its filter. */
  readonly filter?: string;
  /** `false`: it is paused. */
  readonly enabled: boolean;
  /** What was said of it last, by you or, when it paused itself, by the engine. */
  readonly note?: string;
  /** Its next occurrence; absent: there is none. While it is paused, the first that waits for it. */
  readonly next?: Date;
  /** Running totals. */
  readonly counts: ScheduleCounts;
  /** When it was created. */
  readonly createdAt: Date;
  /** When it changed last, also by itself. */
  readonly updatedAt: Date;
  /** Grows by one per change. */
  readonly version: number;
}

/** How a run of a schedule ended. */
export interface ScheduleResultView {
  /** The occurrence. */
  readonly scheduledFor: Date;
  /** Its run. */
  readonly runId: string;
  /** How it ended; `removed`: it was gone when the schedule looked. */
  readonly runState: RunState | "removed";
  /** When. */
  readonly endedAt: Date;
}

/** A schedule with what it is at. */
export interface ScheduleDescription extends ScheduleView {
  /** Its data. */
  readonly data: unknown;
  /** The next ten occurrences. */
  readonly upcoming: readonly Date[];
  /** The last ten results, oldest first. */
  readonly results: readonly ScheduleResultView[];
  /** Its unfinished runs, as far as it was told. */
  readonly running: readonly { readonly scheduledFor: Date; readonly runId: string }[];
  /** Occurrences that are to start: one that is being started, and those that wait. */
  readonly waiting: readonly { readonly scheduledFor: Date; readonly by: OccurrenceKind }[];
  /** Backfills that are under way. */
  readonly backfills: readonly BackfillView[];
}

/** A backfill that is under way. */
export interface BackfillView {
  /** Its first time. */
  readonly from: Date;
  /** Its last time. */
  readonly until: Date;
  /** The policy of its occurrences. */
  readonly overlap: Overlap;
  /** The occurrence that it is at. */
  readonly at: Date;
  /** Occurrences so far. */
  readonly taken: number;
  /** Those it left out, as they had been started before. */
  readonly leftOut: number;
}

/** What became of an occurrence, or of several that were passed over together. */
export interface OccurrenceView {
  /** Its time, or that of the first of several. */
  readonly scheduledFor: Date;
  /** What became of it. */
  readonly outcome: "started" | "skipped" | "missed" | "failed";
  /** What brought it. */
  readonly by: OccurrenceKind;
  /** Its run, when it was started. */
  readonly runId?: string;
  /** Why it was not. */
  readonly reason?: string;
  /** When that was decided. */
  readonly decidedAt: Date;
  /** Of several: the last, how many, and whether there were more than were counted. */
  readonly several?: { readonly until: Date; readonly count: number; readonly isMore: boolean };
}

/** Which schedules. */
export interface ScheduleQuery {
  /** Only those of this target. */
  readonly definition?: string;
  /** Schedules at most; default 100. */
  readonly limit?: number;
  /** From the page before. */
  readonly cursor?: string;
}

/** One page. */
export interface SchedulePage<Item = ScheduleView> {
  /** What was found. */
  readonly items: readonly Item[];
  /** Where the next page begins; absent: there is none. */
  readonly cursor?: string;
}

/** The verbs of `engine.schedules`. */
export interface ScheduleVerbs {
  /**
   * Creates a schedule. The same call again finds it, also after it was updated or paused.
   *
   * @param options Its id, what it starts, when, and what happens when runs overlap.
   * @returns The schedule, and whether this call made it.
   * @throws {PawlError} `SCHEDULE_EXISTS` when the id names one that was asked to do something else; `INVALID_ARGUMENT`,
   * `UNKNOWN_RECURRENCE`, `UNKNOWN_FILTER`, and what `trigger` throws at the door.
   */
  create<Data, Status extends string, Start extends string>(
    options: ScheduleOptions<Data, Status, Start>,
  ): Promise<{ readonly created: boolean; readonly schedule: ScheduleView }>;
  /**
   * The schedule, or `undefined`.
   *
   * @param id Its id.
   * @returns The schedule; `undefined` when there is none.
   */
  get(id: string): Promise<ScheduleView | undefined>;
  /**
   * The schedule with its next occurrences, last results, and what is under way.
   *
   * @param id Its id.
   * @returns The schedule, and what an operator wants to know of it.
   * @throws {PawlError} `SCHEDULE_NOT_FOUND`, `UNKNOWN_RECURRENCE`.
   */
  describe(id: string): Promise<ScheduleDescription>;
  /**
   * One page of schedules, shard by shard, by id.
   *
   * @param query Definition, page size, and the cursor of the page before.
   * @returns The schedules, and the cursor of the next page if there is one.
   */
  list(query?: ScheduleQuery): Promise<SchedulePage>;
  /**
   * What became of its occurrences, oldest first; the last 1,000 are kept.
   *
   * @param id Its id.
   * @param query Page size, and the cursor of the page before.
   * @returns The outcomes, and the cursor of the next page if there is one.
   */
  outcomes(
    id: string,
    query?: Omit<ScheduleQuery, "definition">,
  ): Promise<SchedulePage<OccurrenceView>>;
  /**
   * Changes what is given. New times (`recurrence`, `from`, `until`, `jitter`) begin now; what the old ones had due is missed.
   *
   * @param id Its id.
   * @param changes What is to be different.
   * @returns The schedule as it is now.
   * @throws {PawlError} `SCHEDULE_NOT_FOUND`, and what `create` throws.
   */
  update(id: string, changes: ScheduleChanges): Promise<ScheduleView>;
  /**
   * Stops its recurrence; runs go on, and `trigger` and `backfill` work.
   *
   * @param id Its id.
   * @param options `note`: why.
   * @returns The schedule as it is now.
   */
  pause(id: string, options?: { readonly note?: string }): Promise<ScheduleView>;
  /**
   * Lets it go on. What came up meanwhile starts as far as its catch-up window reaches, or, with `catchUp: false`, is
   * skipped.
   *
   * @param id Its id.
   * @param options `note`, `catchUp`.
   * @returns The schedule as it is now.
   */
  unpause(
    id: string,
    options?: { readonly note?: string; readonly catchUp?: boolean },
  ): Promise<ScheduleView>;
  /**
   * Removes it; its runs go on. An occurrence that is being started at this moment may still start.
   *
   * @param id Its id.
   */
  delete(id: string): Promise<void>;
  /**
   * An occurrence now, also while it is paused.
   *
   * @param id Its id.
   * @param options `overlap`: for this one.
   * @returns The time that names it.
   */
  trigger(id: string, options?: { readonly overlap?: Overlap }): Promise<{ readonly scheduledFor: Date }>;
  /**
   * Makes up for a range of the past: its occurrences are started, but for those that were started before, as far as
   * outcomes are kept. It goes on in the background; `describe` shows how far it is.
   *
   * @param id Its id.
   * @param range Both ends count. `overlap`: default `"bufferAll"`, one after another.
   */
  backfill(
    id: string,
    range: { readonly from: Date; readonly until: Date; readonly overlap?: Overlap },
  ): Promise<void>;
}
