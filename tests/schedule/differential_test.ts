import assert from "node:assert/strict";
import { compareMany, kinds } from "./compare.ts";

/** Rules are many times as long to walk through as the others; `deno task recurrences` has time for 10,000. */
const runsOf: Readonly<Record<string, number>> = { rrule: 250 };

for (const kind of kinds) {
  Deno.test(`${kind} tells the occurrences that an oracle finds by walking from minute to minute`, () => {
    const runs = Number(Deno.env.get("RECURRENCE_RUNS") ?? runsOf[kind] ?? 1_500);
    const told = compareMany(kind, { runs, seed: 20_261_121 });
    assert(told > (runs < 500 ? runs / 25 : 60), `only ${told} of ${runs} had any to compare`);
  });
}
