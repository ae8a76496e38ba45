/**
 * A small storm, and that its judge sees what there is to see. `deno task tabs --kills 200` is the large one.
 *
 * @module
 */
import assert from "node:assert/strict";
import { testWithBrowser } from "./browsers.ts";
import { type Evidence, judge } from "./kills/judge.ts";
import { runStorm } from "./kills/storm.ts";
import type { Filed } from "./pages/tab.ts";
import { bothKinds, wholeWay } from "./tab.ts";

const statuses = ["filled", "checked", "signed"];

/** A storm that broke nothing: two runs, and one attempt that was made again. */
function sound(): Evidence {
  const runs = ["a", "b"].map((key): Filed => ({
    runId: `run ${key}`,
    key,
    runState: "completed",
    status: "filed",
    data: { seen: statuses.map((status) => `${status} in one`) },
    moves: wholeWay,
    kinds: ["trigger", "move", "move", "move"],
  }));
  const effects = runs.flatMap(({ runId }) =>
    statuses.map((status) => ({ runId, status, stepId: `${runId} ${status}` }))
  );
  return { acks: [{ key: "a", runId: "run a" }], effects: [...effects, effects[0]!], runs, findings: [] };
}

/** What a fault changes of the run of key `a`. */
const withRun = (change: Partial<Filed>) => {
  const { runs, ...rest } = sound();
  return { ...rest, runs: [{ ...runs[0]!, ...change }, runs[1]!] };
};

const faults: Readonly<Record<string, () => Evidence>> = {
  "run run a is lost": () => ({ ...sound(), runs: sound().runs.slice(1), effects: [] }),
  "had an effect, and is lost": () => ({ ...sound(), acks: [], runs: sound().runs.slice(1) }),
  "run a of a is paused": () => withRun({ runState: "paused" }),
  "filled > checked, filled > checked": () => withRun({ moves: [wholeWay[0]!, ...wholeWay] }),
  "the data of run run a": () => withRun({ data: { seen: ["filled in one", "signed in one"] } }),
  "filled of run run a has landed without an effect": () => ({
    ...sound(),
    effects: sound().effects.filter(({ stepId }) => stepId !== "run a filled"),
  }),
  "had the step ids": () => ({
    ...sound(),
    effects: [...sound().effects, { runId: "run a", status: "filled", stepId: "another" }],
  }),
  "is of run a at filled and of run b at filled": () => ({
    ...sound(),
    effects: [...sound().effects, { runId: "run b", status: "filled", stepId: "run a filled" }],
  }),
  "the store is not sound": () => ({ ...sound(), findings: [{ problem: "a row too many" }] }),
};

Deno.test("judge() finds nothing wrong where nothing is, and each fault that is made", () => {
  assert.deepEqual(judge(sound()), []);
  for (const [problem, evidence] of Object.entries(faults)) {
    const found = judge(evidence());
    assert.ok(found.some((each) => each.includes(problem)), `${problem} is not in ${found.join("; ")}`);
  }
});

for (const kind of bothKinds) {
  testWithBrowser(
    kind,
    `after ten random ends of tabs and browsers nothing is lost, stuck, or done twice (${kind})`,
    async () => {
      const { violations, counts } = await runStorm({ kind, kills: 10, seed: 1 });
      assert.deepEqual(violations, []);
      assert.ok(counts["runs acknowledged"]! > 0);
    },
    1,
  );
}
