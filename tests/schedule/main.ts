// deno-lint-ignore-file no-console -- the report is the product.
/**
 * `deno task recurrences [--runs N] [--seed S]`: compares N random recurrences with an oracle that walks from minute
 * to minute.
 *
 * @module
 */
import { compareMany, kinds } from "./compare.ts";

function option(name: string): string | undefined {
  const at = Deno.args.indexOf(`--${name}`);
  return at < 0 ? undefined : Deno.args[at + 1];
}

const runs = Number(option("runs") ?? 10_000);
const seed = Number(option("seed") ?? Math.floor(Math.random() * 2 ** 31));
console.log(`seed ${seed}`);
for (const kind of kinds) {
  const startedAt = performance.now();
  const told = compareMany(kind, { runs, seed });
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  console.log(`${kind}: agreed; ${told} recurrences had something to compare, in ${seconds} s`);
}
