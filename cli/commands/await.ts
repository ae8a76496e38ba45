import { given, readArguments, targetUsage } from "../arguments.ts";
import { type Command, UsageError } from "../command.ts";
import { nameOf, readRun, runOptions, runUsage } from "../run_place.ts";
import { withTarget } from "../target/open.ts";
import { writeRun } from "./show.ts";

/** How a run ends badly: whoever waits in a script wants to know. */
const bad: ReadonlySet<string> = new Set(["failed", "cancelled", "terminated"]);

/** Waits for a run. */
export const awaitRun: Command = {
  name: "await",
  summary: "Waits until a run has ended, or has been at a status",
  usage: `usage: pawl await RUN | DEFINITION KEY [--run ID] [--status STATUS] [--timeout DURATION]
${runUsage}

for what:
  --status STATUS      until it is, or has been, there; default: until it has ended
  --timeout DURATION   for so long at most, as 30s or 5m; default: for ever

Its exit code is 0 when the run is there or has completed, 1 when it has failed or was cancelled, and 1 with
AWAIT_TIMEOUT or RUN_ENDED when it did not get there.
${targetUsage}`,
  async run(args, terminal) {
    const { values, positionals } = readArguments(args, {
      ...runOptions,
      status: { type: "string" },
      timeout: { type: "string" },
    });
    const { status, timeout } = values;
    const wanted = readRun(positionals, values.run);
    if (timeout !== undefined && !/^(\d+(\.\d+)?(ms|s|m|h|d|w))+$/.test(timeout)) {
      throw new UsageError(`--timeout is "${timeout}", and must be as 30s, 5m or 1h`);
    }
    return await withTarget(values, terminal, async (target) => {
      const run = await target.await(await nameOf(target, wanted), given({ status, timeout }));
      await writeRun(terminal, run, values.json);
      return status === undefined && bad.has(run.runState) ? 1 : 0;
    });
  },
};
