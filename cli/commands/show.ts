import type { RunView } from "pawl";
import { readArguments, targetUsage } from "../arguments.ts";
import type { Command, Terminal } from "../command.ts";
import { writeJson } from "../output/json.ts";
import { painter, stateColour } from "../output/paint.ts";
import { fields } from "../output/table.ts";
import { fullTimeText } from "../output/times.ts";
import { shown } from "../output/width.ts";
import { readRun, requireRun, runOptions, runUsage } from "../run_place.ts";
import { withTarget } from "../target/open.ts";

/** Shows one run. */
export const show: Command = {
  name: "show",
  summary: "Shows a run: where it is, its data, its last error, what it waits for",
  usage: `usage: pawl show RUN | DEFINITION KEY [--run ID]
${runUsage}
${targetUsage}`,
  async run(args, terminal) {
    const { values, positionals } = readArguments(args, runOptions);
    const given = readRun(positionals, values.run);
    return await withTarget(values, terminal, async (target) => {
      const run = await requireRun(target, given);
      await writeRun(terminal, run, values.json);
      return 0;
    });
  },
};

/** Writes a run as JSON, or as it is read best. */
export async function writeRun(terminal: Terminal, run: RunView, isJson: boolean): Promise<void> {
  if (isJson) return await writeJson(terminal, run);
  await terminal.out(runText(run, terminal));
}

function runText(run: RunView, terminal: Terminal): string {
  const [now, paint] = [terminal.now(), painter(terminal)];
  const { lastError, lock, origin, timers = [] } = run;
  return fields([
    ["run", run.runId],
    ["definition", shown(run.definition)],
    ["key", shown(run.key)],
    ["status", paint(shown(run.status), "bold")],
    ["state", paint(run.runState, stateColour(run.runState))],
    ["reason", run.reason && shown(run.reason)],
    ["failed", run.attempt > 0 ? `${run.attempt} ${run.attempt === 1 ? "attempt" : "attempts"}` : undefined],
    ["last error", lastError && paint(shown(errorText(lastError)), "red")],
    ["triggered", fullTimeText(run.createdAt, now)],
    ["changed", fullTimeText(run.updatedAt, now)],
    ["timers", timers.map(({ name, at }) => `${shown(name)}: ${fullTimeText(at, now)}`).join("\n")],
    ["lock", lock && lockText(lock)],
    ["schedule", origin && `${shown(origin.schedule)}, for ${origin.scheduledFor.toISOString()}`],
    ["from", run.traceOrigin?.split("\n").map(shown).join("\n")],
    ["version", String(run.version)],
    ["data", dataText(run.data)],
  ]);
}

/** An error as one text. */
export function errorText({ name, message, code }: NonNullable<RunView["lastError"]>): string {
  return `${name}${code === undefined ? "" : ` [${code}]`}: ${message}`;
}

function lockText({ namespace, names, tokens }: NonNullable<RunView["lock"]>): string {
  const places = names.map((name) => shown(`${namespace}/${name}`)).join(", ");
  return tokens ? `holds ${places}` : `waits for ${places}`;
}

/** Data as JSON, of which no character moves on the screen. */
function dataText(data: unknown): string | undefined {
  return JSON.stringify(data, undefined, 2)?.split("\n").map(shown).join("\n");
}
