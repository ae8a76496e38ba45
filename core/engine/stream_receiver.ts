/**
 * A receiver of the store streamer: it reads the rows of a topic in every shard that has some, page by page, and hands
 * them on in the order of each shard.
 *
 * @module
 */
import { PawlError } from "../errors.ts";
import { sleep } from "../ports/clock.ts";
import type { DeliverySource } from "../ports/deliveries.ts";
import type { Delivery, StreamEvent } from "../ports/event_streamer.ts";
import { decodeEvent } from "../ports/event_text.ts";
import { eventOfLog, readLog } from "../parts/run_log.ts";
import { beginning, placeInRow, type Position, readSent } from "../parts/stream_rows.ts";
import { readStamp, splitKey, stamp } from "../store/key.ts";
import { keyspace } from "../store/keyspace.ts";
import type { Entry, ReadOp, Version } from "../store/store.ts";
import type { EngineContext } from "./context.ts";
import type { StreamCursor } from "./stream_cursor.ts";
import { placesText, type StreamReading } from "./stream_reading.ts";

/** Rows read at a time, per shard: a row of sent events may hold many, a row of a log is small. */
const sentRowsMax = 16;
const logRowsMax = 256;

/** A topic, and where its rows are. */
export interface TopicPlace {
  readonly topic: string;
  /** Where what users send is. */
  readonly home: number;
  /** Whose log tells of it, in every shard; `undefined`: it is a user's topic only. */
  readonly definition: string | undefined;
  /** Every shard that has rows of it. */
  readonly shards: ReadonlySet<number>;
}

/** Where a receiver begins, and what hears of its acks. */
export type ReceiverCursor = Pick<StreamCursor, "positions" | "moveTo">;

/** A delivery that tells the place after it. */
export interface StreamDelivery extends Delivery, StreamReading {
  readonly event: StreamEvent;
}

/** An event that was read. */
interface Item {
  readonly at: number;
  readonly event: () => StreamEvent;
  /** The place after it. */
  readonly after: Position;
}

/** Reads a topic from a cursor on. */
export class StreamReceiver implements DeliverySource {
  readonly #context: EngineContext;
  readonly #place: TopicPlace;
  readonly #cursor: ReceiverCursor;
  /** What was read and not yet handed on. */
  readonly #items = new Map<number, Item[]>();
  /** Up to where each shard was read, and up to where it was handed on. */
  readonly #read: Map<number, Position>;
  #given: Map<number, Position>;
  readonly #end = new AbortController();

  /**
   * @param context The engine.
   * @param place What to read.
   * @param cursor From where.
   */
  constructor(context: EngineContext, place: TopicPlace, cursor: ReceiverCursor) {
    this.#context = context;
    this.#place = place;
    this.#cursor = cursor;
    this.#read = new Map(cursor.positions);
    this.#given = new Map(cursor.positions);
  }

  /** @inheritdoc */
  listen(wake: () => void): () => void {
    return this.#context.hub.listen(this.#place.shards, wake);
  }

  /** @inheritdoc */
  ended(): void {
    this.#end.abort();
  }

  /** @inheritdoc */
  take(): StreamDelivery | undefined | Promise<StreamDelivery | undefined> {
    return this.#takeItem() ?? this.#refill().then(() => this.#takeItem());
  }

  /** The earliest of what was read, so that shards come about as things happened. */
  #takeItem(): StreamDelivery | undefined {
    let from: number | undefined;
    for (const [shard, [head]] of this.#items) {
      if (from === undefined || head!.at < this.#items.get(from)![0]!.at) from = shard;
    }
    if (from === undefined) return undefined;
    const items = this.#items.get(from)!;
    const { event, after } = items.shift()!;
    if (items.length === 0) this.#items.delete(from);
    const given = new Map(this.#given);
    given.set(from, items.length === 0 ? this.#read.get(from)! : after);
    this.#given = given;
    return {
      event: event(),
      ack: () => this.#cursor.moveTo(given),
      get after() {
        return placesText(given);
      },
    };
  }

  /** Reads on until there is something, or nothing more to read. A store that fails is waited for. */
  async #refill(): Promise<void> {
    const { clock, logger } = this.#context;
    for (let failures = 0; !this.#end.signal.aborted;) {
      try {
        const isMore = await this.#readPages();
        failures = 0;
        if (!isMore || this.#items.size > 0) return;
      } catch (error) {
        if (error instanceof PawlError && error.code === "STORE_CLOSED") throw error;
        logger.log("warn", "Cannot read a stream; trying again", {
          topic: this.#place.topic,
          error: String(error),
        });
        const ms = Math.min(5_000, 100 * 2 ** Math.min(failures++, 6));
        await sleep(clock, ms, this.#end.signal).catch(() => {});
      }
    }
  }

  /** @returns Whether there is more to read behind it. */
  async #readPages(): Promise<boolean> {
    const shards = [...this.#place.shards];
    const pages = await Promise.all(
      shards.map((shard) => this.#context.reader.read(shard, this.#opsFor(shard))),
    );
    const fulls = shards.map((shard, index) => this.#takePage(shard, pages[index]!));
    return fulls.includes(true);
  }

  #opsFor(shard: number): ReadOp[] {
    const { topic, home, definition } = this.#place;
    const { entriesPerRangeMax } = this.#context.store.limits;
    const first = stamp((this.#read.get(shard) ?? beginning).after + 1);
    const ops: ReadOp[] = [];
    if (shard === home) {
      const { end } = keyspace.event.range(topic);
      const limit = Math.min(sentRowsMax, entriesPerRangeMax);
      ops.push({ start: keyspace.event.front(topic) + first, end, limit });
    }
    if (definition !== undefined) {
      const { end } = keyspace.log.range(definition);
      const limit = Math.min(logRowsMax, entriesPerRangeMax);
      ops.push({ start: keyspace.log.front(definition) + first, end, limit });
    }
    return ops;
  }

  /** Files what one snapshot of a shard showed, up to where every list of it reaches. */
  #takePage(shard: number, lists: readonly (readonly Entry[])[]): boolean {
    const ops = this.#opsFor(shard) as { readonly limit: number }[];
    const full = lists.filter((list, index) => list.length === ops[index]!.limit);
    const reach = Math.min(...full.map((list) => versionOf(list.at(-1)!)));
    const rows = lists.flat().map((entry) => ({ entry, version: versionOf(entry) }))
      .filter(({ version }) => version <= reach)
      .sort((a, b) => a.version - b.version);
    const from = this.#read.get(shard) ?? beginning;
    const items = rows.flatMap(({ entry, version }) => this.#itemsOf(entry, version, from));
    if (rows.length > 0) this.#read.set(shard, { after: rows.at(-1)!.version, taken: 0 });
    if (items.length > 0) this.#items.set(shard, items);
    else if (rows.length > 0) this.#given = new Map(this.#given).set(shard, this.#read.get(shard)!);
    return full.length > 0;
  }

  #itemsOf(entry: Entry, version: Version, from: Position): Item[] {
    try {
      if (splitKey(entry.key)[0] === keyspace.log.name) return this.#loggedItems(entry, version);
      return this.#sentItems(entry, version, from);
    } catch (error) {
      // It can never be delivered, and must not keep back what comes after it; `admin.verify()` reports it.
      this.#context.logger.log("error", "Passed over a damaged row of a stream", {
        topic: this.#place.topic,
        error: String(error),
      });
      return [];
    }
  }

  #loggedItems(entry: Entry, version: Version): Item[] {
    const row = readLog(entry);
    if (row.topic !== this.#place.topic) return [];
    return [{ at: row.at, event: () => eventOfLog(row), after: { after: version, taken: 0 } }];
  }

  #sentItems(entry: Entry, version: Version, from: Position): Item[] {
    const { at, texts } = readSent(entry);
    const passed = version === from.after + 1 ? from.taken : 0;
    const { topic } = this.#place;
    return texts.map((text, index): Item => ({
      at,
      event: () => decodeEvent(topic, at, text),
      after: placeInRow(version, index + 1, texts.length),
    })).slice(passed);
  }
}

/** The version that a stamped key ends in. */
function versionOf(entry: Entry): Version {
  return readStamp(splitKey(entry.key).at(-1)!);
}
