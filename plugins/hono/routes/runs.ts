/**
 * Reading runs.
 *
 * @module
 */
import { durationMs, type ListQuery, type TimerQuery } from "pawl";
import { z } from "zod";
import { type Call, json, type Route, route } from "../route.ts";
import {
  cursor,
  historyRow,
  instant,
  listItem,
  name,
  page,
  runId,
  runStates,
  runView,
  several,
  time,
  whole,
} from "../schemas.ts";
import { within } from "./within.ts";
import { definitionNamed, given, namedRun } from "./named_run.ts";

const listQuery = z.strictObject({
  definition: name.optional(),
  status: several(name).optional(),
  runState: several(z.enum(runStates)).optional(),
  key: name.optional(),
  keyPrefix: name.optional(),
  createdAfter: time.optional(),
  createdBefore: time.optional(),
  order: z.enum(["newest", "oldest"]).optional(),
  limit: whole(1, 1_000).optional(),
  cursor: cursor.optional(),
  include: several(z.literal("data")).optional(),
});

const timerQuery = listQuery.pick({
  definition: true,
  status: true,
  key: true,
  keyPrefix: true,
  limit: true,
  cursor: true,
});

const timerInfo = z.object({
  runId: z.string(),
  key: z.string(),
  definition: z.string(),
  status: z.string(),
  name: z.string(),
  at: instant,
  attempt: z.int(),
  waits: z.boolean(),
}).meta({ id: "TimerInfo" });

/** The routes. */
export const runRoutes: readonly Route[] = [
  route("GET /runs", {
    verb: "list",
    summary: "One page of the runs that match",
    reach: "filter",
    query: listQuery,
    answers: { 200: { description: "The page", schema: page(listItem) } },
    handle: async (call) =>
      json(await call.api.engine.list({ ...call.query, ...within(call.reach, call.query) } as ListQuery)),
  }),
  route("GET /timers", {
    verb: "timers",
    summary: "One page of the timers that runs wait for",
    reach: "filter",
    query: timerQuery,
    answers: { 200: { description: "The page", schema: page(timerInfo) } },
    handle: async (call) =>
      json(await call.api.engine.timers({ ...call.query, ...within(call.reach, call.query) } as TimerQuery)),
  }),
  route("GET /runs/:definition/:key", {
    verb: "get",
    summary: "The latest run of a key, or the given one",
    reach: "run",
    query: z.strictObject({ runId: runId.optional() }),
    answers: { 200: { description: "The run", schema: runView } },
    refusals: ["RUN_NOT_FOUND", "UNKNOWN_DEFINITION"],
    handle: async (call) => json(await namedRun("get", call)),
  }),
  route("GET /runs/:definition/:key/history", {
    verb: "history",
    summary: "What happened to a run, oldest first",
    reach: "run",
    query: z.strictObject({
      runId: runId.optional(),
      after: whole(0, 2 ** 48 - 1).optional(),
      limit: whole(1, 1_000).optional(),
    }),
    answers: {
      200: { description: "Rows of its history", schema: z.object({ items: z.array(historyRow) }) },
    },
    refusals: ["RUN_NOT_FOUND", "UNKNOWN_DEFINITION"],
    async handle(call) {
      const { runId } = await namedRun("read history of", call);
      const { after, limit } = call.query;
      const items = await call.api.engine.history({ runId, ...given({ after, limit }) });
      return json({ items });
    },
  }),
  route("GET /runs/:definition/:key/await", {
    verb: "await",
    summary: "Waits until a run is, or has been, at a status, or has ended: a long poll",
    reach: "run",
    query: z.strictObject({
      runId: runId.optional(),
      status: name.optional(),
      timeout: z.string().max(100).optional().meta({ description: "Milliseconds, or text such as 5s" }),
    }),
    answers: { 200: { description: "The run", schema: runView } },
    refusals: ["AWAIT_TIMEOUT", "RUN_ENDED", "RUN_NOT_FOUND", "UNKNOWN_DEFINITION", "UNKNOWN_STATUS"],
    handle: awaitRun,
  }),
];

interface AwaitQuery {
  readonly runId?: string | undefined;
  readonly status?: string | undefined;
  readonly timeout?: string | undefined;
}

async function awaitRun(call: Call<"definition" | "key", AwaitQuery>): Promise<Response> {
  const { api, params, query, request } = call;
  const { awaitMsMax } = api.limits;
  const definition = definitionNamed(api.engine, params.definition);
  const { timeout = awaitMsMax } = query;
  const asked = typeof timeout === "string" && /^\d+$/.test(timeout) ? Number(timeout) : timeout;
  return json(
    await api.engine.await(definition, params.key, {
      ...given({ runId: query.runId, status: query.status }),
      timeout: Math.min(durationMs(asked, "timeout"), awaitMsMax),
      signal: request.signal,
    }),
  );
}
