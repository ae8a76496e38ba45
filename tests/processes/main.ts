// deno-lint-ignore-file no-console -- the fleet's product is its report.
/**
 * `deno task processes [--seconds 60] [--kills N] [--seed 7] [--store file|sqld|sqld-ws] [--workers 4] [--clients 2]
 * [--load 40] [--term 1500]`: worker processes on one store, killed, stopped and restarted, and a ledger of their own that
 * proves what was promised. With `--kills` it goes on until so many workers and servers were killed, for `--seconds` at
 * most.
 *
 * @module
 */
import { type Outcome, runEpisode } from "./episode.ts";
import { termMs } from "./fleet.ts";
import { makePlace, type StoreKind, storeKinds } from "./place.ts";

function option(name: string): string | undefined {
  const at = Deno.args.indexOf(`--${name}`);
  return at < 0 ? undefined : Deno.args[at + 1] ?? "";
}

const numberOf = (name: string, otherwise: number) => Number(option(name) ?? otherwise);

/** Time for a kill at most, when it is kills that count. */
const secondsPerKill = 4;
/** With many kills of workers on a file, ownerships are short as well; a server that dies too must be given time. */
const termOfStormMs = 1_000;

function optionsOf(store: string) {
  const kills = option("kills") === undefined ? undefined : numberOf("kills", 0);
  return {
    seed: numberOf("seed", 7),
    seconds: numberOf("seconds", kills === undefined ? 60 : 20 + kills * secondsPerKill),
    workers: numberOf("workers", 4),
    clients: numberOf("clients", 2),
    load: numberOf("load", kills === undefined ? 40 : 60),
    termMs: numberOf("term", kills !== undefined && store === "file" ? termOfStormMs : termMs),
    ...(kills !== undefined && { kills }),
  };
}

async function main(): Promise<number> {
  const store = option("store") ?? "file";
  const options = optionsOf(store);
  const wrong = Object.entries(options).find(([, value]) => !(value >= 0));
  if (wrong || !(storeKinds as readonly string[]).includes(store)) {
    console.error(
      wrong ? `Got no number for ${wrong[0]}` : `Got store "${store}", want ${storeKinds.join(", ")}`,
    );
    return 2;
  }
  const place = await makePlace(store as StoreKind);
  const { termMs: term, ...named } = options;
  const given = Object.entries({ ...named, term, store }).map(([name, value]) => `--${name} ${value}`);
  const again = `deno task processes ${given.join(" ")}`;
  console.log(`${again}\nfiles in ${place.folder}\n`);
  const startedAt = performance.now();
  const seconds = () => ((performance.now() - startedAt) / 1_000).toFixed(0);
  const say = (line: string) => console.log(`${seconds()} s: ${line}`);
  let isWell = false;
  try {
    const outcome = await runEpisode({ place, name: "a", receivers: 1, ...options, say });
    tell(outcome, options.kills);
    console.log(`seed ${options.seed}, ${seconds()} s`);
    isWell = outcome.violations.length === 0;
  } finally {
    await place.close();
    if (isWell) await Deno.remove(place.folder, { recursive: true });
    else console.log(`\nfiles are kept in ${place.folder}\nagain: ${again}`);
  }
  return isWell ? 0 : 1;
}

function tell({ violations, counts, kills, killed, deeds }: Outcome, wished: number | undefined): void {
  console.table(counts);
  console.table(deeds);
  console.table(kills);
  console.log(`real kill -9s of workers and servers: ${killed}`);
  if (wished !== undefined && killed < wished) {
    console.log(`TIME WAS OVER FIRST: ${killed} of ${wished} kills; give it more with --seconds`);
  }
  console.log(`violations: ${violations.length}`);
  for (const each of violations.slice(0, 30)) console.log(`\n${each}`);
}

if (import.meta.main) Deno.exit(await main());
