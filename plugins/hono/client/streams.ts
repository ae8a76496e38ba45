/**
 * Streams that go on: a lost connection is opened again where it was left.
 *
 * @module
 */
import type { EngineStreams, HistoryRow, ReadOptions, StreamReading } from "pawl";
import type { Problem } from "../problem.ts";
import { type Connection, queryText, segment, type Send } from "./connection.ts";
import { errorOf, isPassing } from "./errors.ts";
import { Pauses } from "./pause.ts";
import { revive, rowShape } from "./revive.ts";
import { readEvents, type StreamedEvent } from "./sse_reader.ts";

/** A stream that is opened again and again. */
interface Source {
  /** The request, from a place on. */
  readonly send: (place: string | undefined) => Send;
  /** Where the first one begins. */
  readonly place: string | undefined;
  readonly signal: AbortSignal | undefined;
}

async function* eventsOf(
  connection: Connection,
  source: Source,
): AsyncGenerator<StreamedEvent, void, undefined> {
  const { signal } = source;
  const pauses = new Pauses(connection.options.retryMs, signal);
  let place = source.place;
  for (;;) {
    try {
      const headers = { accept: "text/event-stream", ...(place !== undefined && { "last-event-id": place }) };
      const { body } = await connection.response(source.send(place), { headers, ...(signal && { signal }) });
      for await (const each of readEvents(body!, signal)) {
        if (each.event === "end") return;
        if (each.event === "problem") throw errorOf(JSON.parse(each.data) as Problem);
        pauses.reset();
        yield each;
        place = each.id ?? place;
      }
      signal?.throwIfAborted();
    } catch (error) {
      signal?.throwIfAborted();
      if (!isPassing(error)) throw error;
    }
    await pauses.next();
  }
}

/** What `watch` takes. */
export interface ClientWatchOptions {
  /** This run, not the latest of the key. */
  readonly runId?: string;
  /** Only rows after this position. */
  readonly after?: number;
  /** Ends the watch by throwing its reason. */
  readonly signal?: AbortSignal;
}

/** As `engine.watch`, over connections that may break. */
export async function* watch(
  connection: Connection,
  definition: string,
  key: string,
  { runId, after, signal }: ClientWatchOptions = {},
): AsyncGenerator<HistoryRow, void, undefined> {
  const param = { definition: segment(definition), key: segment(key) };
  let bound = runId;
  const source: Source = {
    place: after === undefined ? undefined : String(after),
    signal,
    send: () => (routes, sending) =>
      routes.runs[":definition"][":key"].watch.$get({ param, query: queryText({ runId: bound }) }, sending),
  };
  for await (const { event, data } of eventsOf(connection, source)) {
    const value = JSON.parse(data);
    // A connection that is opened again must not find another run of the key.
    if (event === "run") bound ??= value.runId;
    else if (event === "history") yield revive<HistoryRow>(value, rowShape);
  }
}

/** As `engine.streams.read`, over connections that may break. */
export async function* readTopic(
  connection: Connection,
  topic: string,
  { after, from = "start", signal }: Parameters<EngineStreams["read"]>[1] & ReadOptions = {},
): AsyncGenerator<StreamReading, void, undefined> {
  const source: Source = {
    place: after,
    signal,
    send: () => (routes, sending) => routes.events.$get({ query: { topic, from } }, sending),
  };
  for await (const { event, id, data } of eventsOf(connection, source)) {
    if (event === "event") yield { event: revive(JSON.parse(data), { at: true }), after: id! };
  }
}
