import { given, readArguments, readWhole, targetUsage } from "../arguments.ts";
import type { Command } from "../command.ts";
import { writeJsonLine } from "../output/json.ts";
import { painter, stateColour } from "../output/paint.ts";
import { shown } from "../output/width.ts";
import { readRun, requireRun, runOptions, runUsage } from "../run_place.ts";
import { withTarget } from "../target/open.ts";
import { errorText } from "./show.ts";

/** Shows what happens to a run. */
export const watch: Command = {
  name: "watch",
  summary: "Shows what happens to a run as it happens, until it ends",
  usage: `usage: pawl watch RUN | DEFINITION KEY [--run ID] [--after POSITION]
${runUsage}

how much:
  --after POSITION     only what comes after a row of its history; default: all
  --json               a line for each row
${targetUsage}`,
  async run(args, terminal) {
    const { values, positionals } = readArguments(args, { ...runOptions, after: { type: "string" } });
    const wanted = readRun(positionals, values.run);
    const after = values.after === undefined ? undefined : readWhole(values.after, "--after", 0);
    const paint = painter(terminal);
    return await withTarget(values, terminal, async (target) => {
      const { definition, key, runId } = await requireRun(target, wanted);
      for await (const row of target.watch({ definition, key, runId }, given({ after }))) {
        if (values.json) {
          await writeJsonLine(terminal, row);
          continue;
        }
        const way = row.to === undefined ? row.from ?? "" : `${row.from ?? ""} -> ${row.to}`;
        const why = row.error ? errorText(row.error) : row.reason ?? "";
        const state = paint(row.runState, stateColour(row.runState));
        const told = [row.kind, row.name ?? "", way, why].filter((each) => each !== "").map(shown).join("  ");
        await terminal.out(`${row.at.toISOString()}  ${state}  ${told.trim()}\n`);
      }
      return 0;
    });
  },
};
