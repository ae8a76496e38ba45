/**
 * The judge: compares what the ledger says has happened with what the store says has happened. It knows nothing of how
 * the engine works, only what it promises:
 *
 * 1. An acknowledged trigger has its run, and that run has ended as its machine demands.
 * 2. Nobody asked for nothing: each run was asked for, and one question makes at most one run.
 * 3. A run's history is whole, and no transition of it was committed twice.
 * 4. A committed step has had its effect, and effects are those of steps that exist.
 * 5. An acknowledged pause, resume, cancel or await is true.
 * 6. A key never has two unfinished runs.
 *
 * Effects may come twice, as a step whose process dies before its result is stored runs again. They are counted.
 *
 * @module
 */
import type { HistoryRow, RunView } from "pawl";
import type { Asked, Began, Effect, Line, Refused, Told } from "./ledger.ts";
import { ends, type Trail } from "./machines.ts";

/** A run as the store has it. */
export interface StoredRun {
  readonly view: RunView<Trail>;
  /** All of its history, oldest first. */
  readonly rows: readonly HistoryRow[];
}

/** What the judge found. */
export interface Verdict {
  /** Broken promises; none, or something is wrong. */
  readonly violations: readonly string[];
  /** What was seen how often. */
  readonly counts: Readonly<Record<string, number>>;
}

/** A run with what its history says of its steps. */
interface Life extends StoredRun {
  /** The status of each visit, the first at index 1. */
  readonly statuses: readonly string[];
  /** The steps whose results have landed, in order. */
  readonly landed: readonly string[];
  /** When it ended, by the clock that all processes share. */
  readonly endedAt: number;
}

const finished: ReadonlySet<string> = new Set(["completed", "failed", "cancelled"]);

/**
 * Judges a fleet that has come to rest.
 *
 * @param lines The ledger.
 * @param runs Every run of the store.
 * @returns What is wrong, and what was seen.
 */
export function judge(lines: readonly Line[], runs: readonly StoredRun[]): Verdict {
  const violations: string[] = [];
  const report = (problem: string) => void violations.push(problem);
  const lives = new Map(runs.map((run) => [run.view.runId, lifeOf(run, report)]));
  const talk = new Talk(lines);
  checkTriggers(talk, lives, report);
  checkVerbs(talk, lives, report);
  for (const life of lives.values()) checkEnd(talk, life, report);
  checkEffects(lines, lives, report);
  checkKeys(lives, report);
  return { violations, counts: countsOf(lines, lives) };
}

type Report = (problem: string) => void;

/** What was asked, and what was answered. */
class Talk {
  readonly asked: readonly Asked[];
  readonly told: ReadonlyMap<string, Told>;
  readonly refused: ReadonlyMap<string, Refused>;

  constructor(lines: readonly Line[]) {
    this.asked = lines.filter((line) => line.what === "asked");
    this.told = new Map(lines.filter((line) => line.what === "told").map((line) => [line.id, line]));
    this.refused = new Map(lines.filter((line) => line.what === "refused").map((line) => [line.id, line]));
  }

  /** Whether it surely was not done, and never will be. Without an answer, as when its client died, nothing is sure. */
  surelyNot({ id }: Asked): boolean {
    const refusal = this.refused.get(id);
    return refusal !== undefined && refusal.code !== "OUTCOME_UNKNOWN";
  }
}

/** Promise 3: walks through the history of a run. */
function lifeOf({ view, rows }: StoredRun, report: Report): Life {
  const { runId } = view;
  const changes = rows.filter((row) => row.kind !== "late");
  const statuses = ["", changes[0]?.to ?? ""];
  const landed: string[] = [];
  let landedWhilePaused = 0;
  changes.forEach((row, index) => {
    const before = changes[index - 1];
    const status = statuses.at(-1)!;
    if (row.version !== index + 1) report(`run ${runId}: change ${index + 1} has version ${row.version}`);
    if ((row.kind === "trigger") !== (index === 0)) {
      report(`run ${runId}: change ${index + 1} is ${row.kind}`);
    }
    if (before && finished.has(before.runState)) {
      report(`run ${runId}: ${row.kind} after it was ${before.runState}`);
    }
    if (index > 0 && row.from !== undefined && row.from !== status) {
      report(`run ${runId}: ${row.kind} leaves "${row.from}", but the run was at "${status}"`);
    }
    const isLanding = row.by === "step" && row.kind !== "error";
    if (isLanding) landed.push(`${runId}:${statuses.length - 1}`);
    landedWhilePaused = before?.runState !== "paused" ? 0 : landedWhilePaused + (isLanding ? 1 : 0);
    if (landedWhilePaused > 1) report(`run ${runId}: two steps landed while it was paused`);
    if (row.kind === "move") statuses.push(row.to!);
    if (row.kind === "repeat") statuses.push(status);
  });
  if (view.version !== changes.length) {
    report(`run ${runId}: version ${view.version} with ${changes.length} changes in history`);
  }
  if (view.status !== statuses.at(-1)) {
    report(`run ${runId}: it is at "${view.status}", but its history leads to "${statuses.at(-1)}"`);
  }
  // The data is written by user code, once per execution: a result that landed twice, or not at all, shows here.
  if (view.data.landed.join() !== landed.join()) {
    report(`run ${runId}: its data holds the work of ${view.data.landed}; its history of ${landed}`);
  }
  return { view, rows, statuses, landed, endedAt: changes.at(-1)?.at.getTime() ?? 0 };
}

/** Promises 1 and 2: triggers and runs, one to one. */
function checkTriggers(talk: Talk, lives: ReadonlyMap<string, Life>, report: Report): void {
  const asked = Map.groupBy(talk.asked.filter((each) => each.verb === "trigger"), (each) => each.token!);
  const made = Map.groupBy(lives.values(), (life) => life.view.data.token);
  for (const [token, questions] of asked) {
    const answers = questions.map((each) => talk.told.get(each.id)).filter((each) => each !== undefined);
    for (const { runId } of answers) {
      const view = lives.get(runId)?.view;
      if (!view) report(`trigger ${token}: run ${runId} was acknowledged, and is not there`);
      else if (view.data.token !== token || view.key !== questions[0]!.key) {
        report(`trigger ${token}: run ${runId} was acknowledged, but is that of ${view.data.token}`);
      }
    }
    if (new Set(answers.map((each) => each.runId)).size > 1) report(`trigger ${token}: got several runs`);
    if (answers.filter((each) => each.created).length > 1) report(`trigger ${token}: created more than once`);
    const runs = made.get(token) ?? [];
    if (runs.length > 1) report(`trigger ${token}: made runs ${runs.map((life) => life.view.runId)}`);
    if (runs.length > 0 && questions.every((each) => talk.surelyNot(each))) {
      const { code } = talk.refused.get(questions[0]!.id)!;
      report(`trigger ${token}: refused with ${code}, but run ${runs[0]!.view.runId} is there`);
    }
  }
  for (const [token, [life]] of made) {
    if (!asked.has(token)) report(`run ${life!.view.runId}: nobody asked for its token ${token}`);
  }
}

/** Promise 1: a run has ended where its machine leads, unless somebody may have cancelled it. */
function checkEnd(talk: Talk, { view }: Life, report: Report): void {
  const { runId, definition, status, runState } = view;
  if (!finished.has(runState)) return report(`run ${runId}: it is ${runState} at "${status}" for ever`);
  if (runState === "cancelled") {
    const cancels = talk.asked.filter((each) => each.verb === "cancel" && each.runId === runId);
    if (cancels.every((each) => talk.surelyNot(each))) report(`run ${runId}: nobody cancelled it`);
    return;
  }
  const [wishedStatus, wishedState] = ends[definition]![view.data.wish];
  if (status === wishedStatus && runState === wishedState) return;
  report(
    `run ${runId}: "${definition}" ended ${runState} at "${status}", want ${wishedState} at "${wishedStatus}"`,
  );
}

/** Promise 5: what was acknowledged stands in the history, and was not overwritten. */
function checkVerbs(talk: Talk, lives: ReadonlyMap<string, Life>, report: Report): void {
  for (const { id, verb } of talk.asked) {
    const told = talk.told.get(id);
    if (!told || verb === "trigger") continue;
    const life = lives.get(told.runId);
    if (!life) report(`${verb} ${id}: run ${told.runId} is not there`);
    else if (verb === "await") {
      if (told.state !== life.view.runState) {
        report(`await ${id}: run ${told.runId} ended ${told.state}, and is ${life.view.runState}`);
      }
    } else {
      const row = life.rows.find((each) => each.version === told.version && each.kind !== "late");
      if (row?.kind !== verb) {
        report(`${verb} ${id}: version ${told.version} of run ${told.runId} is a ${row?.kind}`);
      }
    }
  }
}

/** Promise 4: effects and committed steps. */
function checkEffects(lines: readonly Line[], lives: ReadonlyMap<string, Life>, report: Report): void {
  const begun = new Set<string>();
  const effects = new Map<string, number>();
  const begunAfterEnd = new Set<string>();
  for (const line of lines) {
    if (line.what !== "began" && line.what !== "effect") continue;
    const { stepId, by } = line;
    const [runId, visit] = stepId.split(":");
    const life = lives.get(runId!);
    const status = life?.statuses[Number(visit)];
    if (life === undefined || status === undefined) {
      report(`step ${stepId}: ${by} ran it, but there is no such visit`);
      continue;
    }
    if (line.what === "began") {
      begun.add(beginning(line));
      if (line.at <= life.endedAt) continue;
      // Who owned it may not know yet that it has ended; but it learns so at the end of that attempt.
      const name = `${by} ${runId}`;
      if (begunAfterEnd.has(name)) report(`step ${stepId}: ${by} began again after the run had ended`);
      begunAfterEnd.add(name);
    } else {
      if (!begun.has(beginning(line))) report(`step ${stepId}: ${by} made an effect of no attempt`);
      if (line.status !== status || line.key !== life.view.key) {
        report(`step ${stepId}: ran as "${line.status}" of "${line.key}", but visit ${visit} is "${status}"`);
      }
      effects.set(stepId, (effects.get(stepId) ?? 0) + 1);
    }
  }
  for (const { landed } of lives.values()) {
    for (const [stepId, times] of Map.groupBy(landed, (each) => each)) {
      const seen = effects.get(stepId) ?? 0;
      if (seen < times.length) report(`step ${stepId}: landed ${times.length} times with ${seen} effects`);
    }
  }
}

const beginning = ({ by, stepId, attempt }: Began | Effect) => `${by} ${stepId} ${attempt}`;

/** Promise 6: positions are versions of the shard, so they put the runs of one key into an order. */
function checkKeys(lives: ReadonlyMap<string, Life>, report: Report): void {
  const byKey = Map.groupBy(lives.values(), ({ view }) => `${view.definition} ${view.key}`);
  for (const [key, runs] of byKey) {
    const spans = runs.map(({ view, rows }) => ({
      runId: view.runId,
      from: rows[0]?.position ?? 0,
      to: rows.findLast((row) => row.kind !== "late")?.position ?? 0,
    })).sort((a, b) => a.from - b.from);
    spans.slice(1).forEach((span, index) => {
      const before = spans[index]!;
      if (span.from <= before.to) {
        report(`key ${key}: runs ${before.runId} and ${span.runId} were both unfinished`);
      }
    });
  }
}

function countsOf(lines: readonly Line[], lives: ReadonlyMap<string, Life>): Record<string, number> {
  const runs = [...lives.values()];
  const count = (what: Line["what"]) => lines.filter((line) => line.what === what).length;
  const rows = (kind: HistoryRow["kind"]) =>
    runs.reduce((sum, run) => sum + run.rows.filter((row) => row.kind === kind).length, 0);
  const effects = count("effect");
  const landings = runs.reduce((sum, run) => sum + run.landed.length, 0);
  const unknown = lines.filter((line) => line.what === "refused" && line.code === "OUTCOME_UNKNOWN").length;
  return {
    asked: count("asked"),
    acknowledged: count("told"),
    refused: count("refused") - unknown,
    unknown,
    runs: runs.length,
    "steps landed": landings,
    effects,
    "effects done again": effects - landings,
    "failed attempts": rows("error"),
    "late results": rows("late"),
    "suspects started": rows("interrupted"),
  };
}
