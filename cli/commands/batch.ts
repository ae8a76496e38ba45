/**
 * One verb on many runs: how many, whether to, how far it is, and which refused.
 *
 * @module
 */
import type { BatchLine } from "pawl/plugins/hono/client";
import type { Terminal } from "../command.ts";
import { confirm } from "../confirm.ts";
import { writeJsonLine } from "../output/json.ts";
import { progressOn } from "../output/progress.ts";
import { shown } from "../output/width.ts";
import type { NamedBatch, Target } from "../target/target.ts";

interface BatchSettings {
  readonly terminal: Terminal;
  readonly isYes: boolean;
  readonly isJson: boolean;
}

type Counts = Extract<BatchLine, { readonly matched: number }>;

/**
 * Does something to all runs that match.
 *
 * @param target Where they are.
 * @param input What, and which.
 * @param doing What is done, in a sentence.
 * @param settings How it is told.
 * @returns The exit code: 1 when a run refused, or not all were reached.
 */
export async function runBatch(
  target: Target,
  { filter, ...rest }: NamedBatch,
  doing: string,
  settings: BatchSettings,
): Promise<number> {
  const { terminal, isYes, isJson } = settings;
  // What is triggered after the question was not meant by the answer.
  const createdBefore = new Date(terminal.now().getTime() + 1);
  const input = { ...rest, filter: { createdBefore, ...filter } };
  const found = await preview(target, input, terminal);
  const many = `${found.matched}${found.limited ? " or more" : ""} ${found.matched === 1 ? "run" : "runs"}`;
  if (found.matched === 0) terminal.error("There is no such run.\n");
  else {
    const what = `This is about to ${doing} ${many} of ${shown(input.filter.definition)} in ${target.name}`;
    await confirm(terminal, what, isYes);
  }
  const counts = found.matched === 0 ? found : await work(target, input, found.matched, settings);
  const { matched, done, failed, limited } = counts;
  if (isJson) await writeJsonLine(terminal, counts);
  else if (matched > 0) await terminal.out(`${done} of ${matched} done, ${failed} refused\n`);
  const isCut = limited === true && input.limit === undefined;
  if (isCut) terminal.error("There are more than one batch may change: call it again\n");
  return failed > 0 || isCut ? 1 : 0;
}

async function preview(target: Target, input: NamedBatch, terminal: Terminal): Promise<Counts> {
  const progress = progressOn(terminal);
  try {
    for await (const line of target.batch({ ...input, dryRun: true })) {
      if (line.type === "failure") continue;
      if (line.type === "done") return line;
      progress.say(`${line.matched} found ...`);
    }
  } finally {
    progress.end();
  }
  throw new Error("The batch ended before it was done");
}

async function work(
  target: Target,
  input: NamedBatch,
  expected: number,
  { terminal, isJson }: BatchSettings,
): Promise<Counts> {
  const progress = progressOn(terminal);
  try {
    for await (const line of target.batch(input)) {
      if (line.type === "done") return line;
      if (line.type !== "failure") {
        progress.say(`${line.done + line.failed} of ${expected} ...`);
        continue;
      }
      progress.end();
      if (isJson) await writeJsonLine(terminal, line);
      else terminal.error(`${line.runId}  ${shown(line.key)}  ${line.code}: ${shown(line.detail)}\n`);
    }
  } finally {
    progress.end();
  }
  throw new Error("The batch ended before it was done");
}
