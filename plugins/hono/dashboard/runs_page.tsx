/**
 * The table of runs.
 *
 * @module
 */
import { useMemo, useState } from "preact/hooks";
import { BulkDialog, type BulkTarget } from "./bulk_dialog.tsx";
import { useDefinitions } from "./definitions.ts";
import { listRuns } from "./list_runs.ts";
import { Empty, ErrorNote } from "./parts.tsx";
import { go, hrefOf, type Place } from "./place.ts";
import { usePolled } from "./poll.ts";
import { RunFilters } from "./run_filters.tsx";
import { filterOf, filterText, isAll, isKeyOfAny, paramsOf, type RunFilter } from "./run_filter.ts";
import { runVerbs, verbTexts } from "./run_verbs.ts";
import { RunsTable } from "./runs_table.tsx";
import { TriggerDialog } from "./trigger_dialog.tsx";
import type { ListedRun, RunVerb } from "./wire.ts";

/** The cursor of the page before each, as far as this visit knows them. */
const cursorBefore = new Map<string, string>();

/** The page. */
export function RunsPage({ place }: { readonly place: Place }) {
  const definitions = useDefinitions();
  const filter = filterOf(place.params);
  const cursor = place.params.get("cursor") ?? "";
  const [selected, setSelected] = useState<ReadonlyMap<string, ListedRun>>(new Map());
  const [bulk, setBulk] = useState<{ verb: RunVerb; target: BulkTarget }>();
  const [isTriggering, setTriggering] = useState(false);
  const names = useMemo(() => definitions.map(({ name }) => name), [definitions]);
  // A key alone is searched for in each definition.
  const searched = isKeyOfAny(filter) ? names.join() : "";
  const question = JSON.stringify([filter, cursor, searched]);
  const { data, error, isStale, refresh } = usePolled(
    question,
    (signal) => listRuns(filter, cursor, names, signal),
    (page) => page.isCut ? (cursor === "" ? 10_000 : 0) : 2_000,
  );

  const setCursor = (next: string) => go(hrefOf(["runs"], { ...paramsOf(filter), cursor: next }));
  function goOn() {
    if (data?.cursor === undefined) return;
    cursorBefore.set(data.cursor, cursor);
    setCursor(data.cursor);
  }
  const rows = data?.items ?? [];
  // What was selected may have changed since.
  const latest = new Map(rows.map((run) => [run.runId, run]));
  const target: BulkTarget = selected.size > 0
    ? { kind: "runs", runs: [...selected.values()].map((run) => latest.get(run.runId) ?? run) }
    : { kind: "filter", filter };
  return (
    <>
      <div class="page-head">
        <h1>Runs</h1>
        <button type="button" class="primary" onClick={() => setTriggering(true)}>Trigger a run</button>
      </div>
      <RunFilters filter={filter} />
      <BulkBar
        selected={selected.size}
        canDoAll={filter.definition !== "" && selected.size === 0}
        clear={() => setSelected(new Map())}
        act={(verb) => setBulk({ verb, target })}
      />
      {error && !data ? <ErrorNote error={error} retry={refresh} /> : (
        <>
          <div class={isStale ? "table-box stale" : "table-box"}>
            <RunsTable
              rows={data && rows}
              selected={selected}
              setSelected={setSelected}
              order={filter.order}
            />
          </div>
          {data && rows.length === 0 && <Empty>{emptyText(filter, data.isCut)}</Empty>}
        </>
      )}
      <Pager
        shown={rows.length}
        hasPrevious={cursor !== ""}
        hasNext={data?.cursor !== undefined}
        isCut={data?.isCut ?? false}
        failing={data ? error : undefined}
        previous={() => setCursor(cursorBefore.get(cursor) ?? "")}
        next={goOn}
      />
      {bulk && <BulkDialog {...bulk} onClose={() => setBulk(undefined)} />}
      {isTriggering && <TriggerDialog definition={filter.definition} onClose={() => setTriggering(false)} />}
    </>
  );
}

function emptyText(filter: RunFilter, isCut: boolean): string {
  if (isCut) return "None found so far; there may be some further on.";
  if (isAll(filter)) return "There are no runs yet. Trigger one, and it shows up here by itself.";
  return `There are no runs for this filter (${filterText(filter)}).`;
}

function BulkBar(
  { selected, canDoAll, clear, act }: {
    readonly selected: number;
    readonly canDoAll: boolean;
    clear(): void;
    act(verb: RunVerb): void;
  },
) {
  const isReady = selected > 0 || canDoAll;
  return (
    <div class="bulk" role="group" aria-label="Actions on many runs">
      <span class="muted">
        {selected > 0
          ? `${selected} selected`
          : canDoAll
          ? "All that match"
          : "Select runs, or choose a definition"}
      </span>
      {runVerbs.map((verb) => (
        <button
          key={verb}
          type="button"
          class="small"
          disabled={!isReady}
          onClick={() => act(verb)}
        >
          {selected === 0 && canDoAll ? verbTexts[verb].labelOfAll : verbTexts[verb].label} …
        </button>
      ))}
      {selected > 0 && <button type="button" class="small quiet" onClick={clear}>Clear selection</button>}
    </div>
  );
}

function Pager(
  { shown, hasPrevious, hasNext, isCut, failing, previous, next }: {
    readonly shown: number;
    readonly hasPrevious: boolean;
    readonly hasNext: boolean;
    readonly isCut: boolean;
    readonly failing: Error | undefined;
    previous(): void;
    next(): void;
  },
) {
  return (
    <nav class="pager" aria-label="Pages">
      <button type="button" disabled={!hasPrevious} onClick={previous}>Previous</button>
      <button type="button" disabled={!hasNext} onClick={next}>{isCut ? "Look further" : "Next"}</button>
      <span class="muted" role="status">
        {failing
          ? `Not up to date: ${failing.message}`
          : `${shown} ${shown === 1 ? "run" : "runs"} on this page`}
      </span>
    </nav>
  );
}
