import assert from "node:assert/strict";
import { simulate } from "../../core/testing/mod.ts";
import { scheduleScenario } from "./schedules.ts";

Deno.test("schedules keep their promises over crashes, sleepers, lost replies and jumping clocks", async () => {
  const seeds = Number(Deno.env.get("SCHEDULE_SEEDS") ?? 150);
  const from = Number(Deno.env.get("SCHEDULE_FROM") ?? 1);
  const report = await simulate(scheduleScenario, { seeds, from });
  assert.ok(report.checks["I12"]! > 20 * seeds, JSON.stringify(report.checks));
});
