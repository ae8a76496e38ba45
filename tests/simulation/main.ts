// deno-lint-ignore-file no-console -- the simulator's product is its report.
/**
 * `deno task simulate [--seeds N] [--from S] [--fresh SECONDS] [--scenario machines|schedules|locks] [--browser] [--coverage]
 * [--no-mutants | --quick-mutants] [--only MUTANT]`: lives through N seeds of machines on all cores, a quarter as many in a browser that loses
 * power, and a twentieth as many of schedules and of locks (or one of these alone), then through seeds that nobody has seen
 * for a while, then shows with mutants of the engine that the checks can see.
 *
 * @module
 */
import { type InvariantName, invariants } from "../../core/testing/simulation/invariants.ts";
import { runMutants } from "./mutants.ts";
import { type ScenarioName, scenarioNames } from "./scenarios.ts";
import { liveOnAllCores, type SeedTotal } from "./seed_pool.ts";
import type { SeedRange } from "./seed_worker.ts";
import { tellFailure } from "./tell_failure.ts";

type What = Pick<SeedRange, "scenario" | "home">;

/** Failures after which no more seeds are begun. */
const failedMax = 5;

function option(name: string): string | undefined {
  const at = Deno.args.indexOf(`--${name}`);
  return at < 0 ? undefined : Deno.args[at + 1];
}

/** What is lived through, and how many of the seeds that were asked for. */
function rounds(seeds: number): readonly (What & { readonly seeds: number })[] {
  const only = option("scenario");
  const isBrowser = Deno.args.includes("--browser");
  if (only !== undefined || isBrowser) {
    const scenario = scenarioNames.find((each) => each === (only ?? "machines"));
    if (!scenario) throw new Error(`Got scenario "${only}", want one of ${scenarioNames.join(", ")}`);
    return [{ scenario, home: isBrowser ? "browser" : "server", seeds }];
  }
  return [
    { scenario: "machines", home: "server", seeds },
    { scenario: "machines", home: "browser", seeds: Math.ceil(seeds / 4) },
    { scenario: "schedules", home: "server", seeds: Math.ceil(seeds / 20) },
    { scenario: "locks", home: "server", seeds: Math.ceil(seeds / 20) },
  ];
}

async function main(): Promise<number> {
  const only = option("only");
  if (only !== undefined) return await runMutants(only);
  const from = Number(option("from") ?? 1);
  const freshMs = Number(option("fresh") ?? 0) * 1_000;
  const all = rounds(Number(option("seeds") ?? 2_000));
  let failed = 0;
  for (const { seeds, ...what } of all) {
    if (failed === 0) failed = await round(what, from, (begun) => begun < seeds);
  }
  if (freshMs > 0 && failed === 0) {
    const first = 1_000_000 + Math.floor(Math.random() * 1_000_000_000);
    const until = performance.now() + freshMs;
    console.log(`fresh seeds from ${first}`);
    failed = await round(all[0]!, first, () => performance.now() < until);
  }
  if (failed > 0) return 1;
  return Deno.args.includes("--no-mutants")
    ? 0
    : await runMutants(undefined, Deno.args.includes("--quick-mutants"));
}

async function round(what: What, from: number, goesOn: (begun: number) => boolean): Promise<number> {
  const startedAt = performance.now();
  let saidAt = startedAt;
  const total = await liveOnAllCores(
    what,
    from,
    (begun, { failed }) => goesOn(begun) && failed.length < failedMax,
    ({ lived, failed }) => {
      if (performance.now() - saidAt < 10_000) return;
      saidAt = performance.now();
      const which = failed.length > 0 ? `, seeds ${failed.join(", ")}` : "";
      console.log(`... ${lived} seeds lived through, ${failed.length} violations${which}`);
    },
  );
  for (const seed of total.failed.slice(0, failedMax)) await tellFailure(seed, what);
  tellTotal(total, what, from, (performance.now() - startedAt) / 1_000);
  return total.failed.length;
}

/** What a scenario cannot look at: a server has no platform, and there are checks of their own of schedules and of locks. */
const elsewhere: Readonly<Record<ScenarioName, readonly InvariantName[]>> = {
  machines: ["check", "I11", "I12"],
  schedules: Object.keys(invariants).filter((name) => name !== "I12") as InvariantName[],
  locks: Object.keys(invariants).filter((name) => name !== "I11") as InvariantName[],
};

function tellTotal(total: SeedTotal, { scenario, home }: What, from: number, seconds: number): void {
  const { lived, events, faults, checks, coverage, failed } = total;
  const speed = (lived / seconds).toFixed(0);
  console.log(
    `\n${lived} seeds of ${scenario} from ${from} on a ${home} in ${
      seconds.toFixed(1)
    } s: ${speed} seeds/s, ${events} events`,
  );
  console.log(`faults: ${counted(faults)}`);
  console.log(`checks: ${counted(checks)}`);
  const names = Object.keys(invariants) as InvariantName[];
  const unseen = names.filter((name) => !checks.has(name) && !elsewhere[scenario].includes(name));
  if (unseen.length > 0) console.log(`never looked at: ${unseen.join(", ")}`);
  if (Deno.args.includes("--coverage")) console.log(`\n${coverage.table()}\n`);
  console.log(`violations: ${failed.length}${failed.length > 0 ? `, seeds ${failed.join(", ")}` : ""}\n`);
}

function counted(counts: ReadonlyMap<string, number>): string {
  return [...counts].sort().map(([name, times]) => `${name} ${times}`).join(", ");
}

if (import.meta.main) Deno.exit(await main());
