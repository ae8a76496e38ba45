/**
 * Promise 9: a hook is run to its end for each change that it is to hear of, for no other, and not again without a cause.
 *
 * @module
 */
import type { HistoryRow } from "pawl";
import type { Report } from "./judge_case.ts";
import { Harm } from "./judge_harm.ts";
import type { Lives } from "./judge_lives.ts";
import type { Hooked, Line } from "./ledger.ts";
import { hooksOf, removed } from "./machines.ts";

const nameOf = ({ runId, version, kind, name }: Pick<Hooked, "runId" | "version" | "kind" | "name">) =>
  `${name} (${kind}) of version ${version} of run ${runId}`;

/** Which hooks hear of a change. */
function kindOf(before: HistoryRow | undefined, { runState }: HistoryRow): string | undefined {
  if (!before || before.runState === runState) return undefined;
  if (runState === "running") return before.runState === "paused" ? "resume" : undefined;
  return kinds[runState];
}

const kinds: Readonly<Record<string, string>> = {
  completed: "complete",
  paused: "pause",
  cancelled: "cancel",
  failed: "fail",
  deleted: "delete",
};

/** @returns The lines of hooks. */
export function checkHooks(lines: readonly Line[], lives: Lives, report: Report): void {
  const told = lines.filter((line) => line.what === "hook");
  const ends = new Set(told.filter(({ phase }) => phase === "ended").map(nameOf));
  for (const { view, changes } of lives.values()) {
    changes.forEach((row, index) => {
      const kind = kindOf(changes[index - 1], row);
      for (const [wanted, name] of hooksOf[view.definition] ?? []) {
        const hook = nameOf({ runId: view.runId, version: row.version, kind: wanted, name });
        if (wanted === kind && !ends.has(hook)) report(9, `hook ${hook}: it was never told`, view.runId);
      }
    });
  }
  for (const line of told) checkTold(line, lives, report);
  checkAgain(lines, report);
}

/** It hears of what has happened, as it was then. */
function checkTold(line: Hooked, lives: Lives, report: Report): void {
  const { runId, version, kind, name, state, definition } = line;
  const life = lives.get(runId);
  if (!life && definition === removed.name) return;
  const row = life?.changes[version - 1];
  const isMeant = row !== undefined && kindOf(life!.changes[version - 2], row) === kind &&
    hooksOf[life!.view.definition]?.some(([known, hook]) => known === kind && hook === name);
  if (!isMeant) report(9, `hook ${nameOf(line)}: ${line.by} told it of a change that never was`, runId);
  else if (row.runState !== state) {
    report(9, `hook ${nameOf(line)}: it was told of ${state}, but the run was ${row.runState}`, runId);
  }
}

function checkAgain(lines: readonly Line[], report: Report): void {
  const harm = new Harm(lines);
  const endedBy = new Map<string, Hooked>();
  for (const line of lines) {
    if (line.what !== "hook") continue;
    const hook = nameOf(line);
    const before = endedBy.get(hook);
    if (before && line.phase === "began" && !harm.excuses(before, line)) {
      report(9, `hook ${hook}: ${line.by} began it, which ${before.by} had ended`, line.runId);
    }
    if (line.phase === "ended") endedBy.set(hook, line);
  }
}
