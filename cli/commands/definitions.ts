import type { DefinitionView } from "pawl/plugins/hono/client";
import { given, readArguments, readChoice, readPlaces, targetUsage } from "../arguments.ts";
import type { Command } from "../command.ts";
import { writeJson } from "../output/json.ts";
import { type Column, table } from "../output/table.ts";
import { withTarget } from "../target/open.ts";

const columns: readonly Column<DefinitionView>[] = [
  { title: "DEFINITION", text: (each) => each.name },
  { title: "KIND", text: (each) => each.kind },
  { title: "STATUSES", text: (each) => each.statuses.join(", "), canShrink: true },
  { title: "ENDS", text: (each) => each.terminals.join(", "), canShrink: true },
  { title: "CALLBACKS", text: (each) => each.callbacks.join(", "), canShrink: true },
];

/** Lists definitions. */
export const definitions: Command = {
  name: "definitions",
  summary: "Lists the machines of an engine; with --db those of --definitions",
  usage: `usage: pawl definitions
${targetUsage}`,
  async run(args, terminal) {
    const { values, positionals } = readArguments(args, {});
    readPlaces(positionals, []);
    return await withTarget(values, terminal, async (target) => {
      const items = await target.definitions();
      if (values.json) await writeJson(terminal, { items });
      else if (items.length > 0) await terminal.out(table(items, columns, terminal.columns));
      else {terminal.error(
          "There is none: a database knows no code; give --definitions, or ask an engine with --url\n",
        );}
      return 0;
    });
  },
};

/** Draws one. */
export const diagram: Command = {
  name: "diagram",
  summary: "Draws a machine as Mermaid text",
  needsCode: true,
  usage: `usage: pawl diagram DEFINITION [--direction LR|RL|TB|BT] [--status STATUS]

  --direction WAY      which way it grows
  --status STATUS      a status that stands out
${targetUsage}`,
  async run(args, terminal) {
    const { values, positionals } = readArguments(args, {
      direction: { type: "string" },
      status: { type: "string" },
    });
    const [definition] = readPlaces(positionals, ["DEFINITION"]);
    const { status } = values;
    const direction = values.direction === undefined
      ? undefined
      : readChoice(values.direction, "--direction", ["LR", "RL", "TB", "BT"]);
    return await withTarget(values, terminal, async (target) => {
      const text = await target.diagram(definition, given({ direction, status }));
      if (values.json) await writeJson(terminal, { definition, diagram: text });
      else await terminal.out(text.endsWith("\n") ? text : `${text}\n`);
      return 0;
    });
  },
};
