import { given, readArguments, readPlaces, targetUsage } from "../arguments.ts";
import type { Command } from "../command.ts";
import { writeJson } from "../output/json.ts";
import { readPayload } from "../payload.ts";
import { withTarget } from "../target/open.ts";

/** Starts a run. */
export const trigger: Command = {
  name: "trigger",
  summary: "Starts a run",
  needsCode: true,
  usage: `usage: pawl trigger DEFINITION KEY [--data JSON] [--start-at STATUS] [--idempotency-key KEY]

what it gets:
  --data JSON          its data; - reads it from what is piped in
  --start-at STATUS    where it starts; default: at the definition's first status
  --idempotency-key K  makes it safe to call again: the same key and data give the same run
${targetUsage}`,
  async run(args, terminal) {
    const { values, positionals } = readArguments(args, {
      data: { type: "string" },
      "start-at": { type: "string" },
      "idempotency-key": { type: "string" },
    });
    const [definition, key] = readPlaces(positionals, ["DEFINITION", "KEY"]);
    const data = await readPayload(values.data, "--data", terminal);
    const options = given({ data, startAt: values["start-at"], idempotencyKey: values["idempotency-key"] });
    return await withTarget(values, terminal, async (target) => {
      const triggered = await target.trigger({ definition, key }, options);
      if (values.json) await writeJson(terminal, triggered);
      else await terminal.out(`${triggered.runId}${triggered.created ? "" : " was there already"}\n`);
      return 0;
    }, { creates: values.definitions !== undefined });
  },
};
