import { piecesOf } from "./pieces.ts";

/** An event of a stream. */
export interface StreamedEvent {
  /** Its kind. */
  readonly event: string;
  /** The last id that the stream gave. */
  readonly id: string | undefined;
  /** Its text. */
  readonly data: string;
}

/**
 * Reads server-sent events.
 *
 * @param body The answer's.
 * @param signal Ends it.
 * @returns The events; ends when the stream does, in whatever way. What was cut off is no event.
 */
export async function* readEvents(
  body: ReadableStream<Uint8Array>,
  signal?: AbortSignal,
): AsyncGenerator<StreamedEvent, void, undefined> {
  let [rest, event, id]: [string, string, string | undefined] = ["", "", undefined];
  let data: string[] = [];
  for await (const piece of piecesOf(body, signal)) {
    const lines = (rest + piece).split(/\r\n|\n|\r(?=[^\n])/);
    rest = lines.pop()!;
    for (const line of lines) {
      const [, name, text = ""] = /^([^:]*)(?:: ?([^]*))?$/.exec(line)!;
      if (name === "event") event = text;
      else if (name === "data") data.push(text);
      else if (name === "id") id = text;
      else if (line === "") {
        if (data.length > 0) yield { event, id, data: data.join("\n") };
        [event, data] = ["", []];
      }
    }
  }
}
