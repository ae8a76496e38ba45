import assert from "node:assert/strict";
import { cron } from "../../plugins/cron/mod.ts";
import { rrule } from "../../plugins/rrule/mod.ts";
import { machine } from "../../mod.ts";
import { testInMemory } from "../engine/stores.ts";

const job = machine("job").step("a", ["b"], () => "b").build();
const common = { target: job, key: "{scheduledFor}", overlap: "allowAll" } as const;

testInMemory(
  "schedules follow cron expressions and rules, over the changes of a clock on the wall",
  async (world) => {
    const options = {
      definitions: [job],
      recurrences: [cron, rrule],
      poll: "1d",
      lease: { term: "60d" },
    } as const;
    const engine = await world.started(options);
    await engine.schedules.create({
      id: "cron",
      recurrence: cron("30 1 30,31 3 *", { timeZone: "Europe/London" }),
      ...common,
    });
    const leap = cron("0 12 29 2 *");
    const { schedule } = await engine.schedules.create({ id: "leap", recurrence: leap, ...common });
    assert.equal(schedule.next?.toISOString(), "2032-02-29T12:00:00.000Z");
    const rule = rrule("DTSTART;TZID=Europe/London:20300330T013000\nRRULE:FREQ=DAILY;COUNT=3");
    await engine.schedules.create({ id: "rule", recurrence: rule, ...common });
    await world.advance(100 * 86_400_000);
    const times = async (id: string) =>
      (await engine.schedules.outcomes(id)).items.map(({ scheduledFor }) => scheduledFor.toISOString());
    // On 31 March 2030 clocks in London go from 01:00 to 02:00: cron takes the first valid time, the rule skips it.
    assert.deepEqual(await times("cron"), ["2030-03-30T01:30:00.000Z", "2030-03-31T01:00:00.000Z"]);
    const seen = await times("rule");
    assert.equal(seen[0], "2030-03-30T01:30:00.000Z");
    assert.ok(!seen.includes("2030-03-31T01:00:00.000Z"));
    assert.equal((await engine.schedules.get("rule"))!.next, undefined);
  },
);

testInMemory("a rule without DTSTART is the same schedule whenever a program creates it", async (world) => {
  const engine = world.engine({ definitions: [job], recurrences: [rrule] });
  const make = () => rrule("FREQ=WEEKLY;BYDAY=MO,WE");
  const first = await engine.schedules.create({ id: "s", recurrence: make(), ...common });
  const again = await engine.schedules.create({ id: "s", recurrence: madeLater(make), ...common });
  assert.deepEqual([first.created, again.created], [true, false]);
  assert.deepEqual(again.schedule.recurrence, first.schedule.recurrence);
  await assert.rejects(
    engine.schedules.create({ id: "s", recurrence: rrule("FREQ=WEEKLY;BYDAY=MO"), ...common }),
    { code: "SCHEDULE_EXISTS" },
  );
});

/** Rules are pinned by the machine's clock, to the second. */
function madeLater<Made>(make: () => Made): Made {
  const { now } = Date;
  Date.now = () => now() + 3_600_000;
  try {
    return make();
  } finally {
    Date.now = now;
  }
}
