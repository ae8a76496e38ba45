/**
 * Schedules.
 *
 * @module
 */
import {
  PawlError,
  type Recurrence,
  type ScheduleChanges,
  type ScheduleOptions,
  type ScheduleQuery,
  type ScheduleView,
} from "pawl";
import { z } from "zod";
import { type Call, json, type Route, route } from "../route.ts";
import { cursor, name, page, whole } from "../schemas.ts";
import { definitionNamed, given } from "./named_run.ts";
import {
  backfillBody,
  changesBody,
  createBody,
  noteBody,
  occurrenceView,
  scheduleDescription,
  scheduleView,
  triggerBody,
  unpauseBody,
} from "./schedule_schemas.ts";

type ById<Body = unknown, Query = unknown> = Call<"schedule", Query, Body>;

/** The engine reads what is stored with the code that it carries; the rest of a recurrence is the caller's. */
function recurrenceOf({ type, spec, given }: z.output<typeof createBody>["recurrence"]): Recurrence {
  return { stored: { type, spec }, ...(given !== undefined && { given }) } as Recurrence;
}

/**
 * @returns The schedule of the path, if it is within the caller's reach.
 * @throws {PawlError} `SCHEDULE_NOT_FOUND` else: nobody learns of schedules that are not.
 */
async function required(
  { api, reach, params }: Pick<ById, "api" | "reach" | "params">,
): Promise<ScheduleView> {
  const found = await api.engine.schedules.get(params.schedule);
  if (found && reach.hasSchedule(found)) return found;
  throw new PawlError(
    "SCHEDULE_NOT_FOUND",
    `Cannot find schedule ${JSON.stringify(params.schedule)}: there is none`,
  );
}

async function create({ api, body }: Call<never, unknown, z.output<typeof createBody>>): Promise<Response> {
  const { definition, recurrence, ...rest } = body;
  const target = definitionNamed(api.engine, definition);
  const options = { ...given(rest), recurrence: recurrenceOf(recurrence), target };
  const made = await api.engine.schedules.create(options as ScheduleOptions<unknown, string, string>);
  return json(made, made.created ? 201 : 200);
}

async function update(call: ById<z.output<typeof changesBody>>): Promise<Response> {
  await required(call);
  const { recurrence, ...rest } = call.body;
  const changes = { ...given(rest), ...(recurrence && { recurrence: recurrenceOf(recurrence) }) };
  return json(await call.api.engine.schedules.update(call.params.schedule, changes as ScheduleChanges));
}

const namesOf = (body: unknown) => {
  const { id, key, definition } = Object(body) as Record<string, unknown>;
  return {
    names: {
      ...(typeof id === "string" && { schedule: id }),
      ...(typeof key === "string" && { key }),
      ...(typeof definition === "string" && { definition }),
    },
  };
};

const notFound = ["SCHEDULE_NOT_FOUND"];
const refusals = [
  ...notFound,
  "INVALID_RECURRENCE",
  "UNKNOWN_RECURRENCE",
  "UNKNOWN_STATUS",
  "UNKNOWN_FILTER",
];

/** The routes of all schedules, and of their settings. */
const settingRoutes: readonly Route[] = [
  route("GET /schedules", {
    verb: "schedules.list",
    summary: "One page of schedules",
    reach: "filter",
    query: z.strictObject({
      definition: name.optional(),
      limit: whole(1, 1_000).optional(),
      cursor: cursor.optional(),
    }),
    answers: { 200: { description: "The page", schema: page(scheduleView) } },
    async handle({ api, reach, query }) {
      const found = await api.engine.schedules.list(given(query) as ScheduleQuery);
      return json({ ...found, items: found.items.filter((each) => reach.hasSchedule(each)) });
    },
  }),
  route("POST /schedules", {
    verb: "schedules.create",
    summary: "Creates a schedule; the same call again finds it",
    reach: "filter",
    body: createBody,
    target: namesOf,
    answers: {
      201: {
        description: "It was created",
        schema: z.object({ created: z.boolean(), schedule: scheduleView }),
      },
      200: {
        description: "It was there",
        schema: z.object({ created: z.boolean(), schedule: scheduleView }),
      },
    },
    refusals: [...refusals, "SCHEDULE_EXISTS", "UNKNOWN_DEFINITION", "INVALID_DATA"],
    handle: create,
  }),
  route("GET /schedules/:schedule", {
    verb: "schedules.get",
    summary: "A schedule with what it is at",
    reach: "filter",
    answers: { 200: { description: "The schedule", schema: scheduleDescription } },
    refusals: [...notFound, "UNKNOWN_RECURRENCE"],
    async handle(call) {
      await required(call);
      return json(await call.api.engine.schedules.describe(call.params.schedule));
    },
  }),
  route("PATCH /schedules/:schedule", {
    verb: "schedules.update",
    summary: "Changes what is given; `null` takes away",
    reach: "filter",
    body: changesBody,
    target: (body) => ({ names: given({ key: namesOf(body).names.key }) }),
    answers: { 200: { description: "The schedule after it", schema: scheduleView } },
    refusals,
    handle: update,
  }),
  route("DELETE /schedules/:schedule", {
    verb: "schedules.delete",
    summary: "Removes a schedule; its runs go on",
    reach: "filter",
    answers: { 204: { description: "It is gone" } },
    refusals: notFound,
    async handle(call) {
      await required(call);
      await call.api.engine.schedules.delete(call.params.schedule);
      return new Response(null, { status: 204 });
    },
  }),
];

/** The routes of what a schedule does. */
const doingRoutes: readonly Route[] = [
  route("POST /schedules/:schedule/pause", {
    verb: "schedules.pause",
    summary: "Stops its recurrence",
    reach: "filter",
    body: noteBody,
    answers: { 200: { description: "The schedule after it", schema: scheduleView } },
    refusals: notFound,
    async handle(call) {
      await required(call);
      return json(await call.api.engine.schedules.pause(call.params.schedule, given(call.body)));
    },
  }),
  route("POST /schedules/:schedule/unpause", {
    verb: "schedules.unpause",
    summary: "Lets it go on",
    reach: "filter",
    body: unpauseBody,
    answers: { 200: { description: "The schedule after it", schema: scheduleView } },
    refusals: notFound,
    async handle(call) {
      await required(call);
      return json(await call.api.engine.schedules.unpause(call.params.schedule, given(call.body)));
    },
  }),
  route("POST /schedules/:schedule/trigger", {
    verb: "schedules.trigger",
    summary: "An occurrence now",
    reach: "filter",
    body: triggerBody,
    answers: { 202: { description: "It will start", schema: z.object({ scheduledFor: z.string() }) } },
    refusals: notFound,
    async handle(call) {
      await required(call);
      return json(await call.api.engine.schedules.trigger(call.params.schedule, given(call.body)), 202);
    },
  }),
  route("POST /schedules/:schedule/backfill", {
    verb: "schedules.backfill",
    summary: "Makes up for a range of the past",
    reach: "filter",
    body: backfillBody,
    answers: { 202: { description: "It is under way", schema: z.object({ accepted: z.literal(true) }) } },
    refusals: notFound,
    async handle(call) {
      await required(call);
      const { from, until, overlap } = call.body;
      await call.api.engine.schedules.backfill(call.params.schedule, { from, until, ...given({ overlap }) });
      return json({ accepted: true }, 202);
    },
  }),
  route("GET /schedules/:schedule/outcomes", {
    verb: "schedules.outcomes",
    summary: "What became of its occurrences, oldest first",
    reach: "filter",
    query: z.strictObject({ limit: whole(1, 1_000).optional(), cursor: cursor.optional() }),
    answers: { 200: { description: "The page", schema: page(occurrenceView) } },
    refusals: notFound,
    async handle(call) {
      await required(call);
      const query = given(call.query) as Omit<ScheduleQuery, "definition">;
      return json(await call.api.engine.schedules.outcomes(call.params.schedule, query));
    },
  }),
];

/** The routes. */
export const scheduleRoutes: readonly Route[] = [...settingRoutes, ...doingRoutes];
