/**
 * Lives of runs, as their histories tell them: promises 3 and 6, where a run has ended, and what its data must hold.
 *
 * @module
 */
import type { HistoryRow } from "pawl";
import type { Report, StoredRun, Talk } from "./judge_case.ts";
import { endOf, timersOfExpired } from "./machines.ts";

/** A run with what its history says of it. */
export interface Life extends StoredRun {
  /** Its history without what came late: a row for each version, the first at index 0. */
  readonly changes: readonly HistoryRow[];
  /** The status of each visit, the first at index 1. */
  readonly statuses: readonly string[];
  /** The steps whose results have landed, in order. */
  readonly landed: readonly string[];
  /** The timers that have fired, in order, by their `stepId`. */
  readonly fired: readonly string[];
  /** How many callbacks were applied. */
  readonly called: number;
  /** How it ended, before it was deleted; absent: it has not. */
  readonly end: HistoryRow | undefined;
  /** When it ended, by the clock that all processes share. */
  readonly endedAt: number;
}

/** All lives, by their run. */
export type Lives = ReadonlyMap<string, Life>;

/** States that a run ends in. */
export const ended: ReadonlySet<string> = new Set(["completed", "failed", "cancelled"]);
const erasing: ReadonlySet<string> = new Set(["delete-request", "error", "delete"]);

/** Promise 3: walks through the history of a run. */
export function lifeOf({ view, rows }: StoredRun, report: Report): Life {
  const { runId } = view;
  const say = (problem: string) => report(3, `run ${runId}: ${problem}`, runId);
  const walk = new Walk(runId, say);
  const changes = rows.filter((row) => row.kind !== "late");
  changes.forEach((row, index) => walk.step(row, index, changes[index - 1]));
  const { statuses, landed, fired, called } = walk;
  if (view.version !== changes.length) {
    say(`version ${view.version} with ${changes.length} changes in history`);
  }
  if (view.status !== statuses.at(-1)) {
    say(`it is at "${view.status}", but its history leads to "${statuses.at(-1)}"`);
  }
  if (view.runState !== changes.at(-1)?.runState) {
    say(`it is ${view.runState}, but its history ends ${changes.at(-1)?.runState}`);
  }
  const end = changes.find((row) => ended.has(row.runState));
  return {
    ...{ view, rows, changes, statuses, landed, fired, called, end },
    endedAt: (end ?? changes.at(-1))?.at.getTime() ?? 0,
  };
}

/** Follows the changes of a run. */
class Walk {
  readonly statuses: string[] = [""];
  readonly landed: string[] = [];
  readonly fired: string[] = [];
  called = 0;
  readonly #rounds = new Map<string, number>();
  readonly #runId: string;
  readonly #say: (problem: string) => void;
  #landedWhilePaused = 0;

  constructor(runId: string, say: (problem: string) => void) {
    this.#runId = runId;
    this.#say = say;
  }

  step(row: HistoryRow, index: number, before: HistoryRow | undefined): void {
    const status = this.statuses.at(-1)!;
    if (row.version !== index + 1) this.#say(`change ${index + 1} has version ${row.version}`);
    if ((row.kind === "trigger") !== (index === 0)) this.#say(`change ${index + 1} is ${row.kind}`);
    if (before) this.#checkEnd(row, before);
    if (index > 0 && row.from !== undefined && row.from !== status) {
      this.#say(`${row.kind} leaves "${row.from}", but the run was at "${status}"`);
    }
    const isLanding = row.kind !== "error" &&
      (row.by === "step" || row.by === "timer" || row.by === "callback");
    if (isLanding) this.#land(row);
    this.#landedWhilePaused = before?.runState !== "paused"
      ? 0
      : this.#landedWhilePaused + (isLanding ? 1 : 0);
    if (this.#landedWhilePaused > 1) this.#say("two steps landed while it was paused");
    if (isLanding && row.by === "callback" && before?.runState === "paused") {
      this.#say("a callback was applied while it was paused");
    }
    if (row.kind === "trigger" || row.kind === "move") this.statuses.push(row.to ?? "");
    if (row.kind === "repeat") this.statuses.push(status);
  }

  #checkEnd(row: HistoryRow, before: HistoryRow): void {
    const isOver = ended.has(before.runState) ? row.kind !== "delete-request" : false;
    const isErasing = before.runState === "deletion-requested" && !erasing.has(row.kind);
    if (isOver || isErasing || before.runState === "deleted") {
      this.#say(`${row.kind} after it was ${before.runState}`);
    }
  }

  #land(row: HistoryRow): void {
    const visit = `${this.#runId}:${this.statuses.length - 1}`;
    if (row.by === "step") this.landed.push(visit);
    if (row.by === "callback") this.called++;
    if (row.by !== "timer") return;
    const timer = `${visit}:${row.name}`;
    const round = this.#rounds.get(timer) ?? 0;
    this.fired.push(`${timer}:${round}`);
    this.#rounds.set(timer, round + 1);
  }
}

/** Promises 3, 7 and 8: the data is written by user code, once per execution: what landed twice, or not at all, shows. */
export function checkData({ view, landed, fired, called }: Life, report: Report): void {
  const { runId, data } = view;
  const compare = (promise: number, what: string, has: readonly string[], wants: readonly string[]) => {
    if (has.join() === wants.join()) return;
    report(promise, `run ${runId}: its data holds ${what} ${has}; its history that of ${wants}`, runId);
  };
  compare(3, "the work of", data.landed, landed);
  compare(8, "the firing of", data.fired, fired);
  if (data.called.length !== called) {
    const problem = `run ${runId}: its data holds ${data.called.length} callbacks, its history ${called}`;
    report(7, problem, runId);
  }
}

/** Promises 1 and 8: a run has ended where its machine leads, unless somebody may have cancelled it. */
export function checkEnd(talk: Talk, { view, end, statuses, fired }: Life, report: Report): void {
  const { runId, definition, status, runState, data } = view;
  const say = (problem: string, promise = 1) => report(promise, `run ${runId}: ${problem}`, runId);
  if (!end) return say(`it is ${runState} at "${status}" for ever`);
  if (end.runState === "cancelled") {
    if (!talk.mayHave("cancel", runId)) say("nobody cancelled it");
    return;
  }
  const [wishedStatus, wishedState] = endOf(definition, data);
  if (status !== wishedStatus || end.runState !== wishedState) {
    const wish = `want ${wishedState} at "${wishedStatus}"`;
    return say(`"${definition}" ended ${end.runState} at "${status}", ${wish}`);
  }
  if (status !== "expired") return;
  const waited = statuses.length - 2;
  for (const timer of timersOfExpired) {
    if (!fired.includes(`${runId}:${waited}:${timer}`)) say(`timer ${timer} never fired`, 8);
  }
}

/** Promise 6: positions are versions of the shard, so they put the runs of one key into an order. */
export function checkKeys(lives: Lives, report: Report): void {
  const byKey = Map.groupBy(lives.values(), ({ view }) => `${view.definition} ${view.key}`);
  for (const [key, runs] of byKey) {
    const spans = runs.map(({ view, rows, end }) => ({
      runId: view.runId,
      from: rows[0]?.position ?? 0,
      to: (end ?? rows.findLast((row) => row.kind !== "late"))?.position ?? 0,
    })).sort((a, b) => a.from - b.from);
    spans.slice(1).forEach((span, index) => {
      const before = spans[index]!;
      if (span.from > before.to) return;
      report(6, `key ${key}: runs ${before.runId} and ${span.runId} were both unfinished`, span.runId);
    });
  }
}
