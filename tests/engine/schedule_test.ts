import assert from "node:assert/strict";
import { every, machine } from "../../mod.ts";
import { testOnStores } from "./stores.ts";

const t0 = Date.UTC(2030, 0, 1);
const time = (ms: number) => new Date(t0 + ms).toISOString().slice(11, 19);

testOnStores("a schedule starts a run for each occurrence, and tells of each", async (world) => {
  const seen: string[] = [];
  const job = machine<{ n: number }>("job")
    .step("a", ["b"], (run) => {
      seen.push(`${run.key} ${run.data.n}`);
      return "b";
    })
    .build();
  const engine = await world.started({ definitions: [job] });
  const { created, schedule } = await world.during(engine.schedules.create({
    id: "s",
    recurrence: every("10s"),
    target: job,
    key: "job-{scheduledFor}",
    data: { n: 7 },
  }));
  assert.equal(created, true);
  assert.equal(schedule.next?.toISOString(), "2030-01-01T00:00:10.000Z");
  await world.advance(35_000);
  assert.deepEqual(seen, ["10", "20", "30"].map((each) => `job-2030-01-01T00:00:${each}.000Z 7`));
  const { items } = await world.during(engine.schedules.outcomes("s"));
  assert.deepEqual(items.map((each) => `${time(Number(each.scheduledFor) - t0)} ${each.outcome}`), [
    "00:00:10 started",
    "00:00:20 started",
    "00:00:30 started",
  ]);
  const description = await world.during(engine.schedules.describe("s"));
  assert.deepEqual(description.counts, { started: 3, skipped: 0, missed: 0, failed: 0 });
  assert.deepEqual(description.running, []);
  assert.deepEqual(description.results.map(({ runState }) => runState), [
    "completed",
    "completed",
    "completed",
  ]);
  const run = await world.during(engine.get(job, "job-2030-01-01T00:00:30.000Z"));
  assert.deepEqual(run?.origin, { schedule: "s", scheduledFor: new Date(t0 + 30_000) });
});
