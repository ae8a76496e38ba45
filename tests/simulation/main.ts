// deno-lint-ignore-file no-console -- the simulator's product is its report.
/**
 * `deno task simulate --seeds N [--from S] [--no-mutants] [--only MUTANT]`: lives through N seeds, then shows with mutants
 * of the engine that the checks can see.
 */
import { runMutants } from "./mutants.ts";
import { runSeed } from "./scenario.ts";
import type { Violation } from "../../core/testing/simulation/world.ts";

function option(name: string): string | undefined {
  const at = Deno.args.indexOf(`--${name}`);
  return at < 0 ? undefined : Deno.args[at + 1];
}

async function main(): Promise<number> {
  const only = option("only");
  if (only !== undefined) return await runMutants(only);
  const seeds = Number(option("seeds") ?? 2_000);
  const from = Number(option("from") ?? 1);
  const faults = new Map<string, number>();
  const startedAt = performance.now();
  let events = 0;
  let violations = 0;
  let saidAt = startedAt;
  for (let seed = from; seed < from + seeds && violations < 5; seed++) {
    try {
      const report = await runSeed(seed);
      events += report.events;
      for (const [kind, count] of report.faults) faults.set(kind, (faults.get(kind) ?? 0) + count);
    } catch (error) {
      violations++;
      report(seed, error as Violation & { trace: string[] });
    }
    if (performance.now() - saidAt > 10_000) {
      saidAt = performance.now();
      console.log(`... seed ${seed}, ${violations} violations`);
    }
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  console.log(
    `\n${seeds} seeds from ${from} in ${seconds.toFixed(1)} s: ${
      (seeds / seconds).toFixed(0)
    } seeds/s, ${events} events`,
  );
  console.log("faults:", [...faults].sort().map(([kind, count]) => `${kind} ${count}`).join(", "));
  console.log(`violations: ${violations}\n`);
  if (violations > 0) return 1;
  return Deno.args.includes("--no-mutants") ? 0 : await runMutants();
}

function report(seed: number, error: Violation & { trace?: string[] }): void {
  console.log(`\nseed ${seed}: ${error.invariant ? error.message : error.stack}`);
  console.log((error.trace ?? []).join("\n"));
  console.log(`again: deno task simulate --from ${seed} --seeds 1 --no-mutants`);
}

if (import.meta.main) Deno.exit(await main());
