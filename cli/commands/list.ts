import type { ListItem, ListPage, ListQuery } from "pawl";
import { given, readArguments, readChoice, readPlaces, readWhole, targetUsage } from "../arguments.ts";
import type { Command, Terminal } from "../command.ts";
import { writeJson, writeJsonLine } from "../output/json.ts";
import { painter, stateColour } from "../output/paint.ts";
import { type Column, table } from "../output/table.ts";
import { timeText } from "../output/times.ts";
import { filterOptions, filterUsage, readFilter } from "../run_filter.ts";
import { withTarget } from "../target/open.ts";
import type { Target } from "../target/target.ts";

const pageMax = 1_000;

/** Lists runs. */
export const list: Command = {
  name: "list",
  summary: "Lists runs",
  usage: `usage: pawl list [filters] [--order newest|oldest] [--limit N | --all] [--cursor CURSOR]
${filterUsage}

how many, in which order:
  --order ORDER        newest (default) or oldest first, by their triggers
  --limit N            of a page, 1 to ${pageMax}; default 25
  --cursor CURSOR      goes on after a page
  --all                page after page; with --json a line for each run
  --data               with --json: and their data
${targetUsage}`,
  async run(args, terminal) {
    const { values, positionals } = readArguments(args, {
      ...filterOptions,
      order: { type: "string", default: "newest" },
      limit: { type: "string" },
      cursor: { type: "string" },
      all: { type: "boolean", default: false },
      data: { type: "boolean", default: false },
    });
    readPlaces(positionals, []);
    const query: ListQuery = {
      ...readFilter(values, terminal.now()),
      order: readChoice(values.order, "--order", ["newest", "oldest"]),
      limit: values.limit === undefined
        ? values.all ? 100 : 25
        : readWhole(values.limit, "--limit", 1, pageMax),
      ...given({ cursor: values.cursor }),
      ...(values.data && { include: ["data"] as const }),
    };
    return await withTarget(values, terminal, async (target) => {
      for (let next: string | undefined = query.cursor;;) {
        const page: ListPage = await fullPage(target, { ...query, ...given({ cursor: next }) }, terminal);
        next = page.cursor;
        if (!values.json) await writeTable(page, terminal, values.all);
        else if (!values.all) await writeJson(terminal, page);
        else for (const item of page.items) await writeJsonLine(terminal, item);
        if (!values.all || next === undefined) return 0;
      }
    });
  },
};

/** A store looks at so many rows for a page, which may be empty: nobody wants to ask again by hand. */
async function fullPage(target: Target, query: ListQuery, { signal }: Terminal): Promise<ListPage> {
  const items: ListItem[] = [];
  const limit = query.limit!;
  for (let { cursor } = query;;) {
    signal.throwIfAborted();
    const page = await target.list({ ...query, limit: limit - items.length, ...given({ cursor }) });
    items.push(...page.items);
    cursor = page.cursor;
    if (cursor === undefined || items.length === limit) return { items, ...given({ cursor }) };
  }
}

/** How runs are shown. */
export function runColumns(terminal: Terminal): readonly Column<ListItem>[] {
  const { isTerminal } = terminal;
  const [now, paint] = [terminal.now(), painter(terminal)];
  return [
    { title: "RUN", text: (run) => run.runId, paint: (text) => paint(text, "dim") },
    { title: "DEFINITION", text: (run) => run.definition, canShrink: true },
    { title: "KEY", text: (run) => run.key, canShrink: true },
    { title: "STATUS", text: (run) => run.status, canShrink: true },
    {
      title: "STATE",
      text: (run) => run.runState,
      paint: (text, run) => paint(text, stateColour(run.runState)),
    },
    { title: "TRIGGERED", text: (run) => timeText(run.createdAt, now, isTerminal) },
    { title: "CHANGED", text: (run) => timeText(run.updatedAt, now, isTerminal) },
    { title: "WHY", text: whyText, canShrink: true },
  ];
}

/** Why a run stands still, or fails. */
function whyText({ reason, lastError, attempt }: ListItem): string | undefined {
  if (reason !== undefined) return reason;
  return lastError && `${attempt > 0 ? `attempt ${attempt}: ` : ""}${lastError.message}`;
}

async function writeTable({ items, cursor }: ListPage, terminal: Terminal, isAll: boolean): Promise<void> {
  if (items.length > 0) await terminal.out(table(items, runColumns(terminal), terminal.columns));
  else if (cursor === undefined) terminal.error("There is no such run.\n");
  if (cursor !== undefined && !isAll) terminal.error(`There may be more: --cursor ${cursor}, or --all\n`);
}
