import { piecesOf } from "./pieces.ts";

/**
 * Reads a body of JSON, a line each.
 *
 * @param body The answer's.
 * @param signal Ends it.
 * @returns What the lines hold; ends when the body does, in whatever way.
 */
export async function* readLines(
  body: ReadableStream<Uint8Array>,
  signal?: AbortSignal,
): AsyncGenerator<unknown, void, undefined> {
  let rest = "";
  for await (const piece of piecesOf(body, signal)) {
    const lines = (rest + piece).split("\n");
    rest = lines.pop()!;
    for (const line of lines) yield JSON.parse(line);
  }
}
