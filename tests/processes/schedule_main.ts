// deno-lint-ignore-file no-console -- it is run for its report.
/**
 * `deno task processes:schedules [--seconds 60] [--workers 3] [--seed 7]`: schedules on a file whose processes are killed, by
 * themselves around the commits that count and from outside at any time, and a ledger of which occurrence began which run.
 *
 * @module
 */
import { seededRandom } from "../../core/ports/random.ts";
import { type Fate, liveThrough } from "./schedule_scene.ts";

function option(name: string, otherwise: number): number {
  const at = Deno.args.indexOf(`--${name}`);
  return at < 0 ? otherwise : Number(Deno.args[at + 1]);
}

const [seconds, workers, seed] = [option("seconds", 60), option("workers", 3), option("seed", 7)];
const random = seededRandom(seed);
const pick = <Item>(items: readonly Item[]) => items[Math.floor(random.float() * items.length)]!;
const fates = Array.from({ length: Math.floor(seconds / 4) }, (): Fate => [
  pick(["before", "after"]),
  pick(["claim", "start", "landing"]),
  Math.ceil(random.float() * 10),
]);
const counts = await liveThrough({
  ms: seconds * 1_000,
  workers,
  fates,
  killEveryMs: 2_500,
  random: () => random.float(),
  say: console.log,
});
console.table(counts);
console.log(`each occurrence has one outcome, and was begun by one run at most: seed ${seed}`);
