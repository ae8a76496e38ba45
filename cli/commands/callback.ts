import { given, readArguments, targetUsage } from "../arguments.ts";
import { type Command, UsageError } from "../command.ts";
import { writeJson } from "../output/json.ts";
import { shown } from "../output/width.ts";
import { readPayload } from "../payload.ts";
import { nameOf, readRun, runOptions } from "../run_place.ts";
import { withTarget } from "../target/open.ts";

/** Answers a run that waits. */
export const callback: Command = {
  name: "callback",
  summary: "Hands a payload to a run that waits at a status",
  needsCode: true,
  usage: `usage: pawl callback DEFINITION KEY STATUS [--payload JSON] [--run ID] [--idempotency-key KEY]
       pawl callback RUN STATUS [--payload JSON] [--idempotency-key KEY]

what it gets:
  --payload JSON       the payload; - reads it from what is piped in
  --run ID             this run of the key, not the latest
  --idempotency-key K  makes it safe to call again once it was applied

With --db the callback's code runs here. Its exit code is 1 when the run did not take the payload.
${targetUsage}`,
  async run(args, terminal) {
    const { values, positionals } = readArguments(args, {
      ...runOptions,
      payload: { type: "string" },
      "idempotency-key": { type: "string" },
    });
    if (positionals.length < 2) throw new UsageError("STATUS is missing");
    const status = positionals.at(-1)!;
    const wanted = readRun(positionals.slice(0, -1), values.run);
    const payload = await readPayload(values.payload, "--payload", terminal);
    return await withTarget(values, terminal, async (target) => {
      const name = await nameOf(target, wanted);
      const options = given({ idempotencyKey: values["idempotency-key"] });
      const result = await target.callback({ ...name, status }, payload, options);
      const { applied, runId, runState, reason } = result;
      if (values.json) await writeJson(terminal, result);
      else if (applied) await terminal.out(`${runId} is ${runState} at ${shown(result.status)}\n`);
      else {terminal.error(
          `NOT_APPLIED: run ${runId} is ${runState} at ${shown(result.status)}: ${shown(reason ?? "")}\n`,
        );}
      return applied ? 0 : 1;
    });
  },
};
