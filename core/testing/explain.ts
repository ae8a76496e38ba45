import type { HistoryRow } from "../parts/history.ts";
import type { RunError } from "../parts/run_record.ts";
import type { RunView } from "../engine/run_view.ts";

/** Rows of history that an explanation shows; what came before them is told as a number. */
const rowsMax = 20;

/**
 * Tells where a run is and how it got there, for whoever reads a failed test.
 *
 * @param run The run.
 * @param history What happened to it.
 * @returns Lines of text.
 */
export function explain(run: RunView, history: readonly HistoryRow[]): string {
  const { status, runState, reason, attempt, lastError, timers = [], updatedAt } = run;
  const facts = [
    `It is ${runState} at "${status}" since ${updatedAt.toISOString()}${because(reason)}`,
    attempt > 0 ? `its step has failed ${attempt} times in a row` : undefined,
    lastError && `last error: ${errorText(lastError)}`,
    ...timers.map(({ name, at }) => `timer "${name}" is due at ${at.toISOString()}`),
    `data: ${JSON.stringify(run.data)}`,
  ];
  const rows = history.slice(-rowsMax).map(rowText);
  const skipped = history.length - rows.length;
  const title = skipped > 0 ? `History, without its first ${skipped} rows:` : "History:";
  return [facts.filter((fact) => fact !== undefined).join("; "), title, ...rows].join("\n");
}

function rowText({ at, kind, by, name, from, to, reason, error }: HistoryRow): string {
  const who = name === undefined ? by : `${by} "${name}"`;
  const way = [from, to].filter((status) => status !== undefined).join(" -> ");
  const why = error ? `: ${errorText(error)}` : because(reason);
  return `  ${at.toISOString()} ${kind} by ${who}${way && ` ${way}`}${why}`;
}

function errorText({ name, message, code }: RunError): string {
  return `${name}: ${message}${code === undefined ? "" : ` (${code})`}`;
}

function because(reason: string | undefined): string {
  return reason === undefined ? "" : `, because: ${reason}`;
}
