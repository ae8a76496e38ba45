/**
 * Locks.
 *
 * @module
 */
import { type ForceReleaseOptions, type LockQuery, PawlError } from "pawl";
import { z } from "zod";
import { json, type Route, route } from "../route.ts";
import { cursor, instant, name, page, whole } from "../schemas.ts";
import { given } from "./named_run.ts";

const holder = z.object({
  holder: z.string(),
  definition: z.string().optional(),
  token: z.int(),
  permits: z.int(),
  since: instant,
  until: instant.optional(),
});

const waiter = z.object({
  holder: z.string(),
  definition: z.string().optional(),
  position: z.int(),
  since: instant,
});

const lockFields = {
  namespace: z.string(),
  name: z.string(),
  kind: z.string(),
  permits: z.int(),
  lastToken: z.int(),
  holders: z.array(holder),
  waiting: z.int(),
};

const lockItem = z.object(lockFields).meta({ id: "LockItem" });
const lockInfo = z.object({ ...lockFields, waiters: z.array(waiter) }).meta({ id: "LockInfo" });

/** The routes. */
export const lockRoutes: readonly Route[] = [
  route("GET /locks", {
    verb: "locks.list",
    summary: "One page of the locks of a namespace",
    reach: "filter",
    defaults: { namespace: "default" },
    query: z.strictObject({
      namespace: name.optional(),
      limit: whole(1, 1_000).optional(),
      cursor: cursor.optional(),
    }),
    answers: { 200: { description: "The page", schema: page(lockItem) } },
    handle: async ({ api, query }) => json(await api.engine.locks.list(given(query) as LockQuery)),
  }),
  route("GET /locks/:namespace/:lock", {
    verb: "locks.get",
    summary: "A lock, who holds it, and who waits for it",
    reach: "filter",
    answers: { 200: { description: "The lock", schema: lockInfo } },
    refusals: ["NOT_FOUND"],
    async handle({ api, params: { namespace, lock } }) {
      const found = await api.engine.locks.inspect(lock, { namespace });
      if (found) return json(found);
      throw new PawlError(
        "NOT_FOUND",
        `Cannot show lock "${lock}" of "${namespace}": nobody has ever asked for it`,
      );
    },
  }),
  route("POST /locks/:namespace/:lock/force-release", {
    verb: "locks.release",
    summary: "Takes a lock away from its holders",
    reach: "filter",
    body: z.strictObject({
      token: z.int().optional(),
      reason: name.optional(),
      force: z.boolean().optional(),
    }),
    answers: { 200: { description: "How many held it", schema: z.object({ released: z.int() }) } },
    refusals: ["UNKNOWN_DEFINITION"],
    async handle({ api, params: { namespace, lock }, body }) {
      const options = { namespace, ...given(body) } as ForceReleaseOptions;
      return json({ released: await api.engine.locks.forceRelease(lock, options) });
    },
  }),
];
