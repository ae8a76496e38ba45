import assert from "node:assert/strict";
import {
  every,
  machine,
  recurrence as recurrenceOf,
  type ScheduledOccurrence,
  type ScheduleSettings,
} from "../../mod.ts";
import { auditSchedule } from "./schedule_audit.ts";
import { patient, testInMemory, testOnStores, type World } from "./stores.ts";

const quick = machine("quick").step("a", ["b"], () => "b").build();
const key = "q {scheduledFor}";

async function outcomesOf(world: World, engine: Awaited<ReturnType<World["started"]>>, since: number) {
  const { items } = await world.during(engine.schedules.outcomes("s", { limit: 1_000 }));
  return items.map((each) => {
    const seconds = (at: Date) => (Number(at) - since) / 1_000;
    const until = each.several ? `-${seconds(each.several.until)} (${each.several.count})` : "";
    return `${seconds(each.scheduledFor)}${until} ${each.outcome}`;
  });
}

testOnStores(
  "what came up while no engine was there starts late, as far as the window reaches",
  async (world) => {
    const since = world.clock.now();
    const recurrence = every("10s");
    const first = await world.started({ definitions: [quick], ...patient });
    await world.during(
      first.schedules.create({
        id: "s",
        recurrence,
        target: quick,
        key,
        catchUp: "25s",
        overlap: "allowAll",
      }),
    );
    await world.during(first.stop(), 5_000);
    await world.advance(98_000);
    const second = await world.started({ definitions: [quick], ...patient });
    await world.advance(1_000);
    const seen = await outcomesOf(world, second, since);
    assert.deepEqual(seen, ["10-70 (7) missed", "80 started", "90 started"]);
    const { counts } = await world.during(second.schedules.describe("s"));
    assert.deepEqual([counts.missed, counts.started], [7, 2]);
    await world.during(auditSchedule(second, { id: "s", recurrence, since }));
  },
);

testInMemory("a year of missed seconds is one outcome, and costs no year of counting", async (world) => {
  const since = world.clock.now();
  let asked = 0;
  const seconds = {
    type: "seconds",
    parse: () => ({
      next: (after: Date | number) => {
        asked++;
        return Math.floor(Number(after) / 1_000) * 1_000 + 1_000;
      },
    }),
  };
  const options = { definitions: [quick], recurrences: [seconds], ...patient };
  const client = world.engine({ ...options, work: false });
  const recurrence = recurrenceOf(seconds, null);
  await client.schedules.create({ id: "s", recurrence, target: quick, key, catchUp: "10s" });
  world.clock.jump(365 * 86_400_000);
  const engine = await world.started(options);
  await world.advance(500);
  const [gap] = (await engine.schedules.outcomes("s")).items;
  assert.deepEqual([gap!.outcome, gap!.several!.count, gap!.several!.isMore], ["missed", 1_000, true]);
  assert.equal(Number(gap!.several!.until), since + 365 * 86_400_000 - 10_001);
  assert.ok(asked < 1_500, `asked ${asked} times`);
  assert.equal((await engine.schedules.describe("s")).counts.started, 11);
});

testOnStores("jitter is the same for the same occurrence, and never reaches the next", async (world) => {
  const since = world.clock.now();
  const engine = await world.started({ definitions: [quick], ...patient });
  const recurrence = every("10s");
  await world.during(engine.schedules.create({ id: "s", recurrence, target: quick, key, jitter: "1h" }));
  await world.advance(100_000);
  const { items } = await world.during(engine.schedules.outcomes("s"));
  const late = items.map((each) => Number(each.decidedAt) - Number(each.scheduledFor));
  assert.ok(late.every((ms) => ms >= 0 && ms < 10_000), String(late));
  assert.ok(new Set(late).size > 5, String(late));
  await world.during(auditSchedule(engine, { id: "s", recurrence, since }));
});

testOnStores("a limited schedule starts that often, from its first time to its last", async (world) => {
  const since = world.clock.now();
  const engine = await world.started({ definitions: [quick], ...patient });
  const at = (seconds: number) => new Date(since + seconds * 1_000);
  const settings: ScheduleSettings = {
    recurrence: every("10s"),
    key,
    from: at(30),
    until: at(100),
    limit: 3,
  };
  await world.during(engine.schedules.create({ id: "s", target: quick, ...settings }));
  const { upcoming } = await world.during(engine.schedules.describe("s"));
  assert.deepEqual(upcoming, [at(30), at(40), at(50)]);
  await world.advance(200_000);
  assert.deepEqual(await outcomesOf(world, engine, since), ["30 started", "40 started", "50 started"]);
  const described = await world.during(engine.schedules.describe("s"));
  assert.deepEqual([described.next, described.startsLeft, described.upcoming], [undefined, 0, []]);
  await world.during(engine.schedules.update("s", { limit: null, until: at(210) }));
  await world.advance(60_000);
  const rest = (await outcomesOf(world, engine, since)).slice(3);
  assert.deepEqual(rest, ["210 started"]);
});

testOnStores(
  "a filter says which occurrences happen; while it throws, the occurrence is kept",
  async (world) => {
    const since = world.clock.now();
    let isDown = true;
    const asked: string[] = [];
    const odd = ({ schedule, scheduledFor }: ScheduledOccurrence) => {
      const tens = (Number(scheduledFor) - since) / 10_000;
      asked.push(`${schedule} ${tens}`);
      if (tens === 2 && isDown) throw new Error("no calendar");
      return Promise.resolve(tens % 2 === 1);
    };
    const engine = await world.started({ definitions: [quick], filters: { odd } });
    const recurrence = every("10s");
    await world.during(engine.schedules.create({ id: "s", recurrence, target: quick, key, filter: "odd" }));
    await world.advance(45_000);
    assert.deepEqual(await outcomesOf(world, engine, since), ["10 started"]);
    // At once, and after 0.5 s, 1 s, 2 s, 4 s and 8 s more.
    assert.equal(asked.filter((each) => each === "s 2").length, 6);
    isDown = false;
    await world.advance(10_000);
    const seen = ["10 started", "20 skipped", "30 started", "40 skipped", "50 started"];
    assert.deepEqual(await outcomesOf(world, engine, since), seen);
    await world.during(auditSchedule(engine, { id: "s", recurrence, since }));
  },
);

testOnStores(
  "a clock that is set back fires nothing again, and one set forward loses nothing",
  async (world) => {
    const since = world.clock.now();
    const began: string[] = [];
    const job = machine("job").step("a", ["b"], (run) => {
      began.push(run.key);
      return "b";
    }).build();
    const engine = await world.started({ definitions: [job] });
    const recurrence = every("10s");
    await world.during(engine.schedules.create({ id: "s", recurrence, target: job, key }));
    await world.advance(25_000);
    world.clock.jump(-20_000);
    await world.advance(20_000);
    assert.equal(began.length, 2);
    world.clock.jump(60_000);
    await world.advance(1_000);
    assert.equal(began.length, 8);
    assert.equal(new Set(began).size, 8);
    await world.during(auditSchedule(engine, { id: "s", recurrence, since }));
  },
);

testOnStores("what a clock that was a year ahead has begun goes on when it is set back", async (world) => {
  const year = 365 * 86_400_000;
  const door = machine("door").callback("open", ["shut"], () => "shut").build();
  world.clock.jump(year);
  const engine = await world.started({ definitions: [door, quick] });
  await world.during(engine.schedules.create({ id: "fresh", recurrence: every("10s"), target: quick, key }));
  const waiting = {
    id: "waiting",
    recurrence: every("10s"),
    target: door,
    key: "d",
    overlap: "bufferAll",
  } as const;
  await world.during(engine.trigger(door, "d"));
  await world.during(engine.schedules.create({ ...waiting, limit: 1 }));
  await world.during(engine.schedules.trigger("waiting"));
  await world.advance(3_000);
  await world.during(engine.callback(door, "d", "open"));
  world.clock.jump(-year);
  await world.advance(15_000);
  assert.equal((await world.during(engine.schedules.get("fresh")))!.counts.started, 1);
  assert.equal((await world.during(engine.schedules.get("waiting")))!.counts.started, 1);
  assert.deepEqual((await world.during(engine.admin.verify())).findings, []);
});
