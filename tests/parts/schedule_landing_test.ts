import assert from "node:assert/strict";
import { newSchedule } from "../../core/parts/schedule_edit.ts";
import { startLanded } from "../../core/parts/schedule_landing.ts";
import type { ScheduleRecord } from "../../core/parts/schedule_record.ts";

const begun: ScheduleRecord = newSchedule(
  {
    id: "s",
    definition: "job",
    life: "now",
    rules: { type: "every", spec: "{}", key: "k", overlap: "skip", catchUpMs: 0, jitterMs: 0 } as never,
    payload: { text: "null", sealed: false, version: 1 },
    isEnabled: true,
    note: undefined,
  },
  (after) => after + 10,
  100,
  undefined,
);

const schedule: ScheduleRecord = {
  ...begun,
  start: 1,
  starting: { at: 110, kind: "slot", since: 110, start: 1, key: "k" },
};

Deno.test("an occurrence whose start was outrun by an earlier schedule's waits, and starts after that", () => {
  const { after, outcomes } = startLanded(schedule, 1, { kind: "behind", start: 7 }, 120)!;
  assert.deepEqual(outcomes, []);
  assert.deepEqual(after.waiting.map(({ at, kind }) => [at, kind]), [[110, "slot"]]);
  assert.deepEqual([after.starting, after.start, after.version], [undefined, 7, 2]);
});

Deno.test("what a start came to is applied once, and only to that start", () => {
  const landed = { kind: "started", runId: "r" } as const;
  assert.equal(startLanded(schedule, 2, landed, 120), undefined);
  const { after } = startLanded(schedule, 1, landed, 120)!;
  assert.deepEqual(after.running.map(({ runId }) => runId), ["r"]);
  assert.equal(startLanded(after, 1, landed, 130), undefined);
});
