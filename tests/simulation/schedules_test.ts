import assert from "node:assert/strict";
import { simulate } from "../../core/testing/mod.ts";
import { scheduleScenario } from "./schedules.ts";

Deno.test("schedules keep their promises over crashes, sleepers, lost replies and jumping clocks", async () => {
  const seeds = 30;
  const report = await simulate(scheduleScenario, { seeds });
  assert.ok(report.checks["I12"]! > 20 * seeds, JSON.stringify(report.checks));
});

// Each found a bug once; both are seen by directed tests or other seeds too.
for (
  const [seed, bug] of [[1173, "a commit had more rows than its store takes"], [
    3404,
    "a backfill looked at what another had looked up",
  ], [
    8945,
    "a claim that failed let another one be made twice, and two owners of one engine worked",
  ]] as const
) {
  Deno.test(`seed ${seed} stays clean: ${bug}`, async () =>
    void await simulate(scheduleScenario, { seeds: 1, from: seed }));
}
