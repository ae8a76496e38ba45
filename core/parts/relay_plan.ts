/**
 * In which order the rows of a log are sent: those of one run one after another, those of different runs together.
 *
 * @module
 */
import type { LoggedChange } from "./run_log.ts";

/** Rows for one topic. */
export interface TopicGroup {
  readonly topic: string;
  readonly rows: readonly LoggedChange[];
}

/**
 * Cuts a piece of a log into waves. A wave has of each run what comes next for one topic, so a run's events go out in
 * order as long as a wave is sent before the next, whatever the order of sends in it.
 *
 * @param rows Rows in the order of the log.
 * @returns The waves, each with one group per topic.
 */
export function wavesOf(rows: readonly LoggedChange[]): readonly (readonly TopicGroup[])[] {
  const waves: Map<string, LoggedChange[]>[] = [];
  const last = new Map<string, { readonly wave: number; readonly topic: string }>();
  for (const row of rows) {
    const before = last.get(row.runId);
    const wave = before === undefined ? 0 : before.topic === row.topic ? before.wave : before.wave + 1;
    last.set(row.runId, { wave, topic: row.topic });
    const groups = waves[wave] ??= new Map();
    const group = groups.get(row.topic);
    if (group) group.push(row);
    else groups.set(row.topic, [row]);
  }
  return waves.map((groups) => [...groups].map(([topic, group]) => ({ topic, rows: group })));
}
