/**
 * A run and its history, followed as they grow.
 *
 * @module
 */
import { useEffect, useReducer, useRef } from "preact/hooks";
import { ask, pathOf, queryOf } from "./api.ts";
import { usePolled } from "./poll.ts";
import type { History, Page, Run } from "./wire.ts";
import { type LinkState, useEvents } from "./watch.ts";

/** Rows of history that a page holds; a run that loops for ever has more. */
export const historyMax = 5_000;

const rowsPerRequest = 1_000;

/** What is known of a run. */
export interface RunFeed {
  readonly run: Run | undefined;
  readonly rows: readonly History[];
  /** There are more rows than are held. */
  readonly isCut: boolean;
  readonly error: Error | undefined;
  readonly link: LinkState;
  refresh(): void;
}

/**
 * Adds rows that may have come before.
 *
 * @returns All of them once, by position.
 */
export function mergeRows(known: readonly History[], found: readonly History[]): readonly History[] {
  const last = known.at(-1)?.position ?? -1;
  const isNew = found.every(({ position }, n) => position > (found[n - 1]?.position ?? last));
  if (isNew) return found.length === 0 ? known : [...known, ...found];
  const all = new Map([...known, ...found].map((row) => [row.position, row]));
  return [...all.values()].sort((a, b) => a.position - b.position);
}

/** Reads on behind the rows that are known. */
async function readOn(
  base: string,
  runId: string,
  known: readonly History[],
  signal: AbortSignal,
): Promise<{ rows: readonly History[]; isCut: boolean }> {
  let rows = known;
  while (rows.length < historyMax) {
    const query = queryOf({ runId, after: rows.at(-1)?.position, limit: rowsPerRequest });
    const { items } = await ask<Page<History>>(`${base}/history${query}`, { signal });
    rows = mergeRows(rows, items);
    if (items.length < rowsPerRequest) return { rows, isCut: false };
  }
  return { rows, isCut: true };
}

interface Known {
  readonly run?: Run;
  readonly rows: readonly History[];
  readonly isCut: boolean;
}

/** The newer of two views: an answer may be overtaken by an event. */
function newer(before: Run | undefined, after: Run): Run {
  return before && before.runId === after.runId && before.version > after.version ? before : after;
}

/** Follows a run: by its events while they come, by asking now and then in any case. */
export function useRun(definition: string, key: string, runId: string | undefined): RunFeed {
  const base = `runs/${pathOf(definition, key)}`;
  const [known, change] = useReducer<Known, (known: Known) => Known>((known, by) => by(known), {
    rows: [],
    isCut: false,
  });
  const latest = useRef(known);
  latest.current = known;
  const question = `${base}?${runId ?? ""}`;
  const watched = runId ?? known.run?.runId;

  const hear = (name: string, data: unknown) => {
    // The key has a later run by now.
    if (latest.current.run?.runId !== watched) return;
    if (name === "run") change((known) => ({ ...known, run: newer(known.run, data as Run) }));
    else {
      change((known) => known.isCut ? known : { ...known, rows: mergeRows(known.rows, [data as History]) });
    }
  };
  const path = () => {
    const after = latest.current.rows.at(-1)?.position;
    return `${base}/watch${queryOf({ runId: watched, after })}`;
  };
  // The first answer tells which run it is, and spares the events of all that has been.
  const isKnown = known.run !== undefined && watched !== undefined;
  const link = useEvents(isKnown ? path : undefined, ["history", "run"], hear, isKnown ? watched : "");
  const isTold = link === "open" || (link === "ended" && known.run?.runState !== "deletion-requested");
  const polled = usePolled(question, async (signal) => {
    const run = await ask<Run>(`${base}${queryOf({ runId })}`, { signal });
    const isSame = latest.current.run?.runId === run.runId;
    const found = await readOn(base, run.runId, isSame ? latest.current.rows : [], signal);
    change((known) => {
      const rows = isSame ? mergeRows(known.rows, found.rows) : found.rows;
      return { run: newer(known.run, run), rows, isCut: found.isCut };
    });
    return run.runId;
  }, isTold ? 15_000 : 2_000);
  useEffect(() => {
    document.title = `${key} · ${definition} · Pawl`;
  }, [definition, key]);
  return { ...known, run: known.run, error: polled.error, link, refresh: polled.refresh };
}
