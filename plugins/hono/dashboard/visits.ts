/**
 * A run's history as visits: how long it was at each status, and what was tried there.
 *
 * @module
 */
import type { History } from "./wire.ts";

/** What was done, or waited for, during a part of a visit. */
export interface Bar {
  readonly kind: "done" | "failed" | "skipped" | "late" | "paused" | "lock";
  readonly from: number;
  /** Absent: it goes on. */
  readonly to?: number;
  readonly text: string;
}

/** A stay at a status. */
export interface Visit {
  readonly status: string;
  readonly from: number;
  /** Absent: the run is there. */
  readonly to?: number;
  readonly bars: readonly Bar[];
  /** Attempts that came to an end. */
  readonly attempts: number;
  readonly failures: number;
  /** The run ended here. */
  readonly isLast: boolean;
}

type Draft = { -readonly [Name in keyof Visit]: Visit[Name] } & { bars: Bar[] };

const ended: ReadonlySet<string> = new Set([
  "completed",
  "failed",
  "cancelled",
  "terminated",
  "deletion-requested",
  "deleted",
]);

/** Whether a run in this state has ended. */
export function isEnded(runState: string): boolean {
  return ended.has(runState);
}

/**
 * @param rows The history, oldest first; its front must be there, its end need not.
 * @returns The visits, in order.
 */
export function visitsOf(rows: readonly History[]): readonly Visit[] {
  const visits: Draft[] = [];
  for (const row of rows) {
    const at = Date.parse(row.at);
    const visit = visits.at(-1);
    if (visit && row.kind !== "late") closeWaits(visit, row, at);
    const bar = barOf(row, at);
    if (visit && bar) visit.bars.push(bar);
    if (visit && row.durationMs !== undefined && row.kind !== "late") visit.attempts++;
    if (visit && row.kind === "error") visit.failures++;
    const to = row.kind === "trigger" || row.kind === "move" ? row.to : undefined;
    if (to !== undefined) {
      if (visit) visit.to ??= at;
      visits.push({ status: to, from: at, bars: [], attempts: 0, failures: 0, isLast: false });
    }
    const current = visits.at(-1);
    if (current && isEnded(row.runState) && !current.isLast) Object.assign(current, { to: at, isLast: true });
  }
  return visits;
}

/** What a row ends: a pause by whatever lets the run go on or ends it, the wait for a lock by its grant. */
function closeWaits(visit: Draft, row: History, at: number): void {
  const goesOn = row.runState !== "paused";
  visit.bars = visit.bars.map((bar) => {
    if (bar.to !== undefined) return bar;
    const isOver = bar.kind === "paused" ? goesOn : row.kind !== "lock-waits";
    return isOver ? { ...bar, to: at } : bar;
  });
}

function barOf(row: History, at: number): Bar | undefined {
  const by = row.name === undefined ? row.by : `${row.by} ${row.name}`;
  const from = at - (row.durationMs ?? 0);
  switch (row.kind) {
    case "move":
      return { kind: "done", from, to: at, text: `${by}: to ${row.to}` };
    case "repeat":
    case "rearm":
      return { kind: "done", from, to: at, text: `${by}: ${row.kind}` };
    case "skip":
      return { kind: "skipped", from, to: at, text: `${by}: skip` };
    case "error":
      return { kind: "failed", from, to: at, text: `${by}: ${row.error?.message ?? "failed"}` };
    case "fail":
    case "cancel":
    case "terminate":
      return { kind: "failed", from, to: at, text: `${by}: ${row.reason ?? row.kind}` };
    case "late":
      return { kind: "late", from, to: at, text: `${by}: too late, discarded` };
    case "pause":
    case "stall":
      return { kind: "paused", from: at, text: row.reason ?? row.kind };
    case "lock-waits":
      return { kind: "lock", from: at, text: `waits for lock ${row.name ?? ""}` };
    default:
      return undefined;
  }
}
