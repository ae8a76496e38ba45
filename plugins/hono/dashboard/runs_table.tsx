/**
 * Runs as rows.
 *
 * @module
 */
import { Time } from "./now.tsx";
import { SkeletonRows, StateBadge } from "./parts.tsx";
import { hrefOf } from "./place.ts";
import type { ListedRun } from "./wire.ts";

/** The address of a run. */
export function runHref(
  { definition, key, runId }: Pick<ListedRun, "definition" | "key"> & { runId?: string },
) {
  return hrefOf(["runs", definition, key], { runId });
}

/** What the table shows. */
export interface RunsTableProps {
  /** Absent: they are not there yet. */
  readonly rows: readonly ListedRun[] | undefined;
  readonly selected: ReadonlyMap<string, ListedRun>;
  readonly order: "newest" | "oldest";
  setSelected(selected: ReadonlyMap<string, ListedRun>): void;
}

/** The table. */
export function RunsTable({ rows, selected, setSelected, order }: RunsTableProps) {
  const isAllSelected = rows !== undefined && rows.length > 0 &&
    rows.every(({ runId }) => selected.has(runId));
  function toggle(run: ListedRun) {
    const next = new Map(selected);
    if (!next.delete(run.runId)) next.set(run.runId, run);
    setSelected(next);
  }
  function toggleAll() {
    const next = new Map(selected);
    for (const run of rows ?? []) isAllSelected ? next.delete(run.runId) : next.set(run.runId, run);
    setSelected(next);
  }
  return (
    <table class="runs">
      <caption class="sr-only">Runs, {order} first</caption>
      <thead>
        <tr>
          <th class="check">
            <input
              type="checkbox"
              aria-label="Select all rows"
              checked={isAllSelected}
              onChange={toggleAll}
            />
          </th>
          <th scope="col">Key</th>
          <th scope="col" class="wide-only">Definition</th>
          <th scope="col" class="c-state">State</th>
          <th scope="col" class="wide-only c-status">Status</th>
          <th scope="col" class="desk-only c-note">Last error or reason</th>
          <th scope="col" class="desk-only c-time">Created</th>
          <th scope="col" class="c-time">Changed</th>
        </tr>
      </thead>
      <tbody>
        {rows === undefined && <SkeletonRows columns={8} rows={12} />}
        {rows?.map((run) => (
          <Row
            key={run.runId}
            run={run}
            isSelected={selected.has(run.runId)}
            toggle={() => toggle(run)}
          />
        ))}
      </tbody>
    </table>
  );
}

function Row(
  { run, isSelected, toggle }: {
    readonly run: ListedRun;
    readonly isSelected: boolean;
    toggle(): void;
  },
) {
  const note = noteOf(run);
  return (
    <tr class={isSelected ? "selected" : undefined}>
      <td class="check">
        <input type="checkbox" aria-label={`Select ${run.key}`} checked={isSelected} onChange={toggle} />
      </td>
      <td class="c-key">
        <a data-row href={runHref(run)} title={run.key}>{run.key}</a>
        <small class="narrow-only">{run.definition}</small>
      </td>
      <td class="wide-only clip" title={run.definition}>{run.definition}</td>
      <td>
        <StateBadge state={run.runState} />
        <small class="narrow-only clip">{run.status}</small>
      </td>
      <td class="wide-only clip" title={run.status}>{run.status}</td>
      <td class="desk-only clip muted" title={note}>{note}</td>
      <td class="desk-only">
        <Time at={run.createdAt} />
      </td>
      <td>
        <Time at={run.updatedAt} />
      </td>
    </tr>
  );
}

function noteOf({ lastError, reason, lock, attempt }: ListedRun): string {
  if (lastError) return `${attempt > 1 ? `${attempt}× ` : ""}${lastError.name}: ${lastError.message}`;
  if (reason !== undefined) return reason;
  return lock && !lock.tokens ? `waits for lock ${lock.names.join(", ")}` : "";
}
