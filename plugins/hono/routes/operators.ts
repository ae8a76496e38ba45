/**
 * What operators see and do: engines, shards, relays, parked hooks, the check of a store.
 *
 * @module
 */
import { type ParkedHook, type ParkedQuery, PawlError } from "pawl";
import { z } from "zod";
import { json, type Route, route } from "../route.ts";
import { cursor, instant, name, page, whole } from "../schemas.ts";
import { given } from "./named_run.ts";
import type { Call } from "../route.ts";

const engineInfo = z.object({
  engineId: z.string(),
  since: instant,
  expiresAt: instant,
  codeVersion: z.int(),
  definitions: z.array(z.string()),
}).meta({ id: "EngineInfo" });

const shardInfo = z.object({
  shard: z.int(),
  definition: z.string(),
  engineId: z.string().optional(),
  epoch: z.int(),
  since: instant,
}).meta({ id: "ShardInfo" });

const unservedWork = z.object({ definition: z.string(), shards: z.array(z.int()), firstDue: instant })
  .meta({ id: "UnservedWork" });

const relayInfo = z.object({
  definition: z.string(),
  shard: z.int(),
  movedAt: instant.optional(),
  lagMs: z.number(),
  held: z.array(
    z.object({ runId: z.string(), since: instant, attempts: z.int(), dueAt: instant, error: z.string() }),
  ),
}).meta({ id: "RelayInfo" });

const parkedHook = z.object({
  id: z.string(),
  runId: z.string(),
  key: z.string(),
  definition: z.string(),
  kind: z.string(),
  hook: z.string(),
  attempts: z.int(),
  lastError: z.object({ name: z.string(), message: z.string(), code: z.string().optional() }).optional(),
}).meta({ id: "ParkedHook" });

const verifyReport = z.looseObject({ findings: z.array(z.unknown()) }).meta({ id: "VerifyReport" });

/** Pages of parked hooks that are looked through for the one that a caller with a scope wants retried. */
const parkedPagesMax = 100;

/** The routes. */
export const operatorRoutes: readonly Route[] = [
  route("GET /states", {
    verb: "states",
    summary: "What each process of this engine is doing",
    reach: "store",
    answers: { 200: { description: "By name", schema: z.record(z.string(), z.string()) } },
    handle: ({ api }) => json(api.engine.states()),
  }),
  route("GET /engines", {
    verb: "engines",
    summary: "Engines that have given a sign of life",
    reach: "store",
    answers: { 200: { description: "Engines", schema: z.object({ items: z.array(engineInfo) }) } },
    handle: async ({ api }) => json({ items: await api.engine.admin.engines() }),
  }),
  route("GET /shards", {
    verb: "shards",
    summary: "Who owns which definition in which shard",
    reach: "store",
    answers: { 200: { description: "Shards", schema: z.object({ items: z.array(shardInfo) }) } },
    handle: async ({ api }) => json({ items: await api.engine.admin.shards() }),
  }),
  route("GET /unserved", {
    verb: "unserved",
    summary: "Work that no living engine carries the code for",
    reach: "store",
    answers: { 200: { description: "By definition", schema: z.object({ items: z.array(unservedWork) }) } },
    handle: async ({ api }) => json({ items: await api.engine.admin.unserved() }),
  }),
  route("GET /relays", {
    verb: "relays",
    summary: "How far events have been relayed",
    reach: "store",
    answers: {
      200: { description: "By definition and shard", schema: z.object({ items: z.array(relayInfo) }) },
    },
    handle: async ({ api }) => json({ items: await api.engine.admin.relays() }),
  }),
  route("GET /parked", {
    verb: "parked",
    summary: "One page of the hooks that have failed too often",
    reach: "filter",
    query: z.strictObject({
      definition: name.optional(),
      limit: whole(1, 1_000).optional(),
      cursor: cursor.optional(),
    }),
    answers: { 200: { description: "The page", schema: page(parkedHook) } },
    async handle({ api, reach, query }) {
      const found = await api.engine.admin.parked(given(query) as ParkedQuery);
      return json({ ...found, items: found.items.filter((each) => reach.hasRun(each)) });
    },
  }),
  route("POST /parked/:id/retry", {
    verb: "retry",
    summary: "Tries a parked hook again",
    reach: "filter",
    answers: { 204: { description: "It is due" } },
    refusals: ["HOOK_NOT_FOUND"],
    async handle(call) {
      if (!call.reach.isAll) await requireOwn(call, call.params.id);
      await call.api.engine.admin.retry(call.params.id);
      return new Response(null, { status: 204 });
    },
  }),
  route("POST /verify", {
    verb: "verify",
    summary: "Walks the store and reports what should not be; changes nothing",
    reach: "store",
    answers: { 200: { description: "The report", schema: verifyReport } },
    handle: async ({ api, request }) => json(await api.engine.admin.verify({ signal: request.signal })),
  }),
];

/** An id does not tell whose hook it is, so whoever sees only some must find it among those. */
async function requireOwn({ api, reach }: Pick<Call, "api" | "reach">, id: string): Promise<void> {
  let cursor: string | undefined;
  for (let pages = 0; pages < parkedPagesMax; pages++) {
    const found = await api.engine.admin.parked(given({ cursor }));
    const isOwn = (each: ParkedHook) => each.id === id && reach.hasRun(each);
    if (found.items.some(isOwn)) return;
    cursor = found.cursor;
    if (cursor === undefined) break;
  }
  throw new PawlError("HOOK_NOT_FOUND", "Cannot retry hook: it has succeeded, or was never there");
}
