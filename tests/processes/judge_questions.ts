/**
 * Promises 1, 2, 5 and 7: what was asked, what was answered, and what became of it.
 *
 * @module
 */
import type { Report, Talk } from "./judge_case.ts";
import { ended, type Lives } from "./judge_lives.ts";
import type { Asked, Hooked, Told } from "./ledger.ts";
import { removed } from "./machines.ts";

/** Promises 1 and 2: triggers and runs, one to one. */
export function checkTriggers(talk: Talk, lives: Lives, report: Report): void {
  const asked = talk.byToken("trigger");
  const made = Map.groupBy(lives.values(), (life) => life.view.data.token);
  for (const [token, questions] of asked) {
    const say = (problem: string, runId?: string) => report(1, `trigger ${token}: ${problem}`, runId);
    const answers = questions.map((each) => talk.told.get(each.id)).filter((each) => each !== undefined);
    const { key, definition } = questions[0]!;
    for (const { runId } of answers) {
      const view = lives.get(runId!)?.view;
      if (!view) {
        if (definition !== removed.name) say(`run ${runId} was acknowledged, and is not there`, runId);
      } else if (view.data.token !== token || view.key !== key) {
        say(`run ${runId} was acknowledged, but is that of ${view.data.token}`, runId);
      }
    }
    if (new Set(answers.map((each) => each.runId)).size > 1) say("got several runs", answers[0]!.runId);
    if (answers.filter((each) => each.created).length > 1) say("created more than once", answers[0]!.runId);
    const runs = made.get(token) ?? [];
    const [first] = runs;
    if (runs.length > 1) say(`made runs ${runs.map((life) => life.view.runId)}`, first!.view.runId);
    if (first && questions.every((each) => talk.surelyNot(each))) {
      const { code } = talk.refused.get(questions[0]!.id)!;
      say(`refused with ${code}, but run ${first.view.runId} is there`, first.view.runId);
    }
  }
  for (const [token, [life]] of made) {
    const { runId } = life!.view;
    if (!asked.has(token)) report(2, `run ${runId}: nobody asked for its token ${token}`, runId);
  }
}

/** Promise 5: what was acknowledged stands in the history, and was not overwritten. */
export function checkVerbs(talk: Talk, lives: Lives, report: Report): void {
  const kinds: Readonly<Record<string, string>> = {
    pause: "pause",
    resume: "resume",
    cancel: "cancel",
    delete: "delete-request",
  };
  for (const { id, verb, definition } of talk.asked) {
    const told = talk.told.get(id);
    const kind = kinds[verb];
    if (!told || (kind === undefined && verb !== "await")) continue;
    const say = (problem: string) => report(5, `${verb} ${id}: ${problem}`, told.runId);
    const life = lives.get(told.runId!);
    if (!life) {
      if (definition !== removed.name) say(`run ${told.runId} is not there`);
    } else if (verb === "await") {
      // Who is told late may be told that it was deleted since.
      const isDeletion = told.state === "deletion-requested" || told.state === "deleted";
      const isTrue = isDeletion ? !ended.has(life.view.runState) : told.state === life.end?.runState;
      if (!isTrue) say(`run ${told.runId} ended ${told.state}, and is ${life.view.runState}`);
    } else {
      const row = life.changes.find((each) => each.version === told.version);
      if (row?.kind !== kind) say(`version ${told.version} of run ${told.runId} is a ${row?.kind}`);
    }
  }
}

/** Promise 7: a callback is applied once, or not at all. */
export function checkCallbacks(talk: Talk, lives: Lives, report: Report): void {
  const asked = talk.byToken("callback");
  const applied = new Map<string, string[]>();
  for (const { view } of lives.values()) {
    for (const token of view.data.called) applied.set(token, [...applied.get(token) ?? [], view.runId]);
  }
  for (const [token, questions] of asked) {
    const runs = applied.get(token) ?? [];
    const say = (problem: string, runId?: string) => report(7, `callback ${token}: ${problem}`, runId);
    if (runs.length > 1) say(`applied ${runs.length} times, to ${[...new Set(runs)]}`, runs[0]);
    for (const told of answersOf(talk, questions)) {
      if (!told.applied || runs.includes(told.runId!)) continue;
      say(`acknowledged, but run ${told.runId} has not taken it`, told.runId);
    }
    if (runs.length > 0 && questions.every((each) => talk.surelyNot(each))) {
      say(`refused, but run ${runs[0]} has taken it`, runs[0]);
    }
  }
  for (const [token, [runId]] of applied) {
    if (!asked.has(token)) report(7, `run ${runId}: nobody asked for callback ${token}`, runId);
  }
}

function answersOf(talk: Talk, questions: readonly Asked[]): Told[] {
  return questions.map((each) => talk.told.get(each.id)).filter((each) => each !== undefined);
}

/** Promise 13: a run that was to be removed is gone with all its rows, but not before it had ended. */
export function checkRemoved(
  talk: Talk,
  lives: Lives,
  { hooks, runIds }: { readonly hooks: readonly Hooked[]; readonly runIds: ReadonlyMap<string, string> },
  report: Report,
): void {
  const farewells = new Map(
    hooks.filter((each) => each.definition === removed.name && each.phase === "ended").map((
      each,
    ) => [each.runId, each]),
  );
  const acknowledged = talk.asked
    .filter(({ verb, definition }) => verb === "trigger" && definition === removed.name)
    .map(({ id }) => talk.told.get(id)?.runId).filter((each) => each !== undefined);
  for (const runId of new Set([...acknowledged, ...farewells.keys()])) {
    const say = (problem: string) => report(13, `run ${runId}: ${problem}`, runId);
    if (lives.has(runId)) {
      say("it is still there");
      continue;
    }
    const farewell = farewells.get(runId);
    if (!farewell) say("it was acknowledged, and is gone, and nobody was told of its end");
    else if (farewell.kind === "complete" && farewell.landed.join() !== `${runId}:1`) {
      say(`it ended with the work of ${farewell.landed}, want ${runId}:1`);
    } else if (farewell.kind === "cancel" && !talk.mayHave("cancel", runId)) say("nobody cancelled it");
    const left = runIds.get(runId);
    if (left !== undefined) say(`it is gone, but row ${left} speaks of it`);
  }
}
