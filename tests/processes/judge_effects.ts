/**
 * Promises 4, 8 and 14: what user code did, and when.
 *
 * @module
 */
import type { Report } from "./judge_case.ts";
import { Harm } from "./judge_harm.ts";
import type { Life, Lives } from "./judge_lives.ts";
import type { Began, Effect, Line } from "./ledger.ts";
import { timers } from "./machines.ts";

/** Promise 4: effects and what was committed. `isGone` tells of a run that was to be removed. */
export function checkEffects(
  lines: readonly Line[],
  lives: Lives,
  isGone: (runId: string) => boolean,
  report: Report,
): void {
  const begun = new Set<string>();
  const effects = new Map<string, number>();
  const begunAfterEnd = new Set<string>();
  for (const line of lines) {
    if (line.what !== "began" && line.what !== "effect") continue;
    const { stepId, by } = line;
    const [runId, visit] = stepId.split(":") as [string, string];
    const say = (problem: string) => report(4, `step ${stepId}: ${problem}`, runId);
    const life = lives.get(runId);
    const status = life?.statuses[Number(visit)];
    if (life === undefined && isGone(runId)) continue;
    if (life === undefined || status === undefined) {
      say(`${by} ran it, but there is no such visit`);
    } else if (line.what === "began") {
      begun.add(beginning(line));
      // A callback looks at the run itself, and may be late for it.
      if (line.at <= life.endedAt || line.lane === "callback") continue;
      // Who owned it may not know yet that it has ended; but it learns so at the end of that attempt.
      const name = `${by} ${runId}`;
      if (begunAfterEnd.has(name)) say(`${by} began again after the run had ended`);
      begunAfterEnd.add(name);
    } else {
      if (!begun.has(beginning(line))) say(`${by} made an effect of no attempt`);
      if (line.status !== status || line.key !== life.view.key) {
        say(`ran as "${line.status}" of "${line.key}", but visit ${visit} is "${status}"`);
      }
      const made = line.lane === "callback" ? `${runId} ${line.token}` : stepId;
      effects.set(made, (effects.get(made) ?? 0) + 1);
    }
  }
  for (const life of lives.values()) checkMade(life, effects, report);
}

/** What was committed was done. */
function checkMade(
  { view, landed, fired }: Life,
  effects: ReadonlyMap<string, number>,
  report: Report,
): void {
  const { runId } = view;
  const calls = view.data.called.map((token) => `${runId} ${token}`);
  for (const [made, times] of Map.groupBy([...landed, ...fired, ...calls], (each) => each)) {
    const seen = effects.get(made) ?? 0;
    if (seen >= times.length) continue;
    report(4, `step ${made}: landed ${times.length} times with ${seen} effects`, runId);
  }
}

/** Its step is run again when it has landed and left its run where it was. */
const takesUp = "round";

/**
 * Promise 4: what has had its effect is not done again without a cause. What fits no more when it lands, as a callback has
 * changed the data, is one, and stands in the history.
 */
export function checkAgain(lines: readonly Line[], lives: Lives, report: Report): void {
  const harm = new Harm(lines);
  const made = new Map<string, Effect>();
  const again = new Map<string, Began[]>();
  for (const line of lines) {
    if (line.what === "effect" && line.lane !== "callback") made.set(line.stepId, line);
    if (line.what !== "began") continue;
    const before = made.get(line.stepId);
    if (before && !harm.excuses(before, line)) {
      again.set(line.stepId, [...again.get(line.stepId) ?? [], line]);
    }
    made.delete(line.stepId);
  }
  for (const [stepId, begun] of again) {
    const [runId] = stepId.split(":") as [string];
    const life = lives.get(runId);
    if (!life || life.view.definition === takesUp) continue;
    const late = life.rows.filter((row) => row.kind === "late").length;
    if (begun.length <= late) continue;
    report(4, `step ${stepId}: ${begun.map(({ by }) => by)} began it, which had had its effect`, runId);
  }
}

const beginning = ({ by, stepId, attempt }: Began | Effect) => `${by} ${stepId} ${attempt}`;

/** Promise 8: no timer fires early. Of attempts of what set it, the first is taken, as any of them may have landed. */
export function checkTimers(lines: readonly Line[], report: Report): void {
  const firstEffect = new Map<string, number>();
  for (const line of lines) {
    if (line.what === "effect" && !firstEffect.has(line.stepId)) firstEffect.set(line.stepId, line.at);
  }
  for (const line of lines) {
    if (line.what !== "began" || line.lane !== "timer") continue;
    const [runId, visit, name, round] = line.stepId.split(":") as [string, string, string, string];
    const [setBy, after] = Number(round) > 0
      ? [`${runId}:${visit}:${name}:${Number(round) - 1}`, timers.remind.rearm]
      : [`${runId}:${Number(visit) - 1}`, timers[name as keyof typeof timers].after];
    const setAt = firstEffect.get(setBy);
    const say = (problem: string) => report(8, `timer ${line.stepId}: ${problem}`, runId);
    if (setAt === undefined) say("it fired, but nothing had set it");
    else if (line.at < setAt + after) say(`it fired after ${line.at - setAt} ms, want ${after}`);
  }
}

/** Promise 14: nothing begins any more once all has come to rest, until another process is started. */
export function checkRest(lines: readonly Line[], report: Report): void {
  let isAtRest = false;
  for (const line of lines) {
    if (line.what === "event" && line.name === "rest") isAtRest = true;
    if (line.what === "event" && line.name === "start") isAtRest = false;
    if (!isAtRest) continue;
    if (line.what === "began") {
      const [runId] = line.stepId.split(":");
      report(14, `step ${line.stepId}: ${line.by} began it after all had come to rest`, runId);
    }
    if (line.what === "hook") {
      const what = `hook ${line.name} of run ${line.runId}`;
      report(14, `${what}: it ${line.phase} after all had come to rest`, line.runId);
    }
  }
}
