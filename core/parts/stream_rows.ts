/**
 * Rows of the store streamer: what was sent to a topic, and how far a receiver has come.
 *
 * A topic is the rows of one or more shards. In a shard, rows stand in the order of their versions, and that is the order
 * in which they became visible (rule 2 of the store). So whoever has read up to a version has missed nothing before it,
 * and one position per shard says all.
 *
 * @module
 */
import { PawlError } from "../errors.ts";
import { parseStored } from "../json.ts";
import type { EventText } from "../ports/event_text.ts";
import type { Entry, Version } from "../store/store.ts";

/** A place in a shard: all rows up to `after` are passed, and `taken` events of the row `after + 1`, if it is there. */
export interface Position {
  readonly after: Version;
  readonly taken: number;
}

/** A place in each shard; one that is not named is at its beginning. */
export type Positions = ReadonlyMap<number, Position>;

/** Before everything. */
export const beginning: Position = { after: 0, taken: 0 };

/** Whether `a` is before `b`. */
export function isBefore(a: Position, b: Position): boolean {
  return a.after < b.after || (a.after === b.after && a.taken < b.taken);
}

/**
 * @param a Positions.
 * @param b Positions.
 * @returns The further one in each shard; `a` itself when `b` is nowhere further.
 */
export function furthest(a: Positions, b: Positions): Positions {
  const ahead = [...b].filter(([shard, position]) => isBefore(a.get(shard) ?? beginning, position));
  return ahead.length === 0 ? a : new Map([...a, ...ahead]);
}

/** The place after so many events of a row. */
export function placeInRow(version: Version, taken: number, size: number): Position {
  return taken === size ? { after: version, taken: 0 } : { after: version - 1, taken };
}

/** JSON text of a `cursor` row. */
export function cursorText(positions: Positions, at: number): string {
  const places = [...positions].map(([shard, { after, taken }]) => [shard, after, taken]);
  return JSON.stringify({ places, at });
}

/**
 * @param entry A stored `cursor` row.
 * @returns How far its name has come.
 * @throws {PawlError} `STORE_CORRUPT` naming the key.
 */
export function readCursor(entry: Entry): Positions {
  const what = `cursor row "${entry.key}"`;
  const { places } = Object(parseStored(entry.value, what)) as { readonly places?: readonly number[][] };
  const isSound = Array.isArray(places) &&
    places.every((place) => Array.isArray(place) && place.length === 3 && place.every(Number.isInteger));
  if (!isSound) throw new PawlError("STORE_CORRUPT", `Cannot read ${what}: it has no places`);
  return new Map(places!.map(([shard, after, taken]) => [shard!, { after: after!, taken: taken! }]));
}

/** What one `event` row holds: events sent together. */
export interface SentEvents {
  /** When, by the sender's clock. */
  readonly at: number;
  readonly texts: readonly EventText[];
}

/** JSON text of an `event` row: the events are JSON already. */
export function sentText(at: number, texts: readonly EventText[]): string {
  return `{"at":${at},"events":[${texts.join(",")}]}`;
}

/**
 * @param entry A stored `event` row.
 * @returns What was sent.
 * @throws {PawlError} `STORE_CORRUPT` naming the key.
 */
export function readSent(entry: Entry): SentEvents {
  const what = `event row "${entry.key}"`;
  const { at, events } = Object(parseStored(entry.value, what)) as {
    at?: number;
    events?: readonly unknown[];
  };
  if (!Number.isFinite(at) || !Array.isArray(events)) {
    throw new PawlError("STORE_CORRUPT", `Cannot read ${what}: it has no time or no events`);
  }
  return { at: at!, texts: events.map((event) => JSON.stringify(event)) };
}

/** Rows of events that go together into one `event` row: at most so many, and so much text. */
const rowEventsMax = 256;
const rowTextMax = 512 * 1024;

/**
 * @param texts Events in order.
 * @returns The same in pieces, each for one row.
 */
export function cutIntoRows(texts: readonly EventText[]): readonly (readonly EventText[])[] {
  const rows: EventText[][] = [];
  let size = Infinity;
  for (const text of texts) {
    const row = rows.at(-1);
    if (row && row.length < rowEventsMax && size + text.length <= rowTextMax) row.push(text);
    else {
      rows.push([text]);
      size = 0;
    }
    size += text.length;
  }
  return rows;
}
