/**
 * Changing runs.
 *
 * @module
 */
import type { CallbackOptions, RunView, TriggerOptions } from "pawl";
import { z } from "zod";
import { InvalidRequestError } from "../problem.ts";
import { type Call, json, type Route, route } from "../route.ts";
import { name, runId, runStates, runView } from "../schemas.ts";
import { definitionNamed, given, type RunParam } from "./named_run.ts";

const triggerBody = z.strictObject({
  data: z.unknown().optional(),
  startAt: name.optional(),
  idempotencyKey: name.optional(),
  traceOrigin: name.optional(),
  policy: z.record(z.string(), z.unknown()).optional().meta({
    description: "Of the run, where that is allowed",
  }),
});

const triggered = z.object({ runId: z.string(), created: z.boolean() }).meta({ id: "Triggered" });

const callbackBody = z.strictObject({
  payload: z.unknown().optional(),
  runId: runId.optional(),
  idempotencyKey: name.optional(),
});

const callbackResult = z.object({
  applied: z.boolean(),
  runId: z.string(),
  status: z.string(),
  runState: z.enum(runStates),
  reason: z.string().optional(),
}).meta({ id: "CallbackResult" });

const operateBody = z.strictObject({ reason: name.optional(), runId: runId.optional() });

/** The header is for those who send the same body again; two that differ are a mistake. */
function idempotencyKeyOf(request: Request, inBody: string | undefined): string | undefined {
  const inHeader = request.headers.get("idempotency-key") ?? undefined;
  // The draft of the header has it as a quoted string; most send it bare.
  const bare = inHeader === undefined ? undefined : /^"(.*)"$/.exec(inHeader)?.[1] ?? inHeader;
  if (bare === undefined || inBody === undefined || bare === inBody) return inBody ?? bare;
  throw new InvalidRequestError("header", [
    { message: "Idempotency-Key differs from the body's idempotencyKey", path: ["idempotency-key"] },
  ]);
}

async function trigger(
  { api, params, body, request }: Call<RunParam, unknown, z.output<typeof triggerBody>>,
) {
  const definition = definitionNamed(api.engine, params.definition);
  const { idempotencyKey, data, ...rest } = body;
  const options = given({ ...rest, idempotencyKey: idempotencyKeyOf(request, idempotencyKey) });
  const made = await api.engine.trigger(
    definition,
    params.key,
    { ...options, data } as TriggerOptions<unknown, string>,
  );
  return json(made, made.created ? 201 : 200);
}

type Operate = (
  call: Call<RunParam, unknown, z.output<typeof operateBody>>,
  options: { readonly reason?: string; readonly runId?: string },
) => Promise<RunView>;

function operateRoute(verb: "pause" | "resume" | "cancel", summary: string, operate: Operate): Route {
  return route(`POST /runs/:definition/:key/${verb}`, {
    verb,
    summary,
    reach: "run",
    body: operateBody,
    answers: { 200: { description: "The run after it", schema: runView } },
    refusals: ["RUN_NOT_FOUND", "UNKNOWN_DEFINITION", "RUN_STATE", "CONFLICT"],
    handle: async (call) => json(await operate(call, given(call.body))),
  });
}

/** The routes. */
export const runVerbRoutes: readonly Route[] = [
  route("POST /runs/:definition/:key", {
    verb: "trigger",
    summary: "Creates a run, unless the key has an unfinished one",
    reach: "run",
    body: triggerBody,
    answers: {
      201: { description: "It was created", schema: triggered },
      200: {
        description: "The idempotency key had been used before: the answer of the first call",
        schema: triggered,
      },
    },
    refusals: [
      "RUN_IN_PROGRESS",
      "UNKNOWN_DEFINITION",
      "INVALID_DATA",
      "IDEMPOTENCY_MISMATCH",
      "UNKNOWN_STATUS",
    ],
    handle: trigger,
  }),
  route("POST /runs/:definition/:key/callback/:status", {
    verb: "callback",
    summary: "Hands a payload to a run that waits at a status",
    reach: "run",
    body: callbackBody,
    answers: {
      200: { description: "What came of it, also when it was not applied", schema: callbackResult },
    },
    refusals: [
      "RUN_NOT_FOUND",
      "UNKNOWN_DEFINITION",
      "NO_CALLBACK",
      "UNKNOWN_STATUS",
      "IDEMPOTENCY_MISMATCH",
    ],
    async handle({ api, params, body, request }) {
      // It lands also when its caller has gone: he cannot know how far it was.
      const options: CallbackOptions = given({
        runId: body.runId,
        idempotencyKey: idempotencyKeyOf(request, body.idempotencyKey),
      });
      const definition = definitionNamed(api.engine, params.definition);
      return json(
        await api.engine.callback(
          definition,
          params.key,
          params.status as never,
          body.payload as never,
          options,
        ),
      );
    },
  }),
  operateRoute(
    "pause",
    "Stops a run between steps",
    ({ api, params }, options) =>
      api.engine.pause(definitionNamed(api.engine, params.definition), params.key, options),
  ),
  operateRoute(
    "resume",
    "Lets a paused run go on",
    ({ api, params }, { runId }) =>
      api.engine.resume(definitionNamed(api.engine, params.definition), params.key, given({ runId })),
  ),
  operateRoute(
    "cancel",
    "Ends a run where it is",
    ({ api, params }, options) =>
      api.engine.cancel(definitionNamed(api.engine, params.definition), params.key, options),
  ),
  route("DELETE /runs/:definition/:key", {
    verb: "delete",
    summary: "Erases the data of a finished run",
    reach: "run",
    query: z.strictObject({ runId: runId.optional(), reason: name.optional() }),
    answers: { 200: { description: "The run, whose data will be erased", schema: runView } },
    refusals: ["RUN_NOT_FOUND", "UNKNOWN_DEFINITION", "RUN_STATE", "CONFLICT"],
    async handle({ api, params, query }) {
      const definition = definitionNamed(api.engine, params.definition);
      return json(await api.engine.deleteData(definition, params.key, given(query)));
    },
  }),
];
