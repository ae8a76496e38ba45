/**
 * One action on many runs of a database; the API has a route for it.
 *
 * @module
 */
import type { BatchFailure, BatchLine } from "pawl/plugins/hono/client";
import type { NamedBatch, Target } from "./target.ts";

/** Runs that are listed at a time, and changed at a time. */
const pageSize = 100;
const atOnce = 16;

/**
 * Lists what matches, oldest first, and changes it as it comes.
 *
 * @param target Lists and changes.
 * @param batch What is to be done, to which runs.
 * @param signal Ends it after the runs under way.
 * @returns How far it is, and which runs refused.
 */
export async function* batchOn(
  target: Pick<Target, "list" | "operate">,
  { action, filter, reason, dryRun, limit = Infinity }: NamedBatch,
  signal: AbortSignal,
): AsyncGenerator<BatchLine, void, undefined> {
  let [matched, done, failed] = [0, 0, 0];
  let cursor: string | undefined;
  for (;;) {
    signal.throwIfAborted();
    const page = await target.list({
      ...filter,
      order: "oldest",
      limit: Math.min(pageSize, limit - matched),
      ...(cursor !== undefined && { cursor }),
    });
    matched += page.items.length;
    for (let at = 0; at < page.items.length && !dryRun; at += atOnce) {
      signal.throwIfAborted();
      const some = page.items.slice(at, at + atOnce);
      const why = reason === undefined ? {} : { reason };
      const results = await Promise.allSettled(some.map((run) => target.operate(action, run, why)));
      for (const [index, result] of results.entries()) {
        if (result.status === "fulfilled") done++;
        else {
          failed++;
          yield failureOf(some[index]!, result.reason);
        }
      }
    }
    cursor = page.cursor;
    const counts = { matched, done, failed };
    if (cursor === undefined) return yield { type: "done", ...counts };
    if (matched >= limit) return yield { type: "done", ...counts, limited: true };
    yield { type: "progress", ...counts };
  }
}

function failureOf(
  run: Pick<BatchFailure, "runId" | "key">,
  error: unknown,
): BatchFailure & { type: "failure" } {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  const told = { code: typeof code === "string" ? code : "INTERNAL", detail: String(message ?? error) };
  return { type: "failure", runId: run.runId, key: run.key, ...told };
}
