// deno-lint-ignore-file no-console -- the report is the product.
/**
 * `deno task model [--runs N] [--seed S] [--path P] [--store NAME]`: lives N random programs on engines and compares each
 * with what the model expects. Without `--store`, one in twenty is lived on a libSQL file, one on
 * IndexedDB, and three on four shards.
 *
 * @module
 */
import { type StoreKind, storeKinds } from "../engine/stores.ts";
import { compare } from "./compare.ts";
import type { Scenario } from "./scenario.ts";

/** Lives between two looks at the time. */
const roundRuns = 500;

function option(name: string): string | undefined {
  const at = Deno.args.indexOf(`--${name}`);
  return at < 0 ? undefined : Deno.args[at + 1];
}

function kindOf({ seed }: Scenario): StoreKind {
  const [memory, shards, file, browser] = storeKinds as [StoreKind, StoreKind, StoreKind, StoreKind];
  const draw = seed % 20;
  return draw === 0 ? file : draw === 1 ? browser : draw < 5 ? shards : memory;
}

async function main(): Promise<number> {
  const runs = Number(option("runs") ?? 2_000);
  const seed = Number(option("seed") ?? Math.floor(Math.random() * 2 ** 31));
  const path = option("path");
  const name = option("store");
  const only = storeKinds.find((kind) => kind.name === name);
  if (name !== undefined && !only) throw new Error(`no store is named "${name}"`);
  console.log(`seed ${seed}`);
  const startedAt = performance.now();
  let [lived, free, saidAt] = [0, 0, startedAt];
  for (let round = 0; lived < runs; round++) {
    const which = { seed: seed + round, runs: Math.min(roundRuns, runs - lived), ...(path && { path }) };
    const came = await compare(which, only ? () => only : kindOf);
    lived += came.lived;
    free += came.free;
    if (came.failure !== undefined) return console.log(`\n${came.failure}\n`), 1;
    if (path !== undefined) break;
    if (performance.now() - saidAt < 10_000) continue;
    saidAt = performance.now();
    console.log(`... ${lived} lives`);
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  const speed = (lived / seconds).toFixed(0);
  console.log(
    `${lived} lives in ${
      seconds.toFixed(1)
    } s: ${speed} lives/s; of ${free} the documentation leaves something free`,
  );
  return 0;
}

if (import.meta.main) Deno.exit(await main());
