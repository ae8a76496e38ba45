/**
 * Short words for writing histories by hand. Keys are letters in shard 0, and a value is any text.
 *
 * @module
 */
import type { Batch, BatchResult, CallResult, Check, Entry, ReadOp } from "../../core/store/store.ts";
import type { CommitOperation, ReadOperation } from "./history.ts";

/** From when to when; without an end, nobody was answered. */
export type Span = readonly [began: number, ended?: number];

/** A version, the index of the check that failed, or that the guard failed. */
export type Told = readonly (number | { readonly failed: number })[] | "guard-failed";

/** What else may be said of a commit. */
export interface CommitWords {
  readonly guard?: Check;
  readonly until?: number;
  readonly committer?: string;
  readonly previous?: string;
  readonly shard?: number;
}

/** A batch by its parts. */
export const batch = (parts: Partial<Batch>): Batch => ({ checks: [], puts: [], deletes: [], ...parts });

/** Puts a value where the key has this version, or `null`: none. */
export const put = (key: string, value: string, version?: number | null): Batch =>
  batch({ puts: [{ key, value }], ...(version !== undefined && { checks: [{ key, version }] }) });

/** Appends a value to a log. */
export const append = (key: string, value: string): Batch => batch({ puts: [{ key, value, stamped: true }] });

/** Removes a key where it has this version. */
export const remove = (key: string, version?: number): Batch =>
  batch({ deletes: [key], ...(version !== undefined && { checks: [{ key, version }] }) });

/** An entry. */
export const entry = (key: string, value: string, version: number): Entry => ({ key, value, version });

/** A commit of one call. Its id is its call's. */
export function commit(
  id: string,
  [began, ended]: Span,
  batches: readonly Batch[],
  told: Told | "refused" | CallResult,
  { committer = id, previous, guard, shard = 0, until }: CommitWords = {},
): CommitOperation {
  const names = { id: committer, callId: id, ...(previous !== undefined && { previous }) };
  return {
    id,
    kind: "commit",
    began,
    ended: ended ?? Infinity,
    calls: [{ shard, committer: names, batches, ...(guard && { guard }) }],
    answer: told === "refused" ? told : [answerOf(told)],
    ...(until !== undefined && { until }),
  };
}

/** A commit that nobody was answered. */
export function lost(
  id: string,
  began: number,
  batches: readonly Batch[],
  words: CommitWords = {},
): CommitOperation {
  return { ...commit(id, [began], batches, [], words), answer: "unknown" };
}

/** One commit of the calls of several, none of which was answered. */
export const lostTogether = (...commits: readonly CommitOperation[]): CommitOperation => ({
  ...commits[0]!,
  calls: commits.flatMap((each) => each.calls),
});

/** An answer to a call that came in the place of another. */
export const superseded = (callId: string, told: Told): CallResult => {
  const result = answerOf(told);
  return {
    outcome: "superseded",
    last: { callId, ...(result.outcome === "done" && { results: result.results }) },
  };
};

/** A read of some ops, each with what it found. */
export function read(
  id: string,
  [began, ended]: Span,
  ...found: readonly (readonly [op: string | ReadOp, ...entries: Entry[]])[]
): ReadOperation {
  const ops = found.map(([op]) => typeof op === "string" ? { get: op } : op);
  const answer = found.map(([, ...entries]) => entries);
  return {
    id,
    kind: "read",
    began,
    ended: ended ?? Infinity,
    requests: [{ shard: 0, ops }],
    answer: [answer],
  };
}

function answerOf(told: Told | CallResult): CallResult {
  if (told === "guard-failed") return { outcome: "guard-failed" };
  if ("outcome" in told) return told;
  const results = told.map((each): BatchResult =>
    typeof each === "number" ? { ok: true, version: each } : { ok: false, ...each }
  );
  return { outcome: "done", results };
}
