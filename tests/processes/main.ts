// deno-lint-ignore-file no-console -- the fleet's product is its report.
/**
 * `deno task processes [--seconds 60] [--seed 7] [--store file|sqld|sqld-ws] [--workers 4] [--load 40]`: worker processes
 * on one store, killed, stopped and restarted, and a ledger of their own that proves what was promised.
 *
 * @module
 */
import { runEpisode } from "./episode.ts";
import { makePlace, type StoreKind, storeKinds } from "./place.ts";

function option(name: string, otherwise: string): string {
  const at = Deno.args.indexOf(`--${name}`);
  return at < 0 ? otherwise : Deno.args[at + 1] ?? "";
}

async function main(): Promise<number> {
  const [seconds, seed, workers, load] = (["seconds 60", "seed 7", "workers 4", "load 40"] as const)
    .map((each) => each.split(" ") as [string, string]).map(([name, value]) => Number(option(name, value)));
  const store = option("store", "file");
  if (!(storeKinds as readonly string[]).includes(store)) {
    console.error(`Got store "${store}", want ${storeKinds.join(", ")}`);
    return 2;
  }
  const place = await makePlace(store as StoreKind);
  const again = `deno task processes --seconds ${seconds} --seed ${seed} --store ${store} ` +
    `--workers ${workers} --load ${load}`;
  console.log(`${again}\nfiles in ${place.folder}\n`);
  const startedAt = performance.now();
  const say = (line: string) =>
    console.log(`${((performance.now() - startedAt) / 1_000).toFixed(0)} s: ${line}`);
  let isWell = false;
  try {
    const numbers = { seed: seed!, seconds: seconds!, workers: workers!, load: load! };
    const { violations, counts } = await runEpisode({ place, name: "a", ...numbers, say });
    console.table(counts);
    console.log(`violations: ${violations.length}`);
    for (const each of violations.slice(0, 30)) console.log(`\n${each}`);
    isWell = violations.length === 0;
  } finally {
    await place.close();
    if (isWell) await Deno.remove(place.folder, { recursive: true });
    else console.log(`\nfiles are kept in ${place.folder}\nagain: ${again}`);
  }
  return isWell ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
