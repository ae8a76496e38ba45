/**
 * What happened to a run, newest first, as it happens.
 *
 * @module
 */
import { useState } from "preact/hooks";
import { Empty, Panel } from "./parts.tsx";
import { absoluteText, clockText, durationText, exactText } from "./time_text.ts";
import type { History } from "./wire.ts";

/** Rows that are shown at first, and more with each press. */
const rowsShown = 100;

/** The table. */
export function HistoryTable(
  { rows, isCut }: { readonly rows: readonly History[]; readonly isCut: boolean },
) {
  const [onlyErrors, setOnlyErrors] = useState(false);
  const [most, setMost] = useState(rowsShown);
  const errors = rows.filter((row) => row.error);
  const chosen = (onlyErrors ? errors : rows).toReversed();
  const tools = (
    <label class="check">
      <input type="checkbox" checked={onlyErrors} onChange={() => setOnlyErrors(!onlyErrors)} />
      Only errors ({errors.length})
    </label>
  );
  return (
    <Panel title="Events" tools={tools}>
      {chosen.length === 0
        ? <Empty>{onlyErrors ? "No attempt has failed." : "There are none."}</Empty>
        : (
          <div class="table-box">
            <table class="events">
              <caption class="sr-only">Events of the run, newest first</caption>
              <thead>
                <tr>
                  <th scope="col" class="c-time">Time</th>
                  <th scope="col" class="c-kind">What</th>
                  <th scope="col">Details</th>
                  <th scope="col" class="wide-only c-state">By</th>
                  <th scope="col" class="wide-only num c-took">Took</th>
                </tr>
              </thead>
              <tbody>{chosen.slice(0, most).map((row) => <EventRow key={row.position} row={row} />)}</tbody>
            </table>
          </div>
        )}
      {chosen.length > most && (
        <button type="button" class="small" onClick={() => setMost(most + 500)}>
          Show more ({chosen.length - most} are hidden)
        </button>
      )}
      {isCut && (
        <p class="muted">This run has more events than are shown here; the API's history gives them all.</p>
      )}
    </Panel>
  );
}

function EventRow({ row }: { readonly row: History }) {
  const at = Date.parse(row.at);
  return (
    <tr class={row.error ? "has-error" : undefined}>
      <td class="when" title={exactText(at)}>
        <span class="wide-only muted">{`${absoluteText(at).slice(5, 10)} `}</span>
        {clockText(at)}
      </td>
      <td>
        <span class={`kind kind-${row.kind}`}>{row.kind}</span>
      </td>
      <td class="wrap">
        {row.from !== undefined && row.to !== undefined && row.from !== row.to
          ? <span>{row.from} → {row.to}</span>
          : <span class="muted">{row.to ?? row.from ?? ""}</span>}
        {row.error && (
          <span class="error-text">
            {row.error.name}: {row.error.message}
            {row.error.code && <code>{row.error.code}</code>}
          </span>
        )}
        {row.reason !== undefined && <span class="reason">{row.reason}</span>}
        {row.durationMs !== undefined && <small class="narrow-only">{durationText(row.durationMs)}</small>}
        {row.kind === "error" && <small class="muted">attempt {row.attempt}</small>}
      </td>
      <td class="wide-only muted">{row.by}{row.name === undefined ? "" : ` ${row.name}`}</td>
      <td class="wide-only num muted">{row.durationMs === undefined ? "" : durationText(row.durationMs)}</td>
    </tr>
  );
}
