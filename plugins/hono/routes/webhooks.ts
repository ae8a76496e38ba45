/**
 * Where webhooks come in. The URL itself is what allows it, so `authorize` is not asked.
 *
 * @module
 */
import { PawlError } from "pawl";
import { z } from "zod";
import { parseJson, readBytes } from "../body.ts";
import type { Call } from "../route.ts";
import { json, type Route, route } from "../route.ts";
import { definitionNamed } from "./named_run.ts";

const unfinished: ReadonlySet<string> = new Set(["initiated", "running", "paused", "stalled"]);

async function take({ api, params, request }: Call<"token">): Promise<Response> {
  const { engine, options: { webhooks }, limits } = api;
  if (!webhooks) throw new PawlError("NOT_FOUND", "Cannot take webhook: httpApi() was given no `webhooks`");
  const body = await readBytes(request, limits.bodyBytesMax);
  const { target, idempotencyKey, isOnce } = await webhooks.read(params.token, request.headers, body);
  const payload = body.byteLength === 0 ? undefined : parseJson(body);
  const definition = definitionNamed(engine, target.definition);
  const callback = engine.callback(definition, target.key, target.status as never, payload as never, {
    runId: target.runId,
    ...(idempotencyKey !== undefined && { idempotencyKey }),
  });
  const { applied, status, runState } = await callback.catch((error: unknown) => {
    throw isOnce && error instanceof PawlError && error.code === "IDEMPOTENCY_MISMATCH"
      ? new PawlError("WEBHOOK_EXPIRED", "Cannot take webhook: its URL was used before, with something else")
      : error;
  });
  if (applied) return json({ applied });
  if (!unfinished.has(runState)) {
    throw new PawlError("WEBHOOK_EXPIRED", "Cannot take webhook: its run has ended");
  }
  // Who calls before the step that made the URL has landed must call again: what is answered with 200 is forgotten.
  throw new PawlError(
    "RUN_STATE",
    `Cannot take webhook: its run is ${runState} at "${status}", and must be running at "${target.status}"; send it again later`,
  );
}

/** The routes. */
export const webhookRoutes: readonly Route[] = [
  route("POST /webhooks/:token", {
    verb: "webhook",
    summary: "Answers a run that waits, by a URL made for it",
    reach: "anybody",
    answers: { 200: { description: "The run took it", schema: z.object({ applied: z.literal(true) }) } },
    refusals: ["WEBHOOK_REFUSED", "WEBHOOK_EXPIRED", "RUN_STATE", "RUN_NOT_FOUND"],
    handle: take,
  }),
];
