/**
 * Reading a topic without a name: the place is the reader's own, as text, and nothing of it is kept in the store.
 *
 * @module
 */
import { PawlError } from "../errors.ts";
import type { EventStreamer, ReceiveOptions, StreamEvent } from "../ports/event_streamer.ts";
import type { Position, Positions } from "../parts/stream_rows.ts";

/** An event that was read. */
export interface StreamReading {
  /** The event. */
  readonly event: StreamEvent;
  /** The place after it, for {@linkcode ReadOptions.after}. */
  readonly after: string;
}

/** Where reading begins. */
export interface ReadOptions extends ReceiveOptions {
  /** After this place, whatever `from` says: `after` of an earlier reading of the same topic. */
  readonly after?: string;
}

/** The streams in an engine's own store. */
export interface EngineStreams extends EventStreamer {
  /**
   * Reads a topic without a durable cursor: for readers that keep their place themselves, such as a browser.
   *
   * @param topic Where from.
   * @param options Where to begin, and when to end.
   * @returns The events, one after another, without end.
   * @throws {PawlError} `INVALID_ARGUMENT`, or what the store says.
   *
   * @example
   * ```ts
   * import { createEngine } from "pawl";
   * import { memoryStore } from "pawl/adapters/memory";
   * import assert from "node:assert/strict";
   * const engine = createEngine({ store: memoryStore(), definitions: [] });
   * await engine.streams.send("news", [{ id: "1", key: "k", type: "a" }, { id: "2", key: "k", type: "b" }]);
   * for await (const { event, after } of await engine.streams.read("news")) {
   *   assert.equal(event.id, "1");
   *   for await (const next of await engine.streams.read("news", { after })) {
   *     assert.equal(next.event.id, "2");
   *     break;
   *   }
   *   break;
   * }
   * await engine.stop();
   * ```
   */
  read(topic: string, options?: ReadOptions): Promise<AsyncIterable<StreamReading>>;
}

/** Places as text of letters that fit every header. */
export function placesText(positions: Positions): string {
  return [...positions].map(([shard, { after, taken }]) => `${shard}.${after}.${taken}`).join("_");
}

/**
 * @param text Places as text; of no events at all it is empty.
 * @param shards Where the topic is.
 * @returns The places.
 * @throws {PawlError} `INVALID_ARGUMENT`.
 */
export function readPlaces(text: string, shards: ReadonlySet<number>): Positions {
  const places = text === "" ? [] : String(text).split("_").map((place): [number, Position] => {
    const [shard, after, taken] = (/^(\d{1,9})\.(\d{1,15})\.(\d{1,9})$/.exec(place) ?? []).slice(1).map(
      Number,
    );
    if (shard === undefined || !shards.has(shard)) {
      throw new PawlError("INVALID_ARGUMENT", "Cannot read a stream: `after` is no place in this topic");
    }
    return [shard, { after: after!, taken: taken! }];
  });
  return new Map(places);
}
