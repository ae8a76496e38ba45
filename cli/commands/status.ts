import type { EngineInfo, ListQuery, ShardInfo, UnservedWork } from "pawl";
import { given, readArguments, readPlaces, targetUsage } from "../arguments.ts";
import type { Command, Terminal } from "../command.ts";
import { writeJson } from "../output/json.ts";
import { painter, stateColour } from "../output/paint.ts";
import { progressOn } from "../output/progress.ts";
import { type Column, table } from "../output/table.ts";
import { timeText } from "../output/times.ts";
import { withTarget } from "../target/open.ts";
import type { Target } from "../target/target.ts";

/** How many runs of a definition are in a state. */
interface Count {
  readonly definition: string;
  readonly runState: string;
  readonly runs: number;
}

/** Shows who works on what. */
export const status: Command = {
  name: "status",
  summary: "Shows the engines, what they own, and work that nobody does",
  usage: `usage: pawl status [--owners] [--counts [--definition NAME]...]

  --owners         who owns which definition in each shard
  --counts             how many runs there are, by definition and state; looks at each of them
  --definition NAME    counts only its runs; several times
${targetUsage}`,
  async run(args, terminal) {
    const { values, positionals } = readArguments(args, {
      "owners": { type: "boolean", default: false },
      counts: { type: "boolean", default: false },
      definition: { type: "string", multiple: true },
    });
    readPlaces(positionals, []);
    return await withTarget(values, terminal, async (target) => {
      const { admin } = target;
      const [engines, shards, unserved, parked] = await Promise.all([
        admin.engines(),
        admin.shards(),
        admin.unserved(),
        admin.parked({ limit: 1 }),
      ]);
      const hasParked = parked.items.length > 0;
      const query = given({ definition: values.definition });
      const counts = values.counts ? await countRuns(target, query, terminal) : undefined;
      if (values.json) {
        await writeJson(terminal, { engines, shards, unserved, hasParked, ...given({ counts }) });
      } else {
        await terminal.out(enginesText(engines, shards, terminal));
        if (unserved.length > 0) await terminal.out(`\n${unservedText(unserved, terminal)}`);
        if (hasParked) await terminal.out("\nHooks have failed too often: see pawl parked\n");
        if (values["owners"]) await terminal.out(`\n${shardsText(shards, terminal)}`);
        if (counts) await terminal.out(`\n${countsText(counts, terminal)}`);
      }
      return 0;
    });
  },
};

async function countRuns(target: Target, query: ListQuery, terminal: Terminal): Promise<readonly Count[]> {
  const found = new Map<string, Map<string, number>>();
  const progress = progressOn(terminal);
  let seen = 0;
  let cursor: string | undefined;
  do {
    terminal.signal.throwIfAborted();
    const page = await target.list({ ...query, limit: 1_000, order: "oldest", ...given({ cursor }) });
    for (const { definition, runState } of page.items) {
      const states = found.get(definition) ?? new Map<string, number>();
      found.set(definition, states.set(runState, (states.get(runState) ?? 0) + 1));
    }
    progress.say(`${seen += page.items.length} runs counted ...`);
    cursor = page.cursor;
  } while (cursor !== undefined);
  progress.end();
  return [...found].sort(([one], [other]) => one < other ? -1 : 1).flatMap(([definition, states]) =>
    [...states].map(([runState, runs]) => ({ definition, runState, runs }))
  );
}

function enginesText(
  engines: readonly EngineInfo[],
  shards: readonly ShardInfo[],
  terminal: Terminal,
): string {
  if (engines.length === 0) return "No engine has given a sign of life.\n";
  const [now, paint] = [terminal.now(), painter(terminal)];
  const isAlive = ({ expiresAt }: EngineInfo) => expiresAt > now;
  const columns: readonly Column<EngineInfo>[] = [
    { title: "ENGINE", text: (each) => each.engineId },
    {
      title: "IS",
      text: (each) => isAlive(each) ? "alive" : "dead",
      paint: (text, each) => paint(text, isAlive(each) ? "green" : "red"),
    },
    { title: "SINCE", text: (each) => timeText(each.since, now, terminal.isTerminal) },
    { title: "CODE", text: (each) => String(each.codeVersion), isRight: true },
    {
      title: "OWNS",
      text: ({ engineId }) => String(shards.filter((each) => each.engineId === engineId).length),
      isRight: true,
    },
    { title: "DEFINITIONS", text: (each) => each.definitions.join(", "), canShrink: true },
  ];
  return table(engines, columns, terminal.columns);
}

function unservedText(unserved: readonly UnservedWork[], terminal: Terminal): string {
  const now = terminal.now();
  const columns: readonly Column<UnservedWork>[] = [
    { title: "NOBODY WORKS ON", text: (each) => each.definition },
    { title: "FIRST DUE", text: (each) => timeText(each.firstDue, now, terminal.isTerminal) },
    { title: "SHARDS", text: (each) => each.shards.join(", "), canShrink: true },
  ];
  return table(unserved, columns, terminal.columns);
}

function shardsText(shards: readonly ShardInfo[], terminal: Terminal): string {
  const now = terminal.now();
  const columns: readonly Column<ShardInfo>[] = [
    { title: "SHARD", text: (each) => String(each.shard), isRight: true },
    { title: "DEFINITION", text: (each) => each.definition, canShrink: true },
    { title: "OWNER", text: (each) => each.engineId ?? "nobody" },
    { title: "SINCE", text: (each) => timeText(each.since, now, terminal.isTerminal) },
    { title: "HANDS", text: (each) => String(each.epoch), isRight: true },
  ];
  return table(shards, columns, terminal.columns);
}

function countsText(counts: readonly Count[], terminal: Terminal): string {
  if (counts.length === 0) return "There is no run.\n";
  const paint = painter(terminal);
  const columns: readonly Column<Count>[] = [
    { title: "DEFINITION", text: (each) => each.definition, canShrink: true },
    {
      title: "STATE",
      text: (each) => each.runState,
      paint: (text, each) => paint(text, stateColour(each.runState)),
    },
    { title: "RUNS", text: (each) => String(each.runs), isRight: true },
  ];
  return table(counts, columns, terminal.columns);
}
