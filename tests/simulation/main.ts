// deno-lint-ignore-file no-console -- the simulator's product is its report.
/**
 * `deno task simulate [--seeds N] [--from S] [--fresh SECONDS] [--browser] [--coverage] [--no-mutants] [--only MUTANT]`: lives through
 * N seeds on all cores, and a quarter as many in a browser that loses power (or those alone), then through seeds that nobody
 * has seen for a while, then shows with mutants of the engine that the checks can see.
 *
 * @module
 */
import { invariants } from "../../core/testing/simulation/invariants.ts";
import { runMutants } from "./mutants.ts";
import type { Home } from "../../core/testing/simulation/plan.ts";
import { liveOnAllCores, type SeedTotal } from "./seed_pool.ts";
import { tellFailure } from "./tell_failure.ts";

/** Failures after which no more seeds are begun. */
const failedMax = 5;

function option(name: string): string | undefined {
  const at = Deno.args.indexOf(`--${name}`);
  return at < 0 ? undefined : Deno.args[at + 1];
}

async function main(): Promise<number> {
  const only = option("only");
  if (only !== undefined) return await runMutants(only);
  const seeds = Number(option("seeds") ?? 2_000);
  const from = Number(option("from") ?? 1);
  const freshMs = Number(option("fresh") ?? 0) * 1_000;
  const isBrowser = Deno.args.includes("--browser");
  const inBrowser = isBrowser ? seeds : Math.ceil(seeds / 4);
  let failed = isBrowser ? 0 : await round("server", from, (begun) => begun < seeds);
  if (failed === 0) failed = await round("browser", from, (begun) => begun < inBrowser);
  if (freshMs > 0 && failed === 0) {
    const first = 1_000_000 + Math.floor(Math.random() * 1_000_000_000);
    const until = performance.now() + freshMs;
    console.log(`fresh seeds from ${first}`);
    failed = await round(isBrowser ? "browser" : "server", first, () => performance.now() < until);
  }
  if (failed > 0) return 1;
  return Deno.args.includes("--no-mutants") ? 0 : await runMutants();
}

async function round(home: Home, from: number, goesOn: (begun: number) => boolean): Promise<number> {
  const startedAt = performance.now();
  let saidAt = startedAt;
  const total = await liveOnAllCores(
    home,
    from,
    (begun, { failed }) => goesOn(begun) && failed.length < failedMax,
    ({ lived, failed }) => {
      if (performance.now() - saidAt < 10_000) return;
      saidAt = performance.now();
      const which = failed.length > 0 ? `, seeds ${failed.join(", ")}` : "";
      console.log(`... ${lived} seeds lived through, ${failed.length} violations${which}`);
    },
  );
  for (const seed of total.failed.slice(0, failedMax)) await tellFailure(seed, home);
  tellTotal(total, home, from, (performance.now() - startedAt) / 1_000);
  return total.failed.length;
}

function tellTotal(total: SeedTotal, home: Home, from: number, seconds: number): void {
  const { lived, events, faults, checks, coverage, failed } = total;
  const speed = (lived / seconds).toFixed(0);
  console.log(
    `\n${lived} seeds from ${from} on a ${home} in ${
      seconds.toFixed(1)
    } s: ${speed} seeds/s, ${events} events`,
  );
  console.log(`faults: ${counted(faults)}`);
  console.log(`checks: ${counted(checks)}`);
  const unseen = Object.keys(invariants).filter((name) => !checks.has(name) && name !== "check");
  if (unseen.length > 0) console.log(`never looked at: ${unseen.join(", ")}`);
  if (Deno.args.includes("--coverage")) console.log(`\n${coverage.table()}\n`);
  console.log(`violations: ${failed.length}${failed.length > 0 ? `, seeds ${failed.join(", ")}` : ""}\n`);
}

function counted(counts: ReadonlyMap<string, number>): string {
  return [...counts].sort().map(([name, times]) => `${name} ${times}`).join(", ");
}

if (import.meta.main) Deno.exit(await main());
