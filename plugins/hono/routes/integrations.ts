/**
 * The integrations in use: what they brought, how they are set, whether they can do their work.
 *
 * @module
 */
import type { IntegrationInUse } from "pawl";
import { z } from "zod";
import type { IntegrationView } from "../contract.ts";
import { json, type Route, route } from "../route.ts";

const integrationView = z.object({
  name: z.string(),
  isReady: z.boolean(),
  definitionNames: z.array(z.string()),
  stepNames: z.array(z.string()),
  configMap: z.looseObject({ name: z.string() }),
}).meta({ id: "Integration" });

async function viewOf(integration: IntegrationInUse): Promise<IntegrationView> {
  const { name, definitionNames, stepNames } = integration;
  return {
    name,
    isReady: await integration.isReady(),
    definitionNames,
    stepNames,
    configMap: integration.configMap(),
  };
}

/** The routes. */
export const integrationRoutes: readonly Route[] = [
  route("GET /integrations", {
    verb: "integrations",
    summary: "The integrations in use, without their secrets",
    reach: "store",
    answers: { 200: { description: "Integrations", schema: z.object({ items: z.array(integrationView) }) } },
    handle: async ({ api }) => json({ items: await Promise.all(api.engine.integrations.map(viewOf)) }),
  }),
];
