/**
 * Which runs a command is about.
 *
 * @module
 */
import type { ListQuery, RunState } from "pawl";
import { given, readChoice, readTime } from "./arguments.ts";

/** The options. */
export const filterOptions = {
  definition: { type: "string", multiple: true },
  status: { type: "string", multiple: true },
  state: { type: "string", multiple: true },
  key: { type: "string" },
  prefix: { type: "string" },
  after: { type: "string" },
  before: { type: "string" },
} as const;

/** What help says of them. */
export const filterUsage = `
which runs; of what may be given several times, any is enough:
  --definition NAME    of a definition; several times
  --status STATUS      at a status; several times
  --state STATE        initiated, running, paused, stalled, completed, failed, cancelled ...; several times
  --key KEY            of a key; wants one --definition
  --prefix TEXT        whose key begins so
  --after TIME         triggered after: 2030-01-31T12:00Z, or how long ago, as 90m, 12h, 7d
  --before TIME        triggered before`;

const states = [
  "initiated",
  "running",
  "paused",
  "stalled",
  "completed",
  "failed",
  "cancelled",
  "terminated",
  "deletion-requested",
  "deleted",
] as const satisfies readonly RunState[];

interface FilterValues {
  readonly definition?: readonly string[] | undefined;
  readonly status?: readonly string[] | undefined;
  readonly state?: readonly string[] | undefined;
  readonly key?: string | undefined;
  readonly prefix?: string | undefined;
  readonly after?: string | undefined;
  readonly before?: string | undefined;
}

/**
 * @param values Of {@linkcode filterOptions}.
 * @param now What times are counted back from.
 * @returns What to ask a list for.
 * @throws {UsageError}
 */
export function readFilter(values: FilterValues, now: Date): ListQuery {
  return given({
    definition: values.definition && oneOrAll(values.definition),
    status: values.status && oneOrAll(values.status),
    runState: values.state && oneOrAll(values.state.map((each) => readChoice(each, "--state", states))),
    key: values.key,
    keyPrefix: values.prefix,
    createdAfter: values.after === undefined ? undefined : readTime(values.after, "--after", now),
    createdBefore: values.before === undefined ? undefined : readTime(values.before, "--before", now),
  });
}

const oneOrAll = <Item>(items: readonly Item[]): Item | readonly Item[] =>
  items.length === 1 ? items[0]! : items;
