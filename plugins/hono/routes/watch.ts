/**
 * Streams of events: of one run, and of a topic.
 *
 * @module
 */
import type { HistoryRow, RunView } from "pawl";
import { z } from "zod";
import { InvalidRequestError } from "../problem.ts";
import { type Call, type Route, route } from "../route.ts";
import { runId } from "../schemas.ts";
import { outOfReach } from "../scope.ts";
import { eventStream, type ServerEvent } from "../sse.ts";
import { definitionNamed, given, namedRun, type RunParam } from "./named_run.ts";

const stream = { description: "Events", type: "text/event-stream", schema: z.string() };

/** Where a reader was, by the header that an `EventSource` sends, or by what it was told to ask. */
function placeOf(request: Request, asked: string | undefined, shape: RegExp): string | undefined {
  const place = request.headers.get("last-event-id") ?? asked;
  if (place === undefined || shape.test(place)) return place;
  throw new InvalidRequestError("header", [{
    message: "is no id that this stream gave",
    path: ["last-event-id"],
  }]);
}

interface WatchQuery {
  readonly runId?: string | undefined;
  readonly after?: string | undefined;
}

async function watch(call: Call<RunParam, WatchQuery>): Promise<Response> {
  const after = placeOf(call.request, call.query.after, /^\d{1,14}$/);
  const run = await namedRun("watch", call);
  return eventStream(call.api, (signal) => {
    return runEvents(call, run, { ...(after !== undefined && { after: Number(after) }), signal });
  });
}

async function* runEvents(
  { api, params }: Call<RunParam, WatchQuery>,
  run: RunView,
  options: { readonly after?: number; readonly signal: AbortSignal },
): AsyncGenerator<ServerEvent> {
  const { engine, clock } = api;
  const definition = definitionNamed(engine, params.definition);
  const { runId } = run;
  const rows = engine.watch(definition, params.key, { runId, ...options })[Symbol.asyncIterator]();
  const rowOf = ({ position, ...row }: HistoryRow): ServerEvent => {
    return { event: "history", id: String(position), data: { ...row, position } };
  };
  yield { event: "run", data: run };
  let shown = run.version;
  const later = async () => {
    const view = await engine.get(definition, params.key, { runId });
    if (!view || view.version === shown) return [];
    shown = view.version;
    return [{ event: "run", data: view }];
  };
  try {
    for (let next = rows.next();;) {
      const { done, value } = await next;
      if (done) break;
      yield rowOf(value);
      next = rows.next();
      // Of changes that come together, one view is enough.
      const isQuiet = await Promise.race([
        next.then(() => false, () => false),
        new Promise<boolean>((resolve) => clock.soon(() => resolve(true))),
      ]);
      if (isQuiet) yield* await later();
    }
    yield* await later();
  } finally {
    await rows.return?.();
  }
}

const eventQuery = z.strictObject({
  topic: z.string().min(1).max(1_024),
  after: z.string().max(2_048).optional().meta({ description: "The id of the last event that was seen" }),
  from: z.enum(["start", "latest"]).optional().meta({
    description: "Where to begin without `after`; default: latest",
  }),
});

async function events(
  { api, reach, query, request }: Call<never, z.output<typeof eventQuery>>,
): Promise<Response> {
  const { engine } = api;
  const front = reach.topicFront(engine, query.topic);
  if (front === undefined) throw outOfReach("that topic");
  const after = placeOf(request, query.after, /^[\d._]*$/);
  const abort = new AbortController();
  // Opened before the answer begins, so that a refusal has its status.
  const readings = await engine.streams.read(query.topic, {
    ...given({ after }),
    from: query.from ?? "latest",
    signal: abort.signal,
  });
  return eventStream(api, async function* (signal) {
    signal.addEventListener("abort", () => abort.abort(), { once: true });
    for await (const { event, after } of readings) {
      // What tells of runs has their keys in its headers.
      if ((event.headers?.key ?? event.key).startsWith(front)) {
        yield { event: "event", id: after, data: event };
      }
    }
  });
}

/** The routes. */
export const watchRoutes: readonly Route[] = [
  route("GET /runs/:definition/:key/watch", {
    verb: "watch",
    summary: "A run as events: `run` with its view, `history` with each row, `end` when it has ended",
    reach: "run",
    query: z.strictObject({
      runId: runId.optional(),
      after: z.string().max(20).optional().meta({
        description: "The position of the last row that was seen",
      }),
    }),
    answers: { 200: stream },
    refusals: ["RUN_NOT_FOUND", "UNKNOWN_DEFINITION", "RATE_LIMITED"],
    handle: watch,
  }),
  route("GET /events", {
    verb: "events",
    summary: "The events of a topic of the engine's streams",
    reach: "filter",
    query: eventQuery,
    answers: { 200: stream },
    refusals: ["RATE_LIMITED", "UNSUPPORTED"],
    handle: events,
  }),
];
