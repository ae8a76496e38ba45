/**
 * Does something to all runs that match a filter, however many: the server walks through them, and tells how far it is.
 *
 * @module
 */
import type { BatchLine, BatchProblem } from "../contract.ts";
import { request } from "./api.ts";
import { readLines, textOf } from "./ndjson.ts";
import type { Progress } from "./run_verbs.ts";
import type { RunVerb } from "./wire.ts";

/** Failures that are kept for the report. */
export const failuresMax = 1_000;

/** What is asked of a batch. */
export interface BatchWish {
  readonly action: RunVerb;
  readonly filter: Readonly<Record<string, unknown>>;
  readonly reason?: string;
  /** Only counts. */
  readonly dryRun?: boolean;
}

/**
 * @param wish What to do.
 * @param signal Ends it; what is done stays done.
 * @param tell Hears how far it is.
 * @throws {Error} When it was cut off before it was told to be done.
 */
export async function runBatch(
  wish: BatchWish,
  signal: AbortSignal,
  tell: (progress: Progress) => void,
): Promise<void> {
  const response = await request("batches", { method: "POST", body: wish, signal });
  let progress: Progress = { matched: 0, done: 0, failed: 0, failures: [] };
  let isDone = false;
  for await (const line of readLines<BatchLine | BatchProblem>(textOf(response.body!))) {
    if (line.type === "problem") throw new Error(line.detail);
    if (line.type === "failure") {
      const failures = [...progress.failures, line].slice(0, failuresMax);
      progress = { ...progress, failures };
    } else {
      const { matched, done, failed } = line;
      progress = { ...progress, matched, done, failed, isLimited: line.limited ?? false };
      isDone ||= line.type === "done";
    }
    tell(progress);
  }
  if (!isDone) throw new Error("The server ended the batch before it was done; what is done stays done");
}
