// deno-lint-ignore-file no-console -- its product is its report.
/**
 * `deno task deploy [--seconds 60] [--kills 0] [--seed 1] [--customers 8] [--isolates 4] [--pause 1500] [--cron 1000] [--rounds 1]`: isolates
 * of examples/deno-deploy on one libSQL server, killed at any moment while customers order. `--cron 0` leaves ticks to
 * requests and to `Deno.cron`, which comes once a minute.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { storm } from "./storm.ts";

const { values } = parseArgs({
  args: Deno.args,
  options: {
    seconds: { type: "string", default: "60" },
    kills: { type: "string", default: "0" },
    seed: { type: "string", default: "1" },
    customers: { type: "string", default: "8" },
    isolates: { type: "string", default: "4" },
    pause: { type: "string", default: "1500" },
    cron: { type: "string", default: "1000" },
    rounds: { type: "string", default: "1" },
  },
});

let failures = 0;
for (let round = 0; round < Number(values.rounds); round++) {
  const startedAt = performance.now();
  const seed = Number(values.seed) + round;
  const { broken, counts, said } = await storm({
    seed,
    seconds: Number(values.seconds),
    kills: Number(values.kills),
    customers: Number(values.customers),
    isolates: Number(values.isolates),
    pauseMs: Number(values.pause),
    cronMs: Number(values.cron),
    flags: values.cron === "0" ? ["--unstable-cron"] : [],
  });
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0);
  console.log(`seed ${seed}, ${seconds} s: ${JSON.stringify(counts)}, broken promises: ${broken.length}`);
  if (broken.length > 0) console.log([...broken.slice(0, 20), "They said:", ...said].join("\n"));
  failures += broken.length;
}
Deno.exit(failures > 0 ? 1 : 0);
