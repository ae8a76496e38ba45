import { PawlError } from "../errors.ts";

/**
 * Characters of one line: more than any honest run with its history, so that a text without line ends is refused
 * before it fills the memory.
 */
export const lineLengthMax = 256 * 1024 * 1024;

/** One line of a text. */
export interface TextLine {
  /** From 1. */
  readonly number: number;
  /** Without its end. */
  readonly text: string;
}

/**
 * Cuts a text that comes in pieces into its lines; empty ones are left out, but counted.
 *
 * @param pieces The text, cut anywhere.
 * @param lengthMax Characters of a line at most.
 * @returns Its lines, one after another.
 * @throws {PawlError} `LIMIT_EXCEEDED` for a longer line.
 */
export async function* textLines(
  pieces: AsyncIterable<string> | Iterable<string>,
  lengthMax = lineLengthMax,
): AsyncGenerator<TextLine, void, void> {
  let number = 1;
  let open: string[] = [];
  let length = 0;
  for await (const piece of pieces) {
    let from = 0;
    for (let end = piece.indexOf("\n"); end >= 0; end = piece.indexOf("\n", from)) {
      const text = open.join("") + piece.slice(from, end);
      if (text.trim() !== "") yield { number, text };
      open = [];
      length = 0;
      number++;
      from = end + 1;
    }
    length += piece.length - from;
    if (length > lengthMax) {
      throw new PawlError(
        "LIMIT_EXCEEDED",
        `Cannot read line ${number}: it has more than ${lengthMax} characters; is this text cut into lines?`,
      );
    }
    if (from < piece.length) open.push(from === 0 ? piece : piece.slice(from));
  }
  const text = open.join("");
  if (text.trim() !== "") yield { number, text };
}
