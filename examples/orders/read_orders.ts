/**
 * Reading orders from NDJSON, one JSON object per line. A bad line is told with its reason and stops nothing.
 *
 * @module
 */
import { type Order, problemOf } from "./order.ts";

/** A line that is no order. */
export interface BadLine {
  /** Counted from 1. */
  readonly line: number;
  readonly problem: string;
}

/** What a line of the file holds. */
export type OrderLine = { readonly line: number; readonly order: Order } | BadLine;

/**
 * Characters of the longest line. The engine takes 256 KiB of JSON as the data of a run; the last KiB of it is left for
 * what the steps add.
 */
export const lineLengthMax = 255 * 1024;

/**
 * Reads orders from lines.
 *
 * @param lines Text without line ends.
 * @returns What each line holds, in their order; blank lines are passed over.
 */
export async function* readOrders(
  lines: AsyncIterable<string> | Iterable<string>,
): AsyncGenerator<OrderLine> {
  const firstLines = new Map<string, number>();
  let line = 0;
  for await (const raw of lines) {
    line++;
    // Files that were joined together may have a byte order mark in the middle too.
    const text = raw.replace(/^\uFEFF/, "");
    if (text.trim() === "") continue;
    const read = readOrder(text);
    if (typeof read === "string") {
      yield { line, problem: read };
      continue;
    }
    const first = firstLines.get(read.id);
    if (first === undefined) {
      firstLines.set(read.id, line);
      yield { line, order: read };
    } else {
      yield { line, problem: `id ${JSON.stringify(read.id)} is that of line ${first} already` };
    }
  }
}

/** @returns The order, or what is wrong with it. */
function readOrder(text: string): Order | string {
  if (text.length > lineLengthMax) return tooLarge;
  if (text.includes("\uFFFD")) return "it is not UTF-8 text";
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // The parser counts lines within the text it was given; beside the line of the file that would mislead.
    return `it is not JSON: ${(error as Error).message.replace(/ \(line \d+ column \d+\)$/, "")}`;
  }
  const problem = problemOf(value);
  if (problem !== undefined) return problem;
  // Written out again it may be longer: 1e20 becomes a hundred thousand million million million.
  return JSON.stringify(value).length > lineLengthMax ? tooLarge : value as Order;
}

const tooLarge = `it has more than ${lineLengthMax / 1024} KiB of JSON`;

/**
 * Splits a stream of UTF-8 bytes into lines.
 *
 * @param bytes The stream; it is cancelled when the reader leaves early.
 * @returns Its lines without their ends. Of a line over {@linkcode lineLengthMax} only the front is kept: enough to see
 * that it is too long, and one line cannot fill the memory.
 */
export async function* linesOf(bytes: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let line = "";
  for await (const chunk of bytes.pipeThrough(new TextDecoderStream())) {
    for (const [index, part] of chunk.split("\n").entries()) {
      if (index > 0) {
        yield line;
        line = "";
      }
      if (line.length <= lineLengthMax) line += part;
    }
  }
  if (line !== "") yield line;
}
