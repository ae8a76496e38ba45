/**
 * What the engine carries, and how it looks.
 *
 * @module
 */
import type { Definition } from "pawl";
import { z } from "zod";
import { json, type Route, route } from "../route.ts";
import { definitionNamed } from "./named_run.ts";

const definitionView = z.object({
  name: z.string(),
  kind: z.string(),
  statuses: z.array(z.string()),
  starts: z.array(z.string()),
  terminals: z.array(z.string()),
  callbacks: z.array(z.string()),
}).meta({ id: "Definition" });

function viewOf({ name, behaviour }: Definition): z.output<typeof definitionView> {
  const statuses = [...behaviour.statuses];
  const others = statuses.filter((each) => !behaviour.isTerminal(each) && each !== behaviour.start);
  return {
    name,
    kind: behaviour.kind ?? "definition",
    statuses,
    // Where runs start unless told otherwise comes first.
    starts: [behaviour.start, ...others],
    terminals: statuses.filter((each) => behaviour.isTerminal(each)),
    callbacks: statuses.filter((each) => behaviour.accepts?.(each) ?? false),
  };
}

/** The routes. */
export const definitionRoutes: readonly Route[] = [
  route("GET /definitions", {
    verb: "definitions",
    summary: "What the engine carries",
    reach: "filter",
    answers: { 200: { description: "Definitions", schema: z.object({ items: z.array(definitionView) }) } },
    handle({ api, reach }) {
      const known = [...api.engine.definitions.values()].filter(({ name }) => reach.hasDefinition(name));
      return json({ items: known.map(viewOf) });
    },
  }),
  route("GET /definitions/:definition/diagram", {
    verb: "diagram",
    summary: "A definition as Mermaid text",
    reach: "filter",
    query: z.strictObject({
      direction: z.enum(["LR", "RL", "TB", "BT"]).optional(),
      status: z.string().optional(),
    }),
    answers: { 200: { description: "Mermaid text", type: "text/plain", schema: z.string() } },
    refusals: ["UNKNOWN_DEFINITION", "UNKNOWN_STATUS", "UNSUPPORTED"],
    handle({ api, params, query }) {
      const { direction, status } = query;
      const definition = definitionNamed(api.engine, params.definition);
      const text = api.engine.diagram(definition, {
        ...(direction !== undefined && { direction }),
        ...(status !== undefined && { status }),
      });
      return new Response(text, { headers: { "content-type": "text/plain; charset=utf-8" } });
    },
  }),
];
