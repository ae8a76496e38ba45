import { createReadStream } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { resolve } from "node:path";
import type { ImportReport } from "pawl";
import { given, readArguments, readPlaces, targetUsage } from "../arguments.ts";
import { type Command, CommandError, type Terminal, UsageError } from "../command.ts";
import { writeJson } from "../output/json.ts";
import { progressOn } from "../output/progress.ts";
import { shown } from "../output/width.ts";
import { withTarget } from "../target/open.ts";

/** Writes runs as text. */
export const exportRuns: Command = {
  name: "export",
  summary: "Writes the runs of a database as lines of JSON; with --db only",
  usage: `usage: pawl export [--definition NAME] [--output FILE]

  --definition NAME    only its runs
  --output FILE        into a file, which is there when it is whole; default: to standard output
${targetUsage}`,
  async run(args, terminal) {
    const { values, positionals } = readArguments(args, {
      definition: { type: "string" },
      output: { type: "string" },
    });
    readPlaces(positionals, []);
    return await withTarget(values, terminal, async (target) => {
      const lines = counted(target.export(given({ definition: values.definition })), terminal);
      if (values.output === undefined) { for await (const line of lines) await terminal.out(line); }
      else await writeWhole(resolve(terminal.cwd, values.output), lines);
      return 0;
    });
  },
};

async function* counted(
  lines: AsyncIterable<string>,
  terminal: Terminal,
): AsyncGenerator<string, void, undefined> {
  const progress = progressOn(terminal);
  // The first line is the header.
  let runs = -1;
  try {
    for await (const line of lines) {
      yield line;
      if (++runs > 0) progress.say(`${runs} runs exported ...`);
    }
  } finally {
    progress.end();
  }
}

/** Half an export must not be taken for a whole one: it has its name when it is done. */
async function writeWhole(path: string, lines: AsyncIterable<string>): Promise<void> {
  const partial = `${path}.partial`;
  const file = await open(partial, "w");
  try {
    for await (const line of lines) await file.write(line);
    await file.sync();
    await file.close();
  } catch (error) {
    await file.close().catch(() => {});
    await rm(partial, { force: true });
    throw error;
  }
  await rename(partial, path);
}

/** Takes runs in. */
export const importRuns: Command = {
  name: "import",
  summary: "Takes the runs of an export into a database; with --db only",
  usage: `usage: pawl import [FILE]

FILE is what pawl export gave; - or none: it is piped in. Nothing is overwritten, and it may be called again. A
database file that is not there is made. Its exit code is 1 when a line was refused.
${targetUsage}`,
  async run(args, terminal) {
    const { values, positionals } = readArguments(args, {});
    const [file = "-"] = readPlaces(positionals, ["FILE?"]);
    if (file === "-" && terminal.isInteractive) {
      throw new UsageError("FILE is missing, and nothing is piped in");
    }
    const text = file === "-" ? terminal.input() : await textOf(resolve(terminal.cwd, file), file);
    return await withTarget(values, terminal, async (target) => {
      const progress = progressOn(terminal);
      const report = await target.import(text, {
        onProgress: ({ runs, skipped, refused }) =>
          progress.say(`${runs} imported, ${skipped} there already, ${refused} refused ...`),
      }).finally(() => progress.end());
      if (values.json) await writeJson(terminal, report);
      else await writeReport(report, terminal);
      return report.refused > 0 ? 1 : 0;
    }, { creates: true });
  },
};

/** Opened before the database is: a name that was mistyped must not make one. */
async function textOf(path: string, file: string): Promise<AsyncIterable<string>> {
  const opened = await open(path).catch((cause: unknown) => {
    throw new CommandError("NOT_FOUND", `Cannot read ${file}: ${(cause as Error).message}`, { cause });
  });
  await opened.close();
  return (async function* () {
    yield* createReadStream(path, { encoding: "utf8" }) as AsyncIterable<string>;
  })();
}

async function writeReport(report: ImportReport, terminal: Terminal): Promise<void> {
  const { runs, skipped, refused, refusals } = report;
  for (const { line, runId, reason } of refusals) {
    terminal.error(`line ${line}${runId === undefined ? "" : `, run ${runId}`}: ${shown(reason)}\n`);
  }
  await terminal.out(`${runs} imported, ${skipped} there already, ${refused} refused\n`);
}
