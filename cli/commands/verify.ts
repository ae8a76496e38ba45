import type { Finding } from "pawl";
import { readArguments, readPlaces, targetUsage } from "../arguments.ts";
import type { Command } from "../command.ts";
import { writeJson } from "../output/json.ts";
import { type Column, table } from "../output/table.ts";
import { withTarget } from "../target/open.ts";

const columns: readonly Column<Finding>[] = [
  { title: "INVARIANT", text: (each) => each.invariant },
  { title: "SHARD", text: (each) => String(each.shard), isRight: true },
  { title: "PROBLEM", text: (each) => each.problem, canShrink: true },
  { title: "KEY", text: (each) => each.key, canShrink: true },
];

/** Checks a store. */
export const verify: Command = {
  name: "verify",
  summary: "Walks a store and reports what should not be; changes nothing",
  usage: `usage: pawl verify

It is meant for a quiet store: on a busy one it may report what was only in between. With --definitions it also
checks moves against the edges of the machines. Its exit code is 1 when something is wrong.
${targetUsage}`,
  async run(args, terminal) {
    const { values, positionals } = readArguments(args, {});
    readPlaces(positionals, []);
    return await withTarget(values, terminal, async (target) => {
      if (terminal.isErrorTerminal) terminal.error(`Walking ${target.name} ...\n`);
      const report = await target.admin.verify({ signal: terminal.signal });
      const { ok, entries, runs, findings, notes } = report;
      if (values.json) await writeJson(terminal, report);
      else {
        if (findings.length > 0) await terminal.out(`${table(findings, columns, terminal.columns)}\n`);
        if (notes.length > 0) {
          await terminal.out(`no faults, but to be known:\n${table(notes, columns, terminal.columns)}\n`);
        }
        await terminal.out(
          `${ok ? "sound" : "NOT SOUND"}: ${runs} runs, ${entries} entries, ${findings.length} findings\n`,
        );
      }
      return ok ? 0 : 1;
    });
  },
};
