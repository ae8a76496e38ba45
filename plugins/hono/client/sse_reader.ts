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
 * @returns The events; ends when the stream does, in whatever way.
 */
export async function* readEvents(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<StreamedEvent, void, undefined> {
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let [rest, event, data, id]: [string, string, string[], string | undefined] = ["", "", [], undefined];
  try {
    for (;;) {
      const { done, value } = await reader.read().catch(() => ({ done: true as const, value: undefined }));
      if (done) return;
      rest += decoder.decode(value, { stream: true });
      const lines = rest.split(/\r\n|\n|\r(?=[^\n])/);
      rest = lines.pop()!;
      for (const line of lines) {
        const [, name, text = ""] = /^([^:]*)(?:: ?([^]*))?$/.exec(line)!;
        if (name === "event") event = text;
        else if (name === "data") data.push(text);
        else if (name === "id") id = text;
        else if (line === "" && data.length > 0) {
          yield { event, id, data: data.join("\n") };
          [event, data] = ["", []];
        }
      }
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}
