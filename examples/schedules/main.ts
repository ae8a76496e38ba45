/**
 * Reports of each day, and of the week before: `deno run -A examples/schedules/main.ts`.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- It prints what happens.
import { createEngine } from "pawl";
import { memoryStore } from "pawl/adapters/memory";
import { reportMachine, scheduleReports } from "./reports.ts";

const written = new Set<string>();
const all = Promise.withResolvers<void>();
const reports = reportMachine((day) => {
  written.add(day);
  if (written.size === 7) all.resolve();
});
const store = memoryStore();
const engine = createEngine({ store, definitions: [reports] });
await engine.start();

const first = await scheduleReports(engine, reports);
const again = await scheduleReports(engine, reports);
console.log(
  `The schedule is ${first.created ? "new" : "there"}, and then ${again.created ? "new" : "there"}`,
);

const now = Date.now();
await engine.schedules.backfill("nightly-report", {
  from: new Date(now - 7 * 86_400_000),
  until: new Date(now),
});
await all.promise;
console.log(`${written.size} days are made up for`);

await engine.schedules.pause("nightly-report", { note: "the shop is closed" });
const { enabled, note, upcoming } = await engine.schedules.describe("nightly-report");
console.log(
  `It is ${enabled ? "going on" : "paused"}: ${note}; next would be ${upcoming.length} nights at 02:00 UTC`,
);

await engine.stop();
await store.close();
