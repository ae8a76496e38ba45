/**
 * One action on all runs that match, told line by line.
 *
 * @module
 */
import type { Engine, ListQuery } from "pawl";
import { z } from "zod";
import type { BatchLine, BatchProblem } from "../contract.ts";
import type { Api, Verb } from "../options.ts";
import { problemOf } from "../problem.ts";
import { type Call, type Route, route } from "../route.ts";
import { name, runStates, time } from "../schemas.ts";
import { definitionNamed, given } from "./named_run.ts";
import { within } from "./within.ts";

const actions = ["pause", "resume", "cancel", "delete"] as const satisfies readonly Verb[];

const oneOrMore = <Item extends z.ZodType>(item: Item) => z.union([item, z.array(item).max(50)]);

const batchBody = z.strictObject({
  action: z.enum(actions),
  filter: z.strictObject({
    definition: name,
    status: oneOrMore(name).optional(),
    runState: oneOrMore(z.enum(runStates)).optional(),
    key: name.optional(),
    keyPrefix: name.optional(),
    createdAfter: time.optional(),
    createdBefore: time.optional(),
  }),
  reason: name.optional(),
  dryRun: z.boolean().optional().meta({ description: "Only count what matches" }),
  limit: z.int().min(1).optional().meta({ description: "Runs at most" }),
});

type BatchBody = z.output<typeof batchBody>;

/** Runs that are listed at a time, and changed at a time. */
const pageSize = 100;
const atOnce = 16;

type Act = (
  engine: Engine,
  run: { readonly definition: string; readonly key: string; readonly runId: string },
  reason: string | undefined,
) => Promise<unknown>;

const acts: Readonly<Record<BatchBody["action"], Act>> = {
  pause: (engine, { definition, key, runId }, reason) =>
    engine.pause(definitionNamed(engine, definition), key, given({ runId, reason })),
  resume: (engine, { definition, key, runId }) =>
    engine.resume(definitionNamed(engine, definition), key, { runId }),
  cancel: (engine, { definition, key, runId }, reason) =>
    engine.cancel(definitionNamed(engine, definition), key, given({ runId, reason })),
  delete: (engine, { definition, key, runId }, reason) =>
    engine.deleteData(definitionNamed(engine, definition), key, given({ runId, reason })),
};

type Line = BatchLine | BatchProblem;

async function* lines(
  api: Api,
  query: ListQuery,
  body: BatchBody,
  signal: AbortSignal,
): AsyncGenerator<Line> {
  const { engine, limits } = api;
  const most = Math.min(body.limit ?? limits.batchMax, limits.batchMax);
  let [matched, done, failed] = [0, 0, 0];
  let cursor: string | undefined;
  while (!signal.aborted) {
    const limit = Math.min(pageSize, most - matched);
    const page = await engine.list({ ...query, limit, ...given({ cursor }) });
    matched += page.items.length;
    for (let at = 0; at < page.items.length && !body.dryRun && !signal.aborted; at += atOnce) {
      const some = page.items.slice(at, at + atOnce);
      const results = await Promise.allSettled(
        some.map((run) => acts[body.action](engine, run, body.reason)),
      );
      for (const [index, result] of results.entries()) {
        if (result.status === "fulfilled") done++;
        else {
          failed++;
          const { runId, key } = some[index]!;
          const { code, detail } = problemOf(result.reason);
          yield { type: "failure", runId, key, code, detail };
        }
      }
    }
    cursor = page.cursor;
    const counts = { matched, done, failed };
    if (cursor === undefined) return yield { type: "done", ...counts };
    if (matched >= most) return yield { type: "done", ...counts, limited: true };
    yield { type: "progress", ...counts };
  }
}

function batch({ api, reach, body }: Call<never, unknown, BatchBody>): Response {
  const { filter } = body;
  definitionNamed(api.engine, filter.definition);
  const query = {
    // What is triggered meanwhile was not meant, and there would be no end of it.
    createdBefore: new Date(api.clock.now() + 1),
    ...given(filter),
    ...within(reach, filter),
    order: "oldest",
  } as ListQuery;
  const abort = new AbortController();
  const source = lines(api, query, body, abort.signal);
  const encoder = new TextEncoder();
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = await source.next().catch((error: unknown) => {
        const { code, detail } = problemOf(error);
        return { done: false as const, value: { type: "problem", code, detail } satisfies Line };
      });
      if (next.done) controller.close();
      else controller.enqueue(encoder.encode(`${JSON.stringify(next.value)}\n`));
    },
    cancel: () => abort.abort(),
  }, { highWaterMark: 0 });
  return new Response(stream, { headers: { "content-type": "application/x-ndjson" } });
}

/** The routes. */
export const batchRoutes: readonly Route[] = [
  route("POST /batches", {
    // Of a body that says nothing that can be read, the strongest is asked.
    verb: "delete",
    summary: "Pauses, resumes, cancels or deletes all runs that match; ends with its request",
    reach: "filter",
    body: batchBody,
    target(body) {
      const { action, filter } = Object(body) as Record<string, unknown>;
      const { definition, key } = Object(filter) as Record<string, unknown>;
      const verb = actions.find((each) => each === action);
      return {
        ...(verb && { verb }),
        names: {
          ...(typeof definition === "string" && { definition }),
          ...(typeof key === "string" && { key }),
        },
      };
    },
    answers: {
      200: {
        description: "Lines of JSON: `progress`, `failure` for each run that refused, and at last `done`",
        type: "application/x-ndjson",
        schema: z.string(),
      },
    },
    refusals: ["UNKNOWN_DEFINITION"],
    handle: batch,
  }),
];
