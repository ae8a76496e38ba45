/**
 * The values of a text of JSON lines, as they come in.
 *
 * @param pieces The text, cut anywhere.
 */
export async function* readLines<Line>(pieces: AsyncIterable<string>): AsyncIterable<Line> {
  let rest = "";
  for await (const piece of pieces) {
    const lines = (rest + piece).split("\n");
    rest = lines.pop()!;
    for (const line of lines) if (line.trim() !== "") yield JSON.parse(line) as Line;
  }
  if (rest.trim() !== "") yield JSON.parse(rest) as Line;
}

/** The text of a body, as it comes in; not every browser can iterate over a stream. */
export async function* textOf(body: ReadableStream<Uint8Array>): AsyncIterable<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield decoder.decode(value, { stream: true });
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}
