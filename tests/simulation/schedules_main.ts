// deno-lint-ignore-file no-console -- the simulator's product is its report.
/**
 * `deno task simulate:schedules [--seeds N] [--from S]`: lives through seeds with schedules, which are apart from the
 * others; ends with the first that breaks anything.
 *
 * @module
 */
import { simulate } from "../../core/testing/mod.ts";
import { scheduleScenario } from "./schedules.ts";

function option(name: string, otherwise: number): number {
  const at = Deno.args.indexOf(`--${name}`);
  return at < 0 ? otherwise : Number(Deno.args[at + 1]);
}

const [seeds, from] = [option("seeds", 2_000), option("from", 1)];
let saidAt = performance.now();
const report = await simulate(scheduleScenario, {
  seeds,
  from,
  onSeed(seed) {
    if (performance.now() - saidAt < 10_000) return;
    saidAt = performance.now();
    console.log(`... up to seed ${seed}`);
  },
});
const counted = (counts: Readonly<Record<string, number>>) =>
  Object.entries(counts).map(([name, times]) => `${name} ${times}`).join(", ");
console.log(`${report.seeds} seeds from ${from}, ${report.events} events`);
console.log(`faults: ${counted(report.faults)}`);
console.log(`checks: ${counted(report.checks)}`);
console.log(report.coverage);
