/**
 * The store as an event streamer: what users send is a log of rows in the shard of its topic, and the topics of a
 * definition with `stream: true` are a view of the logs of all shards. Every ack is a conditional put that only moves
 * forward.
 *
 * @module
 */
import { PawlError } from "../errors.ts";
import { hash32 } from "../hash.ts";
import { deliveriesOf } from "../ports/deliveries.ts";
import type { Deliveries, NewEvent, ReceiveOptions } from "../ports/event_streamer.ts";
import { checkReceive, encodeEvents } from "../ports/event_text.ts";
import { shardOfHash } from "../parts/run_id.ts";
import { cutIntoRows, type Position, type Positions, readSent, sentText } from "../parts/stream_rows.ts";
import { definitionOfTopic } from "../parts/stream_topics.ts";
import { BatchBuilder } from "../store/batch.ts";
import { encodeKey, readStamp, splitKey } from "../store/key.ts";
import { keyspace } from "../store/keyspace.ts";
import type { Entry } from "../store/store.ts";
import type { EngineContext } from "./context.ts";
import { StreamCursor } from "./stream_cursor.ts";
import { type EngineStreams, type ReadOptions, readPlaces, type StreamReading } from "./stream_reading.ts";
import { type StreamDelivery, StreamReceiver, type TopicPlace } from "./stream_receiver.ts";

/** How often, in milliseconds, one engine looks for rows of a topic that are past their time, and how many it takes. */
const sweepPauseMs = 60_000;
const sweepMax = 200;
/** Topics whose last sweep is remembered. */
const sweptMax = 1_000;

/** Where the rows of users' events in a topic are: part of the stored format. */
export function shardOfTopic(topic: string, shards: number): number {
  return shardOfHash(hash32(encodeKey(topic)), shards);
}

/** Streams in the engine's own store. */
export class StoreStreamer implements EngineStreams {
  readonly #context: EngineContext;
  readonly #stopped = new AbortController();
  /** When each topic was last swept, by the monotonic clock. */
  readonly #swept = new Map<string, number>();

  /**
   * @param context The engine.
   */
  constructor(context: EngineContext) {
    this.#context = context;
  }

  /** @inheritdoc */
  async send(topic: string, events: readonly NewEvent[]): Promise<void> {
    const texts = encodeEvents(topic, events);
    this.#requireRunning("send");
    const { clock, committer, hub, store } = this.#context;
    const shard = shardOfTopic(topic, store.shards);
    const at = clock.now();
    for (const row of cutIntoRows(texts)) {
      const batch = new BatchBuilder().putStamped(keyspace.event.front(topic), sentText(at, row));
      await committer.commit(shard, batch);
      hub.changed(shard);
    }
    await this.#sweep(topic, shard);
  }

  /** @inheritdoc */
  async receive(topic: string, name: string, options: ReceiveOptions = {}): Promise<Deliveries> {
    checkReceive(topic, name, options);
    this.#requireRunning("receive");
    const place = this.#placeOf(topic);
    const first = () => options.from === "latest" ? this.#newest(place) : Promise.resolve(new Map());
    const cursor = await StreamCursor.open(this.#context, { topic, name, shard: place.home }, first);
    const receiver = new StreamReceiver(this.#context, place, cursor);
    return deliveriesOf(receiver, options.signal, this.#stopped.signal);
  }

  /** @inheritdoc */
  async read(topic: string, options: ReadOptions = {}): Promise<AsyncIterable<StreamReading>> {
    checkReceive(topic, "reader", options);
    this.#requireRunning("read");
    const place = this.#placeOf(topic);
    const newest = () => options.from === "latest" ? this.#newest(place) : Promise.resolve(new Map());
    const positions = options.after === undefined ? await newest() : readPlaces(options.after, place.shards);
    const receiver = new StreamReceiver(this.#context, place, { positions, moveTo: () => Promise.resolve() });
    return deliveriesOf(receiver, options.signal, this.#stopped.signal) as AsyncIterable<StreamDelivery>;
  }

  /** Ends all receivers: the engine has stopped. */
  end(): void {
    this.#stopped.abort();
  }

  #requireRunning(verb: string): void {
    if (!this.#stopped.signal.aborted) return;
    throw new PawlError("ENGINE_STOPPED", `Cannot ${verb}: the engine is stopped; create another one`);
  }

  #placeOf(topic: string): TopicPlace {
    const { shards } = this.#context.store;
    const home = shardOfTopic(topic, shards);
    const definition = definitionOfTopic(topic);
    const all = definition === undefined ? [home] : Array.from({ length: shards }, (_, shard) => shard);
    return { topic, home, definition, shards: new Set(all) };
  }

  /** The place after all that is there now. What is sent later has a higher version in its shard. */
  async #newest({ topic, home, definition, shards }: TopicPlace): Promise<Positions> {
    const last = { limit: 1, reverse: true };
    const found = await Promise.all([...shards].map(async (shard): Promise<[number, Position]> => {
      const lists = await this.#context.reader.read(shard, [
        ...shard === home ? [{ ...keyspace.event.range(topic), ...last }] : [],
        ...definition === undefined ? [] : [{ ...keyspace.log.range(definition), ...last }],
      ]);
      const versions = lists.flat().map((entry) => readStamp(splitKey(entry.key).at(-1)!));
      return [shard, { after: Math.max(0, ...versions), taken: 0 }];
    }));
    return new Map(found.filter(([, { after }]) => after > 0));
  }

  /** Removes what is past its time, received or not. Only who sends can make a topic grow, so only who sends sweeps. */
  async #sweep(topic: string, shard: number): Promise<void> {
    const { clock, committer, reader, store, logger, keepEventsMs } = this.#context;
    const now = clock.monotonic();
    const last = this.#swept.get(topic);
    if (last !== undefined && now - last < sweepPauseMs) return;
    if (this.#swept.size >= sweptMax) this.#swept.clear();
    this.#swept.set(topic, now);
    try {
      const limit = Math.min(sweepMax, store.limits.entriesPerRangeMax);
      const [rows] = await reader.read(shard, [{ ...keyspace.event.range(topic), limit }]);
      const old = rows!.filter((row) => clock.now() - sentAt(row) > keepEventsMs);
      if (old.length === 0) return;
      const batch = new BatchBuilder({ relaxed: true });
      for (const row of old) batch.delete(row.key);
      await committer.commit(shard, batch);
      // There may be more.
      if (old.length === limit) this.#swept.delete(topic);
    } catch (error) {
      logger.log("warn", "Cannot sweep a topic", { topic, error: String(error) });
    }
  }
}

/** A damaged row counts as old: nobody can be given it. */
function sentAt(row: Entry): number {
  try {
    return readSent(row).at;
  } catch {
    return -Infinity;
  }
}
