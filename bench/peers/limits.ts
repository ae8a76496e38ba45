/**
 * What the machine bears without an engine, measured in the same rounds.
 *
 * @module
 */
import { ask, inBrowsers } from "../browser.ts";
import type { Node } from "./packages.ts";
import { figure, median, table } from "./report.ts";

/** Per second each. */
export type Limits = Readonly<Record<string, number>>;

const meanings = [
  ["fsyncs", "4 KiB appended and fdatasync, one after another", "fsyncs/s"],
  ["rowsAlone", "one row of 430 bytes per transaction, libSQL file, full sync", "rows/s"],
  ["rowsBatched", "2,048 such rows per transaction", "rows/s"],
  ["bareFile", "Pawl's libSQL store alone, with the rows of 3-step runs", "steps/s"],
  ["bareMemory", "Pawl's memory store alone, with the same rows", "steps/s"],
  ["idbStrict", "IndexedDB in Chromium, one put per transaction, strict", "transactions/s"],
  ["idbRelaxed", "the same, relaxed", "transactions/s"],
  ["idbPuts", "IndexedDB, 300 puts per transaction, relaxed", "puts/s"],
  ["idbSteps", "Pawl on IndexedDB, 1,000 3-step runs, 100 at a time, relaxed (its default)", "steps/s"],
] as const;

async function inChromium(short: boolean): Promise<Limits> {
  const ms = short ? 300 : 1_000;
  let limits: Limits = {};
  await inBrowsers(async (page) => {
    const idbStrict = await ask(page, "raw", "strict", 1, ms);
    const idbRelaxed = await ask(page, "raw", "relaxed", 1, ms);
    const idbPuts = await ask(page, "raw", "relaxed", 300, ms);
    const { rate } = await ask(page, "measure", "normal", { runs: short ? 200 : 1_000, concurrency: 100 });
    limits = { idbStrict, idbRelaxed, idbPuts, idbSteps: rate };
  }, ["chrome"]);
  return limits;
}

/** Measures them once. */
export async function measureLimits(
  node: Node,
  parent: string,
  signal: AbortSignal,
  short: boolean,
): Promise<Limits> {
  const folder = await Deno.makeTempDir({ dir: parent });
  const disk = await node("limits.ts", { folder, seconds: short ? 0.3 : 1 }, signal) as Limits;
  await Deno.remove(folder, { recursive: true });
  return { ...disk, ...await inChromium(short) };
}

/** The table of them. */
export function limitsReport(all: readonly Limits[]): string {
  const rows = meanings.flatMap(([name, meaning, unit]) => {
    const values = all.flatMap((each) => each[name] ?? []);
    if (values.length === 0) return [];
    const spread = `${figure(Math.min(...values))} to ${figure(Math.max(...values))}`;
    return [[meaning, `${figure(median(values))} ${unit} (${spread})`]];
  });
  return `What the machine bears\n\n${table(["what", "median (least to most)"], rows)}`;
}
