/**
 * The verbs of operators, on one run or on many.
 *
 * @module
 */
import type { RunState } from "pawl";
import { given, readArguments, readWhole, targetUsage } from "../arguments.ts";
import { type Command, type Terminal, UsageError } from "../command.ts";
import { confirm } from "../confirm.ts";
import { shown } from "../output/width.ts";
import { filterOptions, filterUsage, readFilter } from "../run_filter.ts";
import { nameOf, readRun, runOptions, runUsage } from "../run_place.ts";
import { withTarget } from "../target/open.ts";
import type { Action } from "../target/target.ts";
import { runBatch } from "./batch.ts";
import { writeRun } from "./show.ts";

interface Verb {
  readonly name: string;
  readonly action: Action;
  readonly summary: string;
  /** What it does, in a question. */
  readonly doing: string;
  readonly takesReason: boolean;
  /** The run states that it is for: of many runs it is about these, unless others are asked for. */
  readonly states: readonly RunState[];
  /** It cannot be undone, so it asks even for one run. */
  readonly isFinal?: boolean;
}

const pauseVerb: Verb = {
  name: "pause",
  action: "pause",
  summary: "Pauses a run, or all that match",
  doing: "pause",
  takesReason: true,
  states: ["initiated", "running"],
};
const resumeVerb: Verb = {
  name: "resume",
  action: "resume",
  summary: "Lets a paused run go on, or all that match",
  doing: "resume",
  takesReason: false,
  states: ["paused"],
};
const cancelVerb: Verb = {
  name: "cancel",
  action: "cancel",
  summary: "Ends a run where it is, or all that match",
  doing: "cancel",
  takesReason: true,
  states: ["initiated", "running", "paused", "stalled"],
};
const deleteVerb: Verb = {
  name: "delete-data",
  action: "delete",
  summary: "Erases the data of an ended run, or of all that match",
  doing: "erase the data of",
  takesReason: true,
  states: ["completed", "failed", "cancelled", "terminated"],
  isFinal: true,
};

/** `pause`, `resume`, `cancel` and `delete-data`. */
export const operatorCommands: readonly Command[] = [pauseVerb, resumeVerb, cancelVerb, deleteVerb].map(
  commandOf,
);

const ownOptions = {
  ...runOptions,
  ...filterOptions,
  reason: { type: "string" },
  all: { type: "boolean", default: false },
  limit: { type: "string" },
  yes: { type: "boolean", short: "y", default: false },
} as const;

function commandOf(verb: Verb): Command {
  const reason = verb.takesReason ? " [--reason TEXT]" : "";
  return {
    name: verb.name,
    summary: verb.summary,
    needsCode: true,
    usage: `usage: pawl ${verb.name} RUN | DEFINITION KEY [--run ID]${reason}${verb.isFinal ? " [--yes]" : ""}
       pawl ${verb.name} --all --definition NAME [filters]${reason} [--limit N] [--yes]
${runUsage}

many of them:
  --all                all that match, after it has told how many and asked; without --state those that are
                       ${verb.states.join(", ")}
  --limit N            so many at most, the oldest first
  --yes, -y            asks nothing; without a terminal it must be given
  --json               what became of them: a line for each that refused, then one with the counts
${filterUsage}
${verb.takesReason ? "\nwhy:\n  --reason TEXT        kept with the run\n" : ""}${targetUsage}`,
    async run(args, terminal) {
      const { values, positionals } = readArguments(args, ownOptions);
      if (values.reason !== undefined && !verb.takesReason) {
        throw new UsageError(`Unknown option '--reason': ${verb.name} keeps none`);
      }
      return values.all
        ? await all(verb, values, positionals, terminal)
        : await one(verb, values, positionals, terminal);
    },
  };
}

type Values = ReturnType<typeof readArguments<typeof ownOptions>>["values"];

async function one(
  verb: Verb,
  values: Values,
  positionals: readonly string[],
  terminal: Terminal,
): Promise<number> {
  for (const name of [...Object.keys(filterOptions), "limit"] as const) {
    if (values[name as keyof Values] !== undefined) {
      throw new UsageError(`--${name} is for many runs: give --all as well`);
    }
  }
  const wanted = readRun(positionals, values.run);
  return await withTarget(values, terminal, async (target) => {
    const run = await nameOf(target, wanted);
    if (verb.isFinal) {
      const which = `run "${shown(run.key)}" of ${shown(run.definition)} in ${target.name}`;
      await confirm(terminal, `This is about to ${verb.doing} ${which}, for good`, values.yes);
    }
    const after = await target.operate(verb.action, run, given({ reason: values.reason }));
    await writeRun(terminal, after, values.json);
    return 0;
  });
}

async function all(
  verb: Verb,
  values: Values,
  positionals: readonly string[],
  terminal: Terminal,
): Promise<number> {
  if (positionals.length > 0) throw new UsageError(`"${positionals[0]}" is given beside --all`);
  if (values.run !== undefined) throw new UsageError("--run is for one run, and --all for many");
  const { definition, ...filter } = readFilter(values, terminal.now());
  if (typeof definition !== "string") throw new UsageError("--all wants one --definition");
  const limit = values.limit === undefined ? undefined : readWhole(values.limit, "--limit", 1);
  return await withTarget(values, terminal, async (target) => {
    const input = {
      action: verb.action,
      filter: { runState: verb.states, ...filter, definition },
      ...given({ reason: values.reason, limit }),
    };
    return await runBatch(target, input, verb.doing, { terminal, isYes: values.yes, isJson: values.json });
  });
}
