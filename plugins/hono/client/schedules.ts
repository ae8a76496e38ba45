/**
 * The verbs of schedules and locks.
 *
 * @module
 */
import type {
  ForceReleaseOptions,
  LockInfo,
  LockPage,
  LockPlace,
  LockQuery,
  Recurrence,
  ScheduleVerbs,
} from "pawl";
import { PawlError } from "pawl";
import type { WireRecurrence } from "../contract.ts";
import { type Connection, queryText, type RequestOptions, segment, type Send } from "./connection.ts";
import { lockShape, occurrenceShape, pageOf, scheduleShape } from "./revive.ts";

/** The verbs of locks that work over HTTP: looking at them, and taking them away. To hold one needs an engine. */
export interface LockClient {
  /** As `engine.locks.inspect`. */
  inspect(name: string, place?: LockPlace & RequestOptions): Promise<LockInfo | undefined>;
  /** As `engine.locks.list`. */
  list(query?: LockQuery & RequestOptions): Promise<LockPage>;
  /** As `engine.locks.forceRelease`. */
  forceRelease(name: string, options?: ForceReleaseOptions & RequestOptions): Promise<number>;
}

/** On the wire a recurrence is what is stored of it. */
function wireOf({ stored, given }: Recurrence): WireRecurrence {
  return { ...stored, ...(given !== undefined && { given }) };
}

async function orUndefined<Value>(
  code: PawlError["code"],
  asked: Promise<Value>,
): Promise<Value | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof PawlError && error.code === code) return undefined;
    throw error;
  }
}

/**
 * @param connection Where the API is.
 * @returns The verbs.
 */
export function scheduleClient(connection: Connection): ScheduleVerbs {
  const one = (id: string) => ({ schedule: segment(id) });
  const ask = <Value>(send: Send) => connection.ask<Value>(send, scheduleShape);
  return {
    create: ({ target, recurrence, ...rest }) => {
      const json = { ...rest, definition: target.name, recurrence: wireOf(recurrence) };
      return connection.ask((routes, sending) => routes.schedules.$post({ json }, sending), {
        schedule: scheduleShape,
      });
    },
    get: async (id) => {
      const found = await orUndefined(
        "SCHEDULE_NOT_FOUND",
        ask<Awaited<ReturnType<ScheduleVerbs["describe"]>>>((routes, sending) =>
          routes.schedules[":schedule"].$get({ param: one(id) }, sending)
        ),
      );
      if (!found) return undefined;
      const { data: _, upcoming: _1, results: _2, running: _3, waiting: _4, backfills: _5, ...view } = found;
      return view;
    },
    describe: (id) =>
      ask((routes, sending) => routes.schedules[":schedule"].$get({ param: one(id) }, sending)),
    list: (query = {}) =>
      connection.ask(
        (routes, sending) => routes.schedules.$get({ query: queryText(query) }, sending),
        pageOf(scheduleShape),
      ),
    outcomes: async (id, query = {}) => {
      const input = { param: one(id), query: queryText(query) };
      return await connection.ask(
        (routes, sending) => routes.schedules[":schedule"].outcomes.$get(input, sending),
        pageOf(occurrenceShape),
      );
    },
    update: (id, { recurrence, ...rest }) => {
      const json = { ...rest, ...(recurrence && { recurrence: wireOf(recurrence) }) };
      return ask((routes, sending) =>
        routes.schedules[":schedule"].$patch({ param: one(id), json }, sending)
      );
    },
    pause: (id, json = {}) =>
      ask((routes, sending) => routes.schedules[":schedule"].pause.$post({ param: one(id), json }, sending)),
    unpause: (id, json = {}) =>
      ask((routes, sending) =>
        routes.schedules[":schedule"].unpause.$post({ param: one(id), json }, sending)
      ),
    delete: (id) =>
      ask((routes, sending) => routes.schedules[":schedule"].$delete({ param: one(id) }, sending)),
    trigger: (id, json = {}) =>
      connection.ask(
        (routes, sending) => routes.schedules[":schedule"].trigger.$post({ param: one(id), json }, sending),
        { scheduledFor: true },
      ),
    backfill: async (id, { from, until, overlap }) => {
      const json = { from: from.toISOString(), until: until.toISOString(), ...(overlap && { overlap }) };
      await ask((routes, sending) =>
        routes.schedules[":schedule"].backfill.$post({ param: one(id), json }, sending)
      );
    },
  };
}

/**
 * @param connection Where the API is.
 * @returns The verbs.
 */
export function lockClient(connection: Connection): LockClient {
  const one = (name: string, namespace = "default") => ({
    namespace: segment(namespace),
    lock: segment(name),
  });
  return {
    inspect: async (name, { namespace, signal } = {}) => {
      const param = one(name, namespace);
      return await orUndefined(
        "NOT_FOUND",
        connection.ask<LockInfo>(
          (routes, sending) => routes.locks[":namespace"][":lock"].$get({ param }, sending),
          lockShape,
          signal ? { signal } : {},
        ),
      );
    },
    list: ({ signal, ...query } = {}) =>
      connection.ask(
        (routes, sending) => routes.locks.$get({ query: queryText(query) }, sending),
        pageOf(lockShape),
        signal ? { signal } : {},
      ),
    async forceRelease(name, { namespace, signal, ...json } = {}) {
      const param = one(name, namespace);
      const { released } = await connection.ask<{ readonly released: number }>(
        (routes, sending) =>
          routes.locks[":namespace"][":lock"]["force-release"].$post({ param, json }, sending),
        {},
        signal ? { signal } : {},
      );
      return released;
    },
  };
}
