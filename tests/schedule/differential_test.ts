import assert from "node:assert/strict";
import { compareMany, kinds } from "./compare.ts";

/** Rules are many times as long to walk through as the others; `deno task recurrences` has time for 10,000. */
const runsOf: Readonly<Record<string, number>> = { rrule: 500 };

for (const kind of kinds) {
  Deno.test(`${kind} tells the occurrences that an oracle finds by walking from minute to minute`, () => {
    const told = compareMany(kind, { runs: runsOf[kind] ?? 1_500, seed: 20_261_121 });
    assert(told > 60, `only ${told} had any to compare`);
  });
}
