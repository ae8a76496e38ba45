/**
 * The door of every event streamer: what is given wrong is refused here, before anything is sent; and how an event is
 * written as text.
 *
 * @module
 */
import { PawlError } from "../errors.ts";
import { jsonText } from "../json.ts";
import type { NewEvent, ReceiveOptions, StreamEvent } from "./event_streamer.ts";

/** What streamers take: names are key material, and must fit every store once escaped. */
export const streamLimits = {
  /** UTF-16 units of a topic. */
  topicLengthMax: 800,
  /** UTF-16 units of a receiver's name. */
  nameLengthMax: 300,
  /** UTF-16 units of an event's id, key and type, and of each header. */
  textLengthMax: 2_000,
  /** Headers of one event. */
  headersMax: 64,
  /** UTF-16 units of an event's data as JSON. */
  dataBytesMax: 256 * 1024,
} as const;

/** An event as JSON text, without its topic and time. */
export type EventText = string;

/**
 * Checks what `send` is given.
 *
 * @param topic Where to.
 * @param events What.
 * @returns Each event as text.
 * @throws {PawlError} `INVALID_ARGUMENT`, `NOT_JSON` or `PAYLOAD_TOO_LARGE`.
 */
export function encodeEvents(topic: string, events: readonly NewEvent[]): EventText[] {
  checkText(topic, "topic", streamLimits.topicLengthMax);
  if (!Array.isArray(events)) throw refusal("events", events, "a list of events");
  return (events as readonly NewEvent[]).map((event, index) => encodeEvent(event, `events[${index}]`));
}

function encodeEvent(event: NewEvent, what: string): EventText {
  if (typeof event !== "object" || event === null) throw refusal(what, event, "an event");
  const { id, key, type, data, headers } = event;
  checkText(id, `${what}.id`, streamLimits.textLengthMax);
  checkText(key, `${what}.key`, streamLimits.textLengthMax);
  checkText(type, `${what}.type`, streamLimits.textLengthMax);
  let text = `{"id":${JSON.stringify(id)},"key":${JSON.stringify(key)},"type":${JSON.stringify(type)}`;
  if (data !== undefined) text += `,"data":${jsonText(data, `${what}.data`, streamLimits.dataBytesMax)}`;
  if (headers !== undefined) text += `,"headers":${headersText(headers, `${what}.headers`)}`;
  return text + "}";
}

function headersText(headers: Readonly<Record<string, string>>, what: string): string {
  if (typeof headers !== "object" || headers === null || Array.isArray(headers)) {
    throw refusal(what, headers, "an object of texts");
  }
  const entries = Object.entries(headers);
  if (entries.length > streamLimits.headersMax) {
    throw refusal(what, `${entries.length} headers`, `${streamLimits.headersMax} at most`);
  }
  for (const [name, value] of entries) {
    if (typeof value !== "string") throw refusal(`${what}.${name}`, value, "text");
    if (Math.max(name.length, value.length) <= streamLimits.textLengthMax) continue;
    const seen = `text of ${Math.max(name.length, value.length)} characters`;
    throw refusal(`${what}.${name}`, seen, `${streamLimits.textLengthMax} at most`);
  }
  return JSON.stringify(headers);
}

/**
 * Reads an event back; each call gives an object of its own.
 *
 * @param topic Where it was sent to.
 * @param at When, in milliseconds since 1970.
 * @param text What {@linkcode encodeEvents} made of it.
 * @returns The event.
 */
export function decodeEvent(topic: string, at: number, text: EventText): StreamEvent {
  return { ...JSON.parse(text) as NewEvent, topic, at: new Date(at) };
}

/**
 * Checks what `receive` is given.
 *
 * @throws {PawlError} `INVALID_ARGUMENT`.
 */
export function checkReceive(topic: string, name: string, { from, signal }: ReceiveOptions): void {
  checkText(topic, "topic", streamLimits.topicLengthMax);
  checkText(name, "receiver name", streamLimits.nameLengthMax);
  if (from !== undefined && from !== "start" && from !== "latest") {
    throw refusal("from", from, '"start" or "latest"');
  }
  if (signal !== undefined && typeof signal?.addEventListener !== "function") {
    throw refusal("signal", signal, "an AbortSignal");
  }
}

function checkText(value: unknown, what: string, lengthMax: number): void {
  if (typeof value === "string" && value !== "" && value.length <= lengthMax) return;
  const seen = typeof value === "string" && value !== "" ? `text of ${value.length} characters` : value;
  throw refusal(what, seen, `text of 1 to ${lengthMax} characters`);
}

function refusal(what: string, seen: unknown, wished: string): PawlError {
  const shown = seen === "" ? "empty text" : typeof seen === "object" && seen ? "an object" : String(seen);
  return new PawlError("INVALID_ARGUMENT", `Cannot use ${what}: got ${shown}, want ${wished}`);
}
