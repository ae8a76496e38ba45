/**
 * The service itself: its health, metrics and document, and its tick.
 *
 * @module
 */
import { PawlError } from "pawl";
import { z } from "zod";
import { documentOf } from "../openapi.ts";
import { json, type Route, route } from "../route.ts";
import { instant } from "../schemas.ts";

const tickReport = z.object({
  processed: z.int(),
  nextDueAt: instant.optional(),
  heldElsewhere: z.int(),
  running: z.int(),
}).meta({ id: "TickReport" });

/**
 * @param all Every route of the API, for the document.
 * @returns The routes.
 */
export function serviceRoutes(all: () => readonly Route[]): readonly Route[] {
  return [
    route("GET /health", {
      verb: "health",
      summary: "Whether the store can be read",
      reach: "anybody",
      answers: { 200: { description: "It can", schema: z.object({ status: z.literal("ok") }) } },
      async handle({ api }) {
        const [definition] = api.engine.definitions.values();
        if (definition) await api.engine.get(definition, "health");
        return json({ status: "ok" });
      },
    }),
    route("GET /metrics", {
      verb: "metrics",
      summary: "Metrics in Prometheus' text format",
      reach: "store",
      answers: { 200: { description: "The metrics", type: "text/plain", schema: z.string() } },
      refusals: ["NOT_FOUND"],
      handle({ api }) {
        const { metrics } = api.options;
        if (!metrics) {
          throw new PawlError(
            "NOT_FOUND",
            "Cannot show metrics: give httpApi(engine, { metrics }) a prometheusTelemetry()",
          );
        }
        return new Response(metrics.render(), { headers: { "content-type": metrics.contentType } });
      },
    }),
    route("GET /openapi.json", {
      verb: "openapi",
      summary: "This document",
      reach: "anybody",
      answers: { 200: { description: "OpenAPI 3.1", schema: z.looseObject({ openapi: z.string() }) } },
      handle({ request }) {
        const base = new URL(request.url).pathname.replace(/\/openapi\.json$/, "");
        return json(documentOf(all(), base));
      },
    }),
    route("POST /tick", {
      verb: "tick",
      summary: "Works off what is due",
      reach: "store",
      body: z.strictObject({ budgetMs: z.int().min(1).optional() }),
      answers: { 200: { description: "What was done", schema: tickReport } },
      async handle({ api, body }) {
        const budgetMs = Math.min(body.budgetMs ?? 5_000, api.limits.tickMsMax);
        return json(await api.engine.tick({ budgetMs }));
      },
    }),
  ];
}
