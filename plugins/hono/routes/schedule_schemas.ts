/**
 * What schedules look like in requests and answers.
 *
 * @module
 */
import { z } from "zod";
import { duration, instant, name, runStates, time } from "../schemas.ts";

const overlap = z.enum(["skip", "bufferOne", "bufferAll", "cancelOther", "terminateOther", "allowAll"]);

const recurrence = z.strictObject({
  type: z.string().max(100),
  spec: z.unknown(),
  given: z.unknown().optional(),
}).meta({ id: "Recurrence", description: "As it is stored: every(), cron() or rrule() of Pawl make one" });

const settings = {
  recurrence,
  key: name,
  overlap: overlap.optional(),
  catchUp: duration.optional(),
  jitter: duration.optional(),
  pauseOnFailure: z.boolean().optional(),
  limit: z.int().min(1).optional(),
  from: time.optional(),
  until: time.optional(),
  filter: name.optional(),
  data: z.unknown().optional(),
  startAt: name.optional(),
  enabled: z.boolean().optional(),
  note: name.optional(),
};

/** Of `POST /schedules`. */
export const createBody = z.strictObject({ id: name, definition: name, ...settings });

/** Of `PATCH /schedules/:schedule`. */
export const changesBody = z.strictObject({
  ...settings,
  recurrence: recurrence.optional(),
  key: name.optional(),
  limit: z.int().min(1).nullable().optional(),
  from: time.nullable().optional(),
  until: time.nullable().optional(),
  filter: name.nullable().optional(),
});

/** Of `pause`. */
export const noteBody = z.strictObject({ note: name.optional() });
/** Of `unpause`. */
export const unpauseBody = z.strictObject({ note: name.optional(), catchUp: z.boolean().optional() });
/** Of `trigger`. */
export const triggerBody = z.strictObject({ overlap: overlap.optional() });
/** Of `backfill`. */
export const backfillBody = z.strictObject({ from: time, until: time, overlap: overlap.optional() });

const by = z.enum(["slot", "trigger", "backfill"]);

const scheduleFields = {
  id: z.string(),
  definition: z.string(),
  key: z.string(),
  startAt: z.string().optional(),
  recurrence: z.object({ type: z.string(), spec: z.unknown() }),
  overlap,
  catchUpMs: z.number(),
  jitterMs: z.number(),
  pauseOnFailure: z.boolean(),
  limit: z.int().optional(),
  startsLeft: z.int().optional(),
  from: instant.optional(),
  until: instant.optional(),
  filter: z.string().optional(),
  enabled: z.boolean(),
  note: z.string().optional(),
  next: instant.optional(),
  counts: z.object({ started: z.int(), skipped: z.int(), missed: z.int(), failed: z.int() }),
  createdAt: instant,
  updatedAt: instant,
  version: z.int(),
};

/** A schedule. */
export const scheduleView = z.object(scheduleFields).meta({ id: "Schedule" });

/** A schedule with what it is at. */
export const scheduleDescription = z.object({
  ...scheduleFields,
  data: z.unknown(),
  upcoming: z.array(instant),
  results: z.array(z.object({
    scheduledFor: instant,
    runId: z.string(),
    runState: z.enum([...runStates, "removed"]),
    endedAt: instant,
  })),
  running: z.array(z.object({ scheduledFor: instant, runId: z.string() })),
  waiting: z.array(z.object({ scheduledFor: instant, by })),
  backfills: z.array(
    z.object({ from: instant, until: instant, overlap, at: instant, taken: z.int(), leftOut: z.int() }),
  ),
}).meta({ id: "ScheduleDescription" });

/** What became of an occurrence. */
export const occurrenceView = z.object({
  scheduledFor: instant,
  outcome: z.enum(["started", "skipped", "missed", "failed"]),
  by,
  runId: z.string().optional(),
  reason: z.string().optional(),
  decidedAt: instant,
  several: z.object({ until: instant, count: z.int(), isMore: z.boolean() }).optional(),
}).meta({ id: "Occurrence" });
