import type { HistoryRow } from "pawl";
import { given, readArguments, readWhole, targetUsage } from "../arguments.ts";
import type { Command, Terminal } from "../command.ts";
import { writeJson, writeJsonLine } from "../output/json.ts";
import { painter, stateColour } from "../output/paint.ts";
import { type Column, table } from "../output/table.ts";
import { lengthText } from "../output/times.ts";
import { readRun, requireRun, runOptions, runUsage } from "../run_place.ts";
import { withTarget } from "../target/open.ts";
import { errorText } from "./show.ts";

const pageMax = 1_000;

/** Shows what happened to a run. */
export const history: Command = {
  name: "history",
  summary: "Shows what happened to a run, oldest first",
  usage: `usage: pawl history RUN | DEFINITION KEY [--run ID] [--limit N | --all] [--after POSITION]
${runUsage}

how much:
  --limit N            rows, 1 to ${pageMax}; default 100
  --after POSITION     goes on after a row
  --all                to the end; with --json a line for each row
${targetUsage}`,
  async run(args, terminal) {
    const { values, positionals } = readArguments(args, {
      ...runOptions,
      limit: { type: "string" },
      after: { type: "string" },
      all: { type: "boolean", default: false },
    });
    const wanted = readRun(positionals, values.run);
    const limit = values.limit === undefined
      ? values.all ? pageMax : 100
      : readWhole(values.limit, "--limit", 1, pageMax);
    let after = values.after === undefined ? undefined : readWhole(values.after, "--after", 0);
    return await withTarget(values, terminal, async (target) => {
      const { definition, key, runId } = await requireRun(target, wanted);
      for (;;) {
        terminal.signal.throwIfAborted();
        const rows = await target.history({ definition, key, runId }, { limit, ...given({ after }) });
        after = rows.length < limit ? undefined : rows.at(-1)!.position;
        if (!values.json) await writeRows(rows, terminal, values.all ? undefined : after);
        else if (!values.all) await writeJson(terminal, { items: rows, ...given({ after }) });
        else for (const row of rows) await writeJsonLine(terminal, row);
        if (!values.all || after === undefined) return 0;
      }
    });
  },
};

/** How history is shown. */
export function historyColumns(terminal: Terminal): readonly Column<HistoryRow>[] {
  const paint = painter(terminal);
  return [
    { title: "TIME", text: (row) => row.at.toISOString(), paint: (text) => paint(text, "dim") },
    { title: "WHAT", text: (row) => row.kind, paint: (text, row) => paint(text, row.error && "red") },
    { title: "BY", text: (row) => row.by },
    { title: "WHICH", text: (row) => row.name, canShrink: true },
    { title: "FROM", text: (row) => row.from, canShrink: true },
    { title: "TO", text: (row) => row.to, canShrink: true },
    {
      title: "STATE",
      text: (row) => row.runState,
      paint: (text, row) => paint(text, stateColour(row.runState)),
    },
    {
      title: "TOOK",
      text: (row) => row.durationMs === undefined ? undefined : lengthText(row.durationMs),
      isRight: true,
    },
    { title: "WHY", text: (row) => row.error ? errorText(row.error) : row.reason, canShrink: true },
  ];
}

async function writeRows(
  rows: readonly HistoryRow[],
  terminal: Terminal,
  after: number | undefined,
): Promise<void> {
  if (rows.length > 0) await terminal.out(table(rows, historyColumns(terminal), terminal.columns));
  if (after !== undefined) terminal.error(`There may be more: --after ${after}, or --all\n`);
}
