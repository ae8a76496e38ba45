/**
 * Which runs the table shows: what stands in the address, and what the API is asked.
 *
 * @module
 */

/** A filter of runs. */
export interface RunFilter {
  readonly definition: string;
  readonly status: string;
  readonly states: readonly string[];
  /** A key; with a `*` at its end, all that begin so. */
  readonly key: string;
  /** How long ago they were created at most, such as `1h`; `range`: see the two times. */
  readonly within: string;
  readonly after: string;
  readonly before: string;
  readonly order: "newest" | "oldest";
}

/** The choices of `within`. */
export const spans: Readonly<Record<string, number>> = {
  "15m": 900_000,
  "1h": 3_600_000,
  "24h": 86_400_000,
  "7d": 604_800_000,
};

/** The states that a run is asked for by. */
export const states = [
  ...["initiated", "running", "paused", "stalled", "completed", "failed", "cancelled"],
  ...["deletion-requested", "deleted"],
] as const;

/** Rows of a page. */
export const pageSize = 50;

/** Reads the address. */
export function filterOf(params: URLSearchParams): RunFilter {
  const text = (name: string) => params.get(name) ?? "";
  return {
    definition: text("definition"),
    status: text("status"),
    states: params.getAll("state").filter((state) => (states as readonly string[]).includes(state)),
    key: text("key"),
    within: text("within") in spans || text("within") === "range" ? text("within") : "",
    after: text("after"),
    before: text("before"),
    order: text("order") === "oldest" ? "oldest" : "newest",
  };
}

/** What stands in the address. */
export function paramsOf(filter: RunFilter): Readonly<Record<string, string | readonly string[]>> {
  const { states, order, after, before, ...texts } = filter;
  const range = filter.within === "range" ? { after, before } : {};
  return { ...texts, ...range, state: states, order: order === "oldest" ? order : "" };
}

/** Whether it lets all runs through. */
export function isAll(filter: RunFilter): boolean {
  const { definition, status, states, key, within } = filter;
  return [definition, status, key, within].every((text) => text === "") && states.length === 0;
}

/** Whether it names a key, which the API finds within a definition only. */
export function isKeyOfAny({ key, definition }: RunFilter): boolean {
  return key !== "" && !key.endsWith("*") && definition === "";
}

/** The time that an input of the reader's zone means; absent: none. */
function instantOf(text: string): string | undefined {
  const at = Date.parse(text);
  return text === "" || Number.isNaN(at) ? undefined : new Date(at).toISOString();
}

/** What the API is asked of a filter, but for order and page. */
export function apiFilter(filter: RunFilter, now: number): {
  readonly definition?: string;
  readonly status?: string;
  readonly runState?: readonly string[];
  readonly key?: string;
  readonly keyPrefix?: string;
  readonly createdAfter?: string;
  readonly createdBefore?: string;
} {
  const { definition, status, states, key, within } = filter;
  const span = spans[within];
  const after = span === undefined
    ? within === "range" ? instantOf(filter.after) : undefined
    : new Date(now - span).toISOString();
  const before = within === "range" ? instantOf(filter.before) : undefined;
  return {
    ...(definition !== "" && { definition }),
    ...(status !== "" && { status }),
    ...(states.length > 0 && { runState: states }),
    ...(key.endsWith("*") ? { keyPrefix: key.slice(0, -1) } : key !== "" && { key }),
    ...(after !== undefined && { createdAfter: after }),
    ...(before !== undefined && { createdBefore: before }),
  };
}

/** A filter in words. */
export function filterText(filter: RunFilter): string {
  const { definition, status, states, key, within, after, before } = filter;
  const parts = [
    definition && `of ${definition}`,
    key && `with a key ${key.endsWith("*") ? "like " : ""}${key}`,
    status && `at ${status}`,
    states.length > 0 && `that are ${states.join(" or ")}`,
    within in spans && `created in the last ${within}`,
    within === "range" && after && `created after ${after.replace("T", " ")}`,
    within === "range" && before && `created before ${before.replace("T", " ")}`,
  ].filter(Boolean);
  return parts.length === 0 ? "all runs" : `all runs ${parts.join(", ")}`;
}
