import type { HistoryRow } from "pawl";
import type { Talk } from "./judge_case.ts";
import type { Life } from "./judge_lives.ts";
import type { Line } from "./ledger.ts";

/** What was seen how often. A fleet that did nothing would prove nothing. */
export function countsOf(
  lines: readonly Line[],
  lives: readonly Life[],
  talk: Talk,
): Record<string, number> {
  const all = (fits: (line: Line) => boolean) => lines.filter(fits).length;
  const rows = (kind: HistoryRow["kind"]) =>
    lives.reduce((sum, life) => sum + life.rows.filter((row) => row.kind === kind).length, 0);
  const sum = (of: (life: Life) => number) => lives.reduce((total, life) => total + of(life), 0);
  const effects = (lane: string) => all((line) => line.what === "effect" && line.lane === lane);
  const unanswered = talk.asked.filter(({ id }) => !talk.told.has(id) && !talk.refused.has(id)).length;
  const unknown = all((line) => line.what === "refused" && line.code === "OUTCOME_UNKNOWN");
  const steps = sum((life) => life.landed.length);
  const hooks = lines.filter((line) => line.what === "hook").filter(({ phase }) => phase === "ended");
  const told = new Set(hooks.map(({ runId, version, name }) => `${runId} ${version} ${name}`));
  const got = (via: string) => lines.filter((line) => line.what === "got").filter((line) => line.via === via);
  const news = (via: string) => new Set(got(via).map(({ runId, version }) => `${runId} ${version}`)).size;
  const handled = lines.filter((line) => line.what === "handled");
  const events = new Set(handled.map(({ connector, eventId }) => `${connector} ${eventId}`)).size;
  return {
    asked: talk.asked.length,
    acknowledged: talk.told.size,
    refused: talk.refused.size - unknown,
    "outcome unknown": unknown,
    "never answered": unanswered,
    runs: lives.length,
    transitions: sum((life) => life.changes.length),
    "steps landed": steps,
    "effects of steps": effects("step"),
    "effects of steps done again or dropped": effects("step") - steps,
    "callbacks applied": sum((life) => life.called),
    "callbacks run": effects("callback"),
    "timers fired": sum((life) => life.fired.length),
    "timers run": effects("timer"),
    "hooks done": told.size,
    "hooks done again": hooks.length - told.size,
    "events received": news("receiver"),
    "events received again": got("receiver").length - news("receiver"),
    "events relayed": news("relay"),
    "events relayed again": got("relay").length - news("relay"),
    "events handled": events,
    "events handled again": handled.length - events,
    "runs deleted": lives.filter(({ view }) => view.runState === "deleted").length,
    "failed attempts": rows("error"),
    "late results": rows("late"),
    "suspects started": rows("interrupted"),
  };
}
