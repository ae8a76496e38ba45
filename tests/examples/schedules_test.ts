import assert from "node:assert/strict";
import { reportMachine, scheduleReports } from "../../examples/schedules/reports.ts";
import { testEngine } from "../../core/testing/mod.ts";

Deno.test("a report is written each night, once, and the nights before are made up for", async () => {
  const days: string[] = [];
  const reports = reportMachine((day) => void days.push(day));
  await using t = await testEngine({ definitions: [reports], now: new Date("2030-05-10T12:00Z") });
  assert.equal((await scheduleReports(t.engine, reports)).created, true);
  assert.equal((await scheduleReports(t.engine, reports)).created, false);
  await t.advance("2d");
  assert.deepEqual(days.splice(0), ["2030-05-10", "2030-05-11"]);
  const range = { from: new Date("2030-05-08T00:00Z"), until: new Date("2030-05-12T00:00Z") };
  await t.engine.schedules.backfill("nightly-report", range);
  await t.advance("1m");
  assert.deepEqual(days, ["2030-05-07", "2030-05-08", "2030-05-09"]);
});
