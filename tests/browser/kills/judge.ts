/**
 * Compares what pages told while they died with what the store says at last.
 *
 * @module
 */
import type { Filed } from "../pages/tab.ts";
import { wholeWay } from "../tab.ts";
import type { Ledger } from "./ledger.ts";

/** What is known of a storm that is over. */
export interface Evidence extends Ledger {
  /** Every run of the store. */
  readonly runs: readonly Filed[];
  /** What `admin.verify()` found. */
  readonly findings: readonly unknown[];
}

/**
 * Judges a storm.
 *
 * @returns What was promised and not kept: no acknowledged trigger is lost, every run has ended by its whole way, no step
 * has landed twice, and what landed had its effect, under one step id however often it was repeated.
 */
export function judge({ acks, effects, runs, findings }: Evidence): readonly string[] {
  const violations = findings.map((finding) => {
    const text = JSON.stringify(finding);
    const run = runs.find(({ runId }) => text.includes(runId));
    return `the store is not sound: ${text}${run ? `, its history: ${run.kinds.join(", ")}` : ""}`;
  });
  const known = new Map(runs.map((run) => [run.runId, run]));
  for (const { key, runId } of acks) {
    if (known.get(runId)?.key !== key) {
      violations.push(`the trigger of ${key} was acknowledged, and run ${runId} is lost`);
    }
  }
  const { idsOf, problems } = stepIds(effects);
  violations.push(...problems);
  for (const { runId } of effects) {
    if (!known.has(runId)) violations.push(`run ${runId} had an effect, and is lost`);
  }
  for (const run of runs) violations.push(...wrongWith(run, idsOf));
  return [...new Set(violations)];
}

/** Which step id each visit had. */
function stepIds(effects: Ledger["effects"]) {
  const idsOf = new Map<string, string>();
  const visitOf = new Map<string, string>();
  const problems: string[] = [];
  for (const { runId, status, stepId } of effects) {
    const visit = `${runId} at ${status}`;
    const before = idsOf.get(visit);
    if (before !== undefined && before !== stepId) {
      problems.push(`${visit} had the step ids ${before} and ${stepId}`);
    }
    const other = visitOf.get(stepId);
    if (other !== undefined && other !== visit) {
      problems.push(`step id ${stepId} is of ${other} and of ${visit}`);
    }
    idsOf.set(visit, stepId);
    visitOf.set(stepId, visit);
  }
  return { idsOf, problems };
}

function wrongWith(
  { runId, key, runState, moves, data }: Filed,
  idsOf: ReadonlyMap<string, string>,
): string[] {
  const wrong: string[] = [];
  if (runState !== "completed") wrong.push(`run ${runId} of ${key} is ${runState}`);
  if (moves.join() !== wholeWay.join()) wrong.push(`run ${runId} went ${moves.join(", ")}`);
  const done = data.seen.map((each) => each.split(" in ")[0]);
  const landed = moves.map((move) => move.split(" > ")[0]!);
  if (done.join() !== landed.join()) {
    wrong.push(`the data of run ${runId} is of ${done.join()}, not of ${landed.join()}`);
  }
  for (const status of landed) {
    if (!idsOf.has(`${runId} at ${status}`)) {
      wrong.push(`${status} of run ${runId} has landed without an effect`);
    }
  }
  return wrong;
}
