// deno-lint-ignore-file no-console -- the storm's product is its report.
/**
 * `deno task tabs [--kills 200] [--seed 7] [--browser chrome|firefox]`: tabs that trigger and work on one database, closed,
 * crashed, reloaded, frozen, and killed with their browser, and a ledger at the site that proves what was promised.
 *
 * @module
 */
import { runStorm } from "./storm.ts";

function option(name: string, otherwise: string): string {
  const at = Deno.args.indexOf(`--${name}`);
  return at < 0 ? otherwise : Deno.args[at + 1] ?? "";
}

async function main(): Promise<number> {
  const [kills, seed] = [Number(option("kills", "200")), Number(option("seed", "7"))];
  const kind = option("browser", "chrome");
  if (!(kills >= 1) || !Number.isInteger(seed) || (kind !== "chrome" && kind !== "firefox")) {
    console.error("Got options that fit nothing, want --kills 200 --seed 7 --browser chrome|firefox");
    return 2;
  }
  const startedAt = performance.now();
  const seconds = () => ((performance.now() - startedAt) / 1_000).toFixed(0);
  const say = (line: string) => console.log(`${seconds()} s: ${line}`);
  const { violations, deeds, counts } = await runStorm({ kind, kills, seed, say });
  console.table(deeds);
  console.table(counts);
  console.log(`violations: ${violations.length}`);
  for (const each of violations.slice(0, 30)) console.log(each);
  console.log(`deno task tabs --kills ${kills} --seed ${seed} --browser ${kind}: ${seconds()} s`);
  return violations.length === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
