/**
 * What requests and answers look like: checked where they come in, and told in the OpenAPI document.
 *
 * @module
 */
import type { RunState } from "pawl";
import { z } from "zod";

/** Every state of a run. */
export const runStates = Object.keys(
  {
    initiated: true,
    running: true,
    paused: true,
    stalled: true,
    completed: true,
    failed: true,
    cancelled: true,
    terminated: true,
    "deletion-requested": true,
    deleted: true,
  } satisfies Record<RunState, true>,
) as readonly RunState[];

/** What the document shows in place of how a text is checked. */
function shownAs(schema: Readonly<Record<string, unknown>>) {
  return ({ jsonSchema }: { readonly jsonSchema: object }) => {
    for (const name of Object.keys(jsonSchema)) Reflect.deleteProperty(jsonSchema, name);
    Object.assign(jsonSchema, schema);
  };
}

/** A time as text, such as `2030-01-01T00:00:00Z`. */
export const time = z.iso.datetime({ offset: true }).transform((text) => new Date(text)).meta({
  override: shownAs({ type: "string", format: "date-time" }),
});

/** A duration: milliseconds, or text such as `5s`. What is none, the engine refuses. */
export const duration = z.union([z.number(), z.string().max(100)]).meta({
  id: "Duration",
  description: "Milliseconds, or text such as 250ms, 5s, 1h30m, 3d",
});

/** A whole number in a query. */
export function whole(min: number, max: number) {
  return z.string().regex(/^\d{1,15}$/, "want a whole number").transform(Number)
    .refine((value) => value >= min && value <= max, `want a whole number from ${min} to ${max}`)
    .meta({ override: shownAs({ type: "integer", minimum: min, maximum: max }) });
}

/** Whether, in a query. */
export const flag = z.enum(["true", "false"]).transform((text) => text === "true").meta({
  override: shownAs({ type: "boolean" }),
});

/** One text, or several parameters of the same name. */
export function several<Item extends z.ZodType<string>>(item: Item) {
  return z.union([item, z.array(item).max(50)]).transform((value) => [value].flat() as z.output<Item>[]);
}

/** A name of any kind; what is too long for its kind, the engine refuses. */
export const name = z.string().max(4_096);

/** Names one of several runs of a key. */
export const runId = z.string().max(100).meta({ description: "This run, not the latest of the key" });

/** Where the next page begins. */
export const cursor = z.string().max(1_024).meta({ description: "From the page before" });

/** An instant in an answer. */
export const instant = z.iso.datetime().meta({ override: shownAs({ type: "string", format: "date-time" }) });

const runError = z.object({ name: z.string(), message: z.string(), code: z.string().optional() }).meta({
  id: "RunError",
});

/** Of {@linkcode RunView}, without its data. */
const runFields = {
  runId: z.string(),
  key: z.string(),
  definition: z.string(),
  status: z.string(),
  runState: z.enum(runStates),
  version: z.int(),
  attempt: z.int(),
  createdAt: instant,
  updatedAt: instant,
  reason: z.string().optional(),
  lastError: runError.optional(),
  traceOrigin: z.string().optional(),
  origin: z.object({ schedule: z.string(), scheduledFor: instant }).optional(),
  timers: z.array(z.object({ name: z.string(), at: instant })).optional(),
  lock: z.object({
    namespace: z.string(),
    names: z.array(z.string()),
    tokens: z.record(z.string(), z.number()).optional(),
  }).optional(),
};

/** A run. */
export const runView = z.object({ ...runFields, data: z.unknown() }).meta({ id: "RunView" });

/** A run in a list. */
export const listItem = z.object({
  ...runFields,
  data: z.unknown().optional(),
  dataError: runError.optional(),
})
  .meta({ id: "ListItem" });

/** One page. */
export function page<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item), cursor: z.string().optional() });
}

/** One event of a run's history. */
export const historyRow = z.object({
  kind: z.string(),
  by: z.string(),
  name: z.string().optional(),
  token: z.number().optional(),
  from: z.string().optional(),
  to: z.string().optional(),
  durationMs: z.number().optional(),
  reason: z.string().optional(),
  error: runError.optional(),
  at: instant,
  runState: z.enum(runStates),
  version: z.int(),
  attempt: z.int(),
  position: z.int(),
}).meta({ id: "HistoryRow" });

/** An error. */
export const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.string(),
  runId: z.string().optional(),
  runState: z.string().optional(),
  issues: z.array(z.object({ message: z.string(), path: z.array(z.union([z.string(), z.number()])) }))
    .optional(),
}).meta({ id: "Problem" });
