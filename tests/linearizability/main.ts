// deno-lint-ignore-file no-console -- the command's product is its report.
/**
 * `deno task linearize [--seconds 60] [--store file] [--seed N]`: clients at work on a store, and the proof that some
 * order of all that they did explains every answer.
 *
 * @module
 */
import { type KindName, kinds } from "./kinds.ts";
import { type Counts, runRounds } from "./rounds.ts";

const names = Object.keys(kinds);

function option(name: string, otherwise: string): string {
  const at = Deno.args.indexOf(`--${name}`);
  return at < 0 ? otherwise : Deno.args[at + 1] ?? "";
}

/** Milliseconds between two lines of progress. */
const progressMs = 5_000;

function words(
  { histories, operations, commits, conflicts, unknown, settled, refused, ...rest }: Counts,
): string {
  const { clientMs, checkMs, effort, revivals } = rest;
  const rate = Math.round(operations / (clientMs / 1_000 || 1));
  return `${histories} histories, ${operations} operations (${rate}/s while clients work), ${commits} commits, ` +
    `${conflicts} conflicts, ${unknown} unknown, ${settled} settled, ${refused} refused${
      revivals ? `, ${revivals} servers that hung` : ""
    }; ` +
    `checked in ${(checkMs / 1_000).toFixed(1)} s with ${effort} places tried`;
}

async function main(): Promise<number> {
  const [seconds, seed] = [
    Number(option("seconds", "60")),
    Number(option("seed", String(Date.now() % 100_000))),
  ];
  const kind = option("store", "file");
  if (!names.includes(kind)) {
    console.error(`Got store "${kind}", want ${names.join(", ")}`);
    return 2;
  }
  if (!(seconds > 0) || !Number.isInteger(seed)) {
    console.error(`Got ${seconds} seconds and seed ${seed}, want a positive and a whole number`);
    return 2;
  }
  console.log(`deno task linearize --seconds ${seconds} --store ${kind} --seed ${seed}\n`);
  const startedAt = performance.now();
  let toldAt = startedAt;
  const { counts, violation, history } = await runRounds({
    kind: kind as KindName,
    seed,
    more(counts) {
      const now = performance.now();
      if (now - toldAt > progressMs) {
        console.log(`${((toldAt = now) - startedAt) / 1_000 | 0} s: ${words(counts)}`);
      }
      return now - startedAt < seconds * 1_000;
    },
  });
  console.log(`\n${words(counts)}`);
  if (violation === undefined) {
    console.log("verdict: all linearizable");
    return 0;
  }
  const path = await Deno.makeTempFile({ prefix: "pawl-history-", suffix: ".json" });
  await Deno.writeTextFile(path, JSON.stringify(history));
  console.log(`verdict: NOT linearizable\n\n${violation}\n\nthe whole history is in ${path}`);
  return 1;
}

if (import.meta.main) Deno.exit(await main());
