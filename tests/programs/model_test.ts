import assert from "node:assert/strict";
import fc from "fast-check";
import { storeKinds } from "../engine/stores.ts";
import { compare, picturesOf, tell } from "./compare.ts";
import { expect } from "./model_life.ts";
import { difference } from "./picture.ts";
import { scenarios } from "./scenario.ts";

/** Lives on each kind of store; a file takes ten times as long as memory. */
const runs = [1_200, 300, 40, 40];

for (const [index, kind] of storeKinds.entries()) {
  Deno.test(`random programs do what the model expects of them (${kind.name})`, async () => {
    const { failure } = await compare({ seed: 1_000 + index, runs: runs[index]!, shrinks: 150 }, () => kind);
    if (failure !== undefined) assert.fail(failure);
  });
}

Deno.test("the same program has the same history on every kind of store", async () => {
  for (const scenario of fc.sample(scenarios, { seed: 16, numRuns: 30 })) {
    if (expect(scenario).free !== undefined) continue;
    const [first, ...others] = await picturesOf(scenario, storeKinds);
    for (const [index, other] of others.entries()) {
      const found = difference(first!, other);
      if (found !== undefined) assert.fail(tell(scenario, storeKinds[index + 1]!.name, found));
    }
  }
});
