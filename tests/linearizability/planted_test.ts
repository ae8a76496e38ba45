import assert from "node:assert/strict";
import { checkHistory } from "./check_history.ts";
import { explain } from "./explain.ts";
import { kinds, type NearKind } from "./kinds.ts";
import { outcomePlants, plants, wrapWith } from "./planted.ts";
import { sceneHere, type Wrap } from "./scene.ts";

/** Rounds within which a broken rule must show. */
const roundsMax = 20;

/** The first round that shows a violation, in words. */
async function firstViolation(kind: NearKind, wrap: Wrap, rounds: number): Promise<string | undefined> {
  for (let seed = 1; seed <= rounds; seed++) {
    const scene = sceneHere(kind, seed, wrap);
    const history = await scene.round({ name: "r", seed, operations: 30, clients: 5 });
    await scene.close();
    const verdict = checkHistory(history);
    if (verdict.verdict !== "linearizable") return explain(history, verdict);
  }
  return undefined;
}

for (const name of ["memory", "memory-losing"] as const) {
  Deno.test(`a wrapper of ${name} that breaks no rule is linearizable`, async () => {
    assert.equal(await firstViolation(kinds[name], wrapWith(() => ({})), roundsMax), undefined);
  });
}

const cases = [
  ...Object.entries(plants).map((each) => ["memory", ...each] as const),
  ...Object.entries(outcomePlants).map((each) => ["memory-losing", ...each] as const),
];

for (const [kind, name, plant] of cases) {
  Deno.test(`a store that ${name} is found out`, async () => {
    const found = await firstViolation(kinds[kind], wrapWith(plant), roundsMax);
    assert.match(found ?? "nothing was found", /^Shard \d is not linearizable/);
  });
}
