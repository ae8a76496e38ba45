/**
 * Where clients write down what they ask and are told. What is asked stands there before the store hears of it, so that
 * a client that dies leaves it behind.
 *
 * @module
 */
import type { CommitOperation, Operation, ReadOperation } from "./history.ts";

/** What is asked for. */
export type Asked =
  | Pick<ReadOperation, "id" | "kind" | "requests">
  | Pick<CommitOperation, "id" | "kind" | "calls">;

/** What came of it. A read without an answer is left out of the history. */
export type Answer = ReadOperation["answer"] | CommitOperation["answer"];

/** A line of a record. */
export type RecordLine =
  | { readonly at: number; readonly asked: Asked }
  | { readonly at: number; readonly id: string; readonly answer: Answer };

/** Takes lines. */
export interface Recorder {
  /** Something is about to be asked for. */
  begin(asked: Asked): void;
  /** It was answered. */
  end(id: string, answer: Answer): void;
}

/**
 * A recorder.
 *
 * @param now The clock, read before a question and after an answer.
 * @param write Takes each line at once.
 */
export function recorder(now: () => number, write: (line: RecordLine) => void): Recorder {
  return {
    begin: (asked) => write({ at: now(), asked }),
    end: (id, answer) => write({ at: now(), id, answer }),
  };
}

/** What a record's moments are in the clock of the history: not before the one, not after the other. */
export interface Offset {
  readonly least: number;
  readonly most: number;
}

/** How to read a record. */
export interface ReadRecordOptions {
  readonly offset?: Offset;
  /** What was asked for and not answered has happened by then, or never will. */
  readonly until?: number;
}

/**
 * Reads a record.
 *
 * @param lines Its lines, in order.
 * @param options Whose clock it is in, and whether its writer has died.
 */
export function readRecord(
  lines: readonly RecordLine[],
  { offset = { least: 0, most: 0 }, until }: ReadRecordOptions = {},
): Operation[] {
  const answers = new Map(lines.flatMap((line) => "id" in line ? [[line.id, line] as const] : []));
  return lines.flatMap((line): Operation[] => {
    if ("id" in line) return [];
    const { asked, at } = line;
    const told = answers.get(asked.id);
    const began = at + offset.least;
    const ended = told && told.answer !== "unknown" ? told.at + offset.most : Infinity;
    if (asked.kind === "read") {
      if (!told || typeof told.answer === "string") return [];
      return [{ ...asked, began, ended, answer: told.answer as ReadOperation["answer"] }];
    }
    const answer = (told?.answer ?? "unknown") as CommitOperation["answer"];
    // Only who has died is surely no longer asking.
    return [{ ...asked, began, ended, answer, ...(!told && until !== undefined && { until }) }];
  });
}
