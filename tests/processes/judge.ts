/**
 * The judge: compares what the ledger says has happened with what the store says has happened. It knows nothing of how
 * the engine works, only what it promises:
 *
 * 0. (The ledger itself is whole.)
 * 1. An acknowledged trigger has its run, and that run has ended as its machine demands.
 * 2. Nobody asked for nothing: each run was asked for, and one question makes at most one run.
 * 3. A run's history is whole, and no transition of it was committed twice.
 * 4. What was committed has had its effect, effects are those of visits that exist, and none is made again without a cause.
 * 5. An acknowledged pause, resume, cancel, deletion or await is true.
 * 6. A key never has two unfinished runs.
 * 7. An acknowledged callback was applied exactly once, a refused one never, any other at most once.
 * 8. A timer fires once, never early, and is never lost.
 * 9. A hook is run to its end for each change that it is to hear of, for no other, and not again without a cause.
 * 10. What was deleted is nowhere in the store, and nothing else was deleted.
 * 11. Each transition is told to streams at least once, in the order of its run, and nothing else is.
 * 12. An acknowledged event is handled by its connector at least once, in the order of its key.
 * 13. A run that was to be removed is gone with all its rows, but not before its end was told.
 * 14. Once all has come to rest, nothing begins.
 *
 * Effects may come twice, as user code whose process dies before its result is stored runs again. They are counted.
 *
 * @module
 */
import { type Case, Talk, type Violation } from "./judge_case.ts";
import { countsOf } from "./judge_counts.ts";
import { checkAgain, checkEffects, checkRest, checkTimers } from "./judge_effects.ts";
import { checkHooks } from "./judge_hooks.ts";
import { checkData, checkEnd, checkKeys, lifeOf, type Lives } from "./judge_lives.ts";
import { checkCallbacks, checkRemoved, checkTriggers, checkVerbs } from "./judge_questions.ts";
import { checkConnectors, checkStreams } from "./judge_streams.ts";
import { damageOf } from "./ledger_reader.ts";
import { removed } from "./machines.ts";

/** What the judge found. */
export interface Verdict {
  /** Broken promises; none, or something is wrong. */
  readonly violations: readonly Violation[];
  /** What was seen how often. */
  readonly counts: Readonly<Record<string, number>>;
}

/**
 * Judges a fleet that has come to rest.
 *
 * @param about What is known of it.
 * @returns What is wrong, and what was seen.
 */
export function judge(about: Case): Verdict {
  const { lines, torn, runs, scan } = about;
  const violations: Violation[] = [];
  const report = (promise: number, problem: string, runId?: string) =>
    void violations.push({ promise, problem, ...(runId !== undefined && { runId }) });
  for (const damage of damageOf(lines, torn)) report(0, damage);
  const lives: Lives = new Map(runs.map((run) => [run.view.runId, lifeOf(run, report)]));
  const talk = new Talk(lines);
  const hooks = lines.filter((line) => line.what === "hook");
  checkTriggers(talk, lives, report);
  checkVerbs(talk, lives, report);
  checkCallbacks(talk, lives, report);
  for (const life of lives.values()) {
    checkData(life, report);
    checkEnd(talk, life, report);
  }
  const gone = new Set(
    hooks.filter(({ definition }) => definition === removed.name).map((each) => each.runId),
  );
  checkEffects(lines, lives, (runId) => gone.has(runId), report);
  checkAgain(lines, lives, report);
  checkTimers(lines, report);
  checkKeys(lives, report);
  checkHooks(lines, lives, report);
  checkDeleted(about, talk, lives, report);
  checkStreams(lines, lives, report);
  checkConnectors(talk, lines, report);
  checkRemoved(talk, lives, { hooks, runIds: scan.runIds }, report);
  checkRest(lines, report);
  return { violations, counts: countsOf(lines, [...lives.values()], talk) };
}

/** Promise 10. */
function checkDeleted(
  { scan }: Case,
  talk: Talk,
  lives: Lives,
  report: (promise: number, problem: string, runId?: string) => void,
): void {
  const owners = new Set<string>();
  for (const { view: { runId, runState, data } } of lives.values()) {
    owners.add(data.token);
    const say = (problem: string) => report(10, `run ${runId}: ${problem}`, runId);
    const found = scan.secrets.get(data.token);
    if (runState === "deletion-requested") say("its data was never erased");
    else if (runState !== "deleted") {
      if (found === undefined) say("its secret is gone, and nobody has deleted it");
      if (talk.asked.some((each) => each.verb === "delete" && talk.told.get(each.id)?.runId === runId)) {
        say(`its deletion was acknowledged, and it is ${runState}`);
      }
    } else if (!talk.mayHave("delete", runId)) say("nobody asked for its deletion");
    else if (found !== undefined) say(`its data was deleted, and its secret is in row ${found}`);
  }
  for (const [token, key] of scan.secrets) {
    if (!owners.has(token)) report(10, `row ${key} holds the secret of ${token}, whose run is gone`);
  }
}
