/**
 * Asks for a page of runs.
 *
 * @module
 */
import { ask, queryOf } from "./api.ts";
import { apiFilter, isKeyOfAny, pageSize, type RunFilter } from "./run_filter.ts";
import type { ListedRun, Page } from "./wire.ts";

/** A page, and whether all that a page may look at was looked at. */
export interface RunsPage extends Page<ListedRun> {
  /** It is short, and there may be more behind it. */
  readonly isCut: boolean;
}

/** Requests for one page, whose filter may let few runs pass: first, and where somebody wants to look further. */
const requestsMax = 4;
const requestsFurtherMax = 40;

/**
 * @param filter Which runs.
 * @param cursor From the page before; empty: the first.
 * @param definitions Where a key is searched for when the filter names no definition.
 */
export async function listRuns(
  filter: RunFilter,
  cursor: string,
  definitions: readonly string[],
  signal: AbortSignal,
): Promise<RunsPage> {
  if (isKeyOfAny(filter)) return await findKey(filter, definitions, signal);
  const items: ListedRun[] = [];
  const query = apiFilter(filter, Date.now());
  let next: string | undefined = cursor;
  const most = cursor === "" ? requestsMax : requestsFurtherMax;
  for (let n = 0; n < most && next !== undefined && items.length < pageSize; n++) {
    const limit = pageSize - items.length;
    const path: string = `runs${queryOf({ ...query, order: filter.order, limit, cursor: next })}`;
    const page: Page<ListedRun> = await ask(path, { signal });
    items.push(...page.items);
    next = page.cursor;
  }
  const isCut = next !== undefined && items.length < pageSize;
  return { items, isCut, ...(next !== undefined && { cursor: next }) };
}

/** The API finds keys within a definition. */
async function findKey(
  filter: RunFilter,
  definitions: readonly string[],
  signal: AbortSignal,
): Promise<RunsPage> {
  const pages = await Promise.all(definitions.map(async (definition) => {
    const query = {
      ...apiFilter({ ...filter, definition }, Date.now()),
      order: filter.order,
      limit: pageSize,
    };
    return await ask<Page<ListedRun>>(`runs${queryOf(query)}`, { signal });
  }));
  const sign = filter.order === "oldest" ? 1 : -1;
  const items = pages.flatMap((page) => page.items)
    .sort((a, b) => sign * (Date.parse(a.createdAt) - Date.parse(b.createdAt)));
  return {
    items: items.slice(0, pageSize),
    isCut: items.length > pageSize || pages.some(({ cursor }) => cursor),
  };
}
