import assert from "node:assert/strict";
import { simulate } from "../../core/testing/mod.ts";
import { lockScenario } from "./locks.ts";

Deno.test("locks keep their promises over crashes, sleepers, lost replies and jumping clocks", async () => {
  const seeds = Number(Deno.env.get("LOCK_SEEDS") ?? 150);
  const from = Number(Deno.env.get("LOCK_FROM") ?? 1);
  const report = await simulate(lockScenario, { seeds, from });
  assert.ok(report.checks["I11"]! > 100 * seeds, JSON.stringify(report.checks));
});
