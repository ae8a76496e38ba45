/**
 * What the demo tells at its end, as text.
 *
 * @module
 */
import type { Tally } from "./run_orders.ts";

/** What the report is about, beside the tally. */
export interface Totals {
  /** Steps whose effect this process made. */
  readonly steps: number;
  /** Requests that the ledger had heard before. */
  readonly absorbed: number;
  /** From the first step to the last end of an order. */
  readonly stepSeconds: number;
  /** The whole of it. */
  readonly seconds: number;
  /** Effects in the ledger, by this and earlier processes. */
  readonly effects: number;
  /** Effects that the ledger holds again: a harm. */
  readonly twice: number;
  readonly ledger: string;
}

/**
 * Tells what became of the orders.
 *
 * @param tally What became of them.
 * @param totals Times and counts.
 * @returns Text of several lines.
 */
export function report(tally: Tally, totals: Totals): string {
  const sections = [
    already(tally),
    table(tally),
    setAside(tally),
    badLines(tally),
    summary(tally, totals),
  ];
  return sections.filter((section) => section !== "").join("\n\n") + "\n";
}

function already({ created, found }: Tally): string {
  if (found === 0) return "";
  const rest = created === 0 ? "" : `; ${orders(created)} ${created === 1 ? "is" : "are"} new`;
  return `${orders(found)} ${found === 1 ? "was" : "were"} already there${rest}`;
}

function table({ byState, settled, created, found }: Tally): string {
  const open = created + found - settled;
  const rows = [...byState].map(([state, count]) => [...state.split(" "), String(count)]);
  rows.sort((a, b) => Number(b[2]) - Number(a[2]));
  if (open > 0) rows.push(["(under way)", "", String(open)]);
  const all = [["status", "run state", "orders"], ...rows, ["total", "", String(created + found)]];
  const widths = [0, 1, 2].map((column) => Math.max(...all.map((row) => row[column]!.length)));
  const lines = all.map((row) =>
    [row[0]!.padEnd(widths[0]!), row[1]!.padEnd(widths[1]!), row[2]!.padStart(widths[2]!)].join("  ")
  );
  const rule = widths.map((width) => "-".repeat(width)).join("  ");
  return [lines[0], rule, ...lines.slice(1, -1), rule, lines.at(-1)].join("\n");
}

function setAside({ setAside }: Tally): string {
  if (setAside.length === 0) return "";
  const lines = setAside
    .toSorted((a, b) => a.key < b.key ? -1 : 1)
    .map(({ key, status, attempts, error }) =>
      `  ${printable(key)}: paused at "${status}" after ${attempts} attempts: ${printable(error)}`
    );
  return [`${orders(lines.length)} set aside (the others did not wait for them):`, ...lines].join("\n");
}

function badLines({ bad }: Tally): string {
  if (bad.length === 0) return "";
  const lines = bad
    .toSorted((a, b) => a.line - b.line)
    .map(({ line, problem }) => `  line ${line}: ${printable(problem)}`);
  return [`${number(bad.length)} bad ${bad.length === 1 ? "line" : "lines"} passed over:`, ...lines].join(
    "\n",
  );
}

function summary({ settled }: Tally, totals: Totals): string {
  const { steps, absorbed, stepSeconds, seconds, ledger, effects, twice } = totals;
  const rate = steps === 0 ? "" : ` (${number(Math.round(steps / Math.max(stepSeconds, 0.001)))} steps/s)`;
  return [
    `${orders(settled)} in ${seconds.toFixed(2)} s, ${number(steps)} steps${rate}`,
    `repeated deliveries absorbed: ${number(absorbed)}`,
    `effects in ${ledger}: ${number(effects)}, ${twice === 0 ? "no step" : `${number(twice)} STEPS`} twice`,
  ].join("\n");
}

function orders(count: number): string {
  return `${number(count)} ${count === 1 ? "order" : "orders"}`;
}

function number(value: number): string {
  return value.toLocaleString("en-US");
}

/** Text of a stranger's, safe for a terminal: nothing that moves the cursor, changes colours or hides, and not long. */
function printable(text: string): string {
  const short = text.length <= 300 ? text : `${text.slice(0, 300)}...`;
  return short.replace(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
    (char) => `\\u{${char.codePointAt(0)!.toString(16)}}`,
  );
}
