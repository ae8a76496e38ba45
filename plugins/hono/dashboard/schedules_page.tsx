/**
 * The schedules.
 *
 * @module
 */
import { ask, queryOf } from "./api.ts";
import { Time } from "./now.tsx";
import { Empty, ErrorNote, SkeletonRows } from "./parts.tsx";
import { hrefOf } from "./place.ts";
import { usePolled } from "./poll.ts";
import { recurrenceText } from "./recurrence_text.ts";
import type { Page, Schedule } from "./wire.ts";

/** Schedules that are asked for at most. */
const schedulesMax = 500;

/** The page. */
export function SchedulesPage() {
  const path = `schedules${queryOf({ limit: schedulesMax })}`;
  const { data, error, refresh } = usePolled(path, (signal) => ask<Page<Schedule>>(path, { signal }), 5_000);
  return (
    <>
      <div class="page-head">
        <h1>Schedules</h1>
      </div>
      {error && <ErrorNote error={error} retry={refresh} />}
      {!(error && !data) && (
        <div class="table-box">
          <table>
            <caption class="sr-only">Schedules</caption>
            <thead>
              <tr>
                <th scope="col">Schedule</th>
                <th scope="col" class="wide-only">Starts</th>
                <th scope="col" class="wide-only">When</th>
                <th scope="col" class="c-state">State</th>
                <th scope="col" class="c-time">Next</th>
                <th scope="col" class="desk-only num c-counts">Started / skipped / missed / failed</th>
              </tr>
            </thead>
            <tbody>
              {!data && <SkeletonRows columns={6} rows={4} />}
              {data?.items.map((schedule) => <Row key={schedule.id} schedule={schedule} />)}
            </tbody>
          </table>
        </div>
      )}
      {data?.items.length === 0 && <Empty>There are no schedules. The engine's code creates them.</Empty>}
      {data?.cursor !== undefined && <p class="muted">The first {schedulesMax} are shown.</p>}
    </>
  );
}

function Row({ schedule }: { readonly schedule: Schedule }) {
  const { id, definition, recurrence, enabled, next, counts, note } = schedule;
  return (
    <tr>
      <td class="c-key">
        <a data-row href={hrefOf(["schedules", id])} title={id}>{id}</a>
        <small class="narrow-only">{recurrenceText(recurrence)}</small>
        {note !== undefined && <small class="wide-only">{note}</small>}
      </td>
      <td class="wide-only clip">{definition}</td>
      <td class="wide-only clip" title={recurrenceText(recurrence)}>{recurrenceText(recurrence)}</td>
      <td>
        <span class={enabled ? "badge state-running" : "badge state-paused"}>
          {enabled ? "on" : "paused"}
        </span>
      </td>
      <td>{enabled ? <Time at={next} /> : <span class="muted">–</span>}</td>
      <td class="desk-only num">
        {counts.started} / {counts.skipped} / {counts.missed} /{" "}
        <span class={counts.failed > 0 ? "bad" : undefined}>{counts.failed}</span>
      </td>
    </tr>
  );
}
