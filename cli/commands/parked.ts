import type { ParkedHook } from "pawl";
import { given, readArguments, readPlaces, readWhole, targetUsage } from "../arguments.ts";
import type { Command } from "../command.ts";
import { writeJson } from "../output/json.ts";
import { type Column, table } from "../output/table.ts";
import { withTarget } from "../target/open.ts";

const columns: readonly Column<ParkedHook>[] = [
  { title: "HOOK", text: (each) => each.id },
  { title: "DEFINITION", text: (each) => each.definition, canShrink: true },
  { title: "KEY", text: (each) => each.key, canShrink: true },
  { title: "WHAT", text: (each) => `${each.kind} ${each.hook}`, canShrink: true },
  { title: "FAILED", text: (each) => String(each.attempts), isRight: true },
  { title: "WITH", text: (each) => each.lastError?.message, canShrink: true },
];

/** Lists hooks that failed too often. */
export const parked: Command = {
  name: "parked",
  summary: "Lists hooks that have failed too often",
  usage: `usage: pawl parked [--definition NAME] [--limit N] [--cursor CURSOR]

The id of a hook is for pawl retry.
${targetUsage}`,
  async run(args, terminal) {
    const { values, positionals } = readArguments(args, {
      definition: { type: "string" },
      limit: { type: "string" },
      cursor: { type: "string" },
    });
    readPlaces(positionals, []);
    const { definition, cursor } = values;
    const limit = values.limit === undefined ? undefined : readWhole(values.limit, "--limit", 1, 1_000);
    return await withTarget(values, terminal, async (target) => {
      const page = await target.admin.parked(given({ definition, limit, cursor }));
      if (values.json) await writeJson(terminal, page);
      else if (page.items.length === 0) terminal.error("There is no parked hook.\n");
      else await terminal.out(table(page.items, columns, terminal.columns));
      if (!values.json && page.cursor !== undefined) {
        terminal.error(`There may be more: --cursor '${page.cursor}'\n`);
      }
      return 0;
    });
  },
};

/** Tries a parked hook again. */
export const retry: Command = {
  name: "retry",
  summary: "Tries a parked hook again; a failed step's run is for pawl resume",
  usage: `usage: pawl retry HOOK

HOOK is an id of pawl parked. The engine that owns the run tries it, with a fresh count of attempts.
${targetUsage}`,
  async run(args, terminal) {
    const { values, positionals } = readArguments(args, {});
    const [id] = readPlaces(positionals, ["HOOK"]);
    return await withTarget(values, terminal, async (target) => {
      await target.admin.retry(id);
      if (values.json) await writeJson(terminal, { retried: id });
      else await terminal.out("is tried again\n");
      return 0;
    });
  },
};
