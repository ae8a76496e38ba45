/**
 * A JSON value as the rows of a tree, and the search in it.
 *
 * @module
 */

/** A row of the tree. */
export interface JsonRow {
  /** The names that lead there, each escaped as in a JSON Pointer. */
  readonly path: string;
  readonly depth: number;
  /** Its name in what it is part of; absent for the whole. */
  readonly name?: string;
  readonly kind: "object" | "array" | "string" | "number" | "boolean" | "null" | "more";
  /** A scalar as text; of what has parts, how many. */
  readonly text: string;
  /** Absent: it has no parts. */
  readonly isOpen?: boolean;
  /** Its name or value has what is searched for. */
  readonly isHit: boolean;
}

/** What decides which rows there are. */
export interface JsonView {
  /** What the reader has opened (`true`) or closed (`false`). */
  readonly toggled: ReadonlyMap<string, boolean>;
  /** What is searched for; empty: nothing. */
  readonly search: string;
  /** Parts of one value that are shown at most, by its path. */
  readonly shown?: ReadonlyMap<string, number>;
}

/** Parts that are shown of a value at first. */
export const partsShown = 200;

/** Values that a search looks at: a page must answer while somebody types. */
const searchMax = 100_000;

/** Depth down to which a tree is open at first. */
const openDepth = 2;

const escapeName = (name: string) => name.replaceAll("~", "~0").replaceAll("/", "~1");

function partsOf(value: unknown): readonly (readonly [name: string, part: unknown])[] | undefined {
  if (Array.isArray(value)) return value.map((part, n) => [String(n), part] as const);
  return typeof value === "object" && value !== null ? Object.entries(value) : undefined;
}

/** @returns The paths of what has the text in its name or value. */
export function searchJson(value: unknown, search: string): ReadonlySet<string> {
  const hits = new Set<string>();
  const wanted = search.trim().toLowerCase();
  if (wanted === "") return hits;
  const rest: [path: string, name: string, value: unknown][] = [["", "", value]];
  for (let seen = 0; rest.length > 0 && seen < searchMax; seen++) {
    const [path, name, each] = rest.pop()!;
    const parts = partsOf(each);
    if (name.toLowerCase().includes(wanted) || (!parts && String(each).toLowerCase().includes(wanted))) {
      hits.add(path);
    }
    for (const [part, value] of parts ?? []) rest.push([`${path}/${escapeName(part)}`, part, value]);
  }
  return hits;
}

/** Every path above those given. */
function pathsAbove(paths: ReadonlySet<string>): ReadonlySet<string> {
  const above = new Set<string>();
  for (const path of paths) {
    for (let at = path.lastIndexOf("/"); at >= 0; at = path.lastIndexOf("/", at - 1)) {
      const parent = path.slice(0, at);
      if (above.has(parent)) break;
      above.add(parent);
      if (at === 0) break;
    }
  }
  return above;
}

/**
 * @param value What JSON can carry.
 * @param view What is open, and what is searched for: then only what has it is shown, with all that leads there.
 * @returns The rows that are to be seen, in order.
 */
export function jsonRows(value: unknown, view: JsonView): readonly JsonRow[] {
  const isSearch = view.search.trim() !== "";
  const hits = searchJson(value, view.search);
  const above = pathsAbove(hits);
  const rows: JsonRow[] = [];
  const add = (path: string, depth: number, name: string | undefined, each: unknown, isIn: boolean) => {
    const isHit = hits.has(path);
    const isWithin = isIn || isHit;
    if (isSearch && !isWithin && !above.has(path)) return;
    const parts = partsOf(each);
    const isOpenAtFirst = isSearch ? above.has(path) : depth < openDepth;
    const isOpen = parts && parts.length > 0 ? view.toggled.get(path) ?? isOpenAtFirst : undefined;
    rows.push({
      ...{
        path,
        depth,
        isHit,
        kind: kindOf(each),
        text: parts ? countText(each, parts.length) : scalarText(each),
      },
      ...(name !== undefined && { name }),
      ...(isOpen !== undefined && { isOpen }),
    });
    if (!isOpen) return;
    const most = view.shown?.get(path) ?? partsShown;
    // A search shows every hit, so that none is overlooked.
    const seen = isSearch ? parts! : parts!.slice(0, most);
    for (const [part, value] of seen) add(`${path}/${escapeName(part)}`, depth + 1, part, value, isWithin);
    const left = parts!.length - seen.length;
    if (left > 0) rows.push({ path, depth: depth + 1, kind: "more", text: `${left} more`, isHit: false });
  };
  add("", 0, undefined, value, false);
  return rows;
}

function kindOf(value: unknown): JsonRow["kind"] {
  if (value === null || value === undefined) return "null";
  if (Array.isArray(value)) return "array";
  const type = typeof value;
  return type === "object" || type === "string" || type === "number" || type === "boolean" ? type : "null";
}

function countText(value: unknown, count: number): string {
  if (Array.isArray(value)) return count === 0 ? "[ ]" : `[ ${count} ]`;
  return count === 0 ? "{ }" : `{ ${count} }`;
}

function scalarText(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value ?? null);
}
