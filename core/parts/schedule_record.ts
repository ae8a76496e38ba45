/**
 * The record of a schedule: what it was asked to do, which occurrence it is at, and what is under way.
 *
 * @module
 */
import { PawlError } from "../errors.ts";
import { parseStored } from "../json.ts";
import { keyspace } from "../store/keyspace.ts";
import { table } from "../store/table.ts";
import type { RunState } from "./run_record.ts";

/** What happens when an occurrence is due while a run of the schedule is unfinished. */
export type Overlap =
  | "skip" // the occurrence is passed over
  | "bufferOne" // one waits, more are passed over
  | "bufferAll" // all wait, and start one after another
  | "cancelOther" // the run is cancelled, and the occurrence starts when it has ended
  | "terminateOther" // the run is ended without its hooks, and the occurrence starts
  | "allowAll"; // it starts beside the others

/** All policies. */
export const overlaps: readonly Overlap[] = [
  "skip",
  "bufferOne",
  "bufferAll",
  "cancelOther",
  "terminateOther",
  "allowAll",
];

/** Why something is to be started. */
export type OccurrenceKind = "slot" | "trigger" | "backfill";

/** What its owner asked of a schedule; changed by `update` only. */
export interface ScheduleRules {
  /** The key of its runs, or a template of it. */
  readonly key: string;
  /** Where its runs start; absent: where all do. */
  readonly startAt?: string | undefined;
  readonly type: string;
  readonly spec: string;
  /** What the rule was made of, where making it again would give another spec. */
  readonly given?: string | undefined;
  readonly overlap: Overlap;
  readonly catchUpMs: number;
  readonly jitterMs: number;
  readonly pauseOnFailure: boolean;
  /** Starts at most, by its recurrence; absent: any number. */
  readonly limit?: number | undefined;
  readonly from?: number | undefined;
  readonly until?: number | undefined;
  /** Name of the function that is asked whether an occurrence is one. */
  readonly filter?: string | undefined;
  /** Fingerprint of the data of its runs. */
  readonly data: string;
}

/** An occurrence that is to start. */
export interface Occurrence {
  /** Its time, which names it. */
  readonly at: number;
  readonly kind: OccurrenceKind;
  /** In place of the schedule's. */
  readonly overlap?: Overlap | undefined;
  /** Since when it could have started. */
  readonly since: number;
}

/** The occurrence whose run is being started: whoever owns the schedule starts it, again and again, until that is decided. */
export interface Starting extends Occurrence {
  /** Which start of the schedule it is. */
  readonly start: number;
  /** The key of its run. */
  readonly key: string;
}

/** A run that was started and has not been told to have ended. */
export interface Started {
  readonly at: number;
  readonly kind: OccurrenceKind;
  readonly start: number;
  readonly runId: string;
}

/** How a run of the schedule ended. */
export interface ScheduleResult {
  readonly at: number;
  readonly runId: string;
  /** `removed`: it was gone when somebody looked. */
  readonly state: RunState | "removed";
  readonly endedAt: number;
}

/** A range of the past that is being gone through. */
export interface Backfill {
  readonly from: number;
  readonly until: number;
  readonly overlap: Overlap;
  readonly since: number;
  /** The occurrence that it is at. */
  readonly at: number;
  /** Occurrences that it has handed on to be started, or passed over. */
  readonly taken: number;
  /** Those that it left out, as they had been started before. */
  readonly leftOut: number;
}

/** Running totals of a schedule. */
export interface ScheduleCounts {
  /** Occurrences that have got a run, also by hand and by backfills. */
  readonly started: number;
  /** Those passed over: by the overlap policy, the filter, the limit, or a pause. */
  readonly skipped: number;
  /** Those that came up too long ago, or before an update; of very many, those that were counted. */
  readonly missed: number;
  /** Those that could not be started. */
  readonly failed: number;
}

/** A schedule. */
export interface ScheduleRecord {
  readonly id: string;
  readonly definition: string;
  /** Tells it from one of the same id that was deleted before. */
  readonly life: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Grows by exactly one per change. */
  readonly version: number;
  readonly rules: ScheduleRules;
  /** What it was created with, when it was updated since. */
  readonly asked?: ScheduleRules | undefined;
  readonly payload: string;
  readonly sealed: boolean;
  readonly dataVersion: number;
  readonly isEnabled: boolean;
  readonly note?: string | undefined;
  /** Since when it is no more; the row stays for a while, so that nothing late can start. */
  readonly deletedAt?: number | undefined;
  /** Starts that are left of its limit. */
  readonly left?: number | undefined;
  /** Its next occurrence, and when that is due with its jitter; absent: there is none. */
  readonly next?: { readonly at: number; readonly due: number } | undefined;
  /** The last start that was claimed. */
  readonly start: number;
  /** The last occurrence that was made by hand. */
  readonly triggeredAt: number;
  readonly starting?: Starting | undefined;
  readonly running: readonly Started[];
  readonly waiting: readonly Occurrence[];
  readonly backfills: readonly Backfill[];
  /** When what waits is looked at again though nobody has told of anything. */
  readonly retry?: { readonly attempt: number; readonly at: number } | undefined;
  readonly counts: ScheduleCounts;
  /** The last ones. */
  readonly results: readonly ScheduleResult[];
  /** Rows of outcomes that there may be. */
  readonly outcomes: number;
}

/** How long the row of a deleted schedule stays. */
export const deletedKeptMs = 86_400_000;

/** Which policy an occurrence goes by. */
export function overlapOf(schedule: ScheduleRecord, occurrence: Pick<Occurrence, "overlap">): Overlap {
  return occurrence.overlap ?? schedule.rules.overlap;
}

/** Whether an occurrence of this policy waits for its turn. */
export function isBuffered(overlap: Overlap): boolean {
  return overlap === "bufferOne" || overlap === "bufferAll";
}

/** Whether what waits may start: what a paused schedule's recurrence brought waits for it. */
export function mayStart({ isEnabled }: ScheduleRecord, { kind }: Pick<Occurrence, "kind">): boolean {
  return isEnabled || kind !== "slot";
}

/** Whether an occurrence comes after the last start of the schedule's limit. */
export function isOver({ left }: ScheduleRecord, { kind }: Pick<Occurrence, "kind">): boolean {
  return left === 0 && kind === "slot";
}

/**
 * When a waiting occurrence is looked at: what waits for others is told of their end, and looked at again now and then.
 */
function waitingDue(schedule: ScheduleRecord, occurrence: Pick<Occurrence, "overlap" | "since">): number {
  const overlap = overlapOf(schedule, occurrence);
  const makesRoom = overlap === "cancelOther" || overlap === "terminateOther";
  const waits = isBuffered(overlap) || (makesRoom && schedule.running.length > 0);
  return waits ? schedule.retry?.at ?? occurrence.since : occurrence.since;
}

/**
 * @param schedule A schedule.
 * @returns When there is something to do for it; `undefined`: nothing will be, unless somebody says so.
 */
export function scheduleDue(schedule: ScheduleRecord): number | undefined {
  if (schedule.deletedAt !== undefined) return schedule.deletedAt + deletedKeptMs;
  if (schedule.starting) return schedule.starting.since;
  const dues = schedule.waiting.filter((each) => mayStart(schedule, each))
    .map((each) => isOver(schedule, each) ? each.since : waitingDue(schedule, each));
  const [backfill] = schedule.backfills;
  if (backfill) dues.push(waitingDue(schedule, backfill));
  if (schedule.isEnabled && schedule.next) dues.push(schedule.next.due);
  return dues.length === 0 ? undefined : Math.max(0, Math.min(...dues));
}

/**
 * @param id A schedule's.
 * @param text Its stored text.
 * @returns The schedule.
 * @throws {PawlError} `STORE_CORRUPT` when it is none.
 */
export function decodeSchedule(id: string, text: string): ScheduleRecord {
  const record = Object(parseStored(text, `schedule "${id}"`)) as ScheduleRecord;
  const lists = [record.running, record.waiting, record.backfills, record.results];
  const isWhole = record.id === id && typeof record.definition === "string" &&
    typeof record.payload === "string" && typeof record.rules?.type === "string" &&
    Number.isInteger(record.version) && Number.isInteger(record.start) && lists.every(Array.isArray);
  if (isWhole) return record;
  throw new PawlError(
    "STORE_CORRUPT",
    `Cannot read schedule "${id}": it lacks a definition, rule, version or list: ${text.slice(0, 80)}`,
  );
}

/** Writes schedules with the row of when they have something to do. */
export const scheduleTable = /* @__PURE__ */ table<ScheduleRecord, string>({
  key: ({ id }) => keyspace.schedule.key(id),
  encode: (schedule) => JSON.stringify(schedule),
  indexes: [{
    place(schedule) {
      const due = scheduleDue(schedule);
      return due === undefined ? undefined : keyspace.tick.key(schedule.definition, due, schedule.id);
    },
    key: (_, place) => place,
  }],
});
