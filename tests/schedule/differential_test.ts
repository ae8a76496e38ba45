import assert from "node:assert/strict";
import { compareMany, kinds } from "./compare.ts";

for (const kind of kinds) {
  Deno.test(`${kind} tells the occurrences that an oracle finds by walking from minute to minute`, () => {
    const told = compareMany(kind, { runs: 1_500, seed: 20_261_121 });
    assert(told > 60, `only ${told} had any to compare`);
  });
}
