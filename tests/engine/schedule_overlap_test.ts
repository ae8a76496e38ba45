import assert from "node:assert/strict";
import { type Engine, every, machine, type Overlap, type ScheduleSettings } from "../../mod.ts";
import { auditSchedule } from "./schedule_audit.ts";
import { testInMemory, testOnStores, type World } from "./stores.ts";

/** Its runs are open until somebody closes them. */
function doorOf(cancelled: string[] = []) {
  return machine("door")
    .callback("open", ["closed"], () => "closed")
    .callback("ajar", ["closed"], (run) => run.fail("broken"))
    .onCancel((run) => void cancelled.push(run.runId))
    .build();
}

const recurrence = every("10s");

/** A schedule of doors, with what became of its occurrences, by the second. */
async function scheduled(world: World, settings: Partial<ScheduleSettings>, door = doorOf()) {
  const engine = await world.started({ definitions: [door] });
  const since = world.clock.now();
  const options = { id: "s", recurrence, target: door, key: "the door", ...settings };
  await world.during(engine.schedules.create(options));
  const outcomes = async () => {
    await world.during(auditSchedule(engine, { id: "s", recurrence, since }), 1_000);
    assert.deepEqual((await world.during(engine.admin.verify())).findings, []);
    const { items } = await world.during(engine.schedules.outcomes("s"));
    return items.map((each) => `${(Number(each.scheduledFor) - since) / 1_000} ${each.outcome}`);
  };
  const close = () => world.during(engine.callback(door, "the door", "open"), 1_000);
  const describe = () => world.during(engine.schedules.describe("s"));
  return { engine, door, since, outcomes, close, describe };
}

testOnStores("overlap skip passes over what comes while a run is unfinished", async (world) => {
  const { outcomes, close } = await scheduled(world, {});
  await world.advance(35_000);
  await close();
  await world.advance(10_000);
  assert.deepEqual(await outcomes(), ["10 started", "20 skipped", "30 skipped", "40 started"]);
});

testOnStores("overlap bufferOne keeps one occurrence, which starts when the run has ended", async (world) => {
  const { outcomes, close, describe, since } = await scheduled(world, { overlap: "bufferOne" });
  await world.advance(45_000);
  assert.deepEqual((await describe()).waiting, [{ scheduledFor: new Date(since + 20_000), by: "slot" }]);
  assert.deepEqual(await outcomes(), ["10 started", "30 skipped", "40 skipped"]);
  await close();
  await world.advance(2_000);
  assert.deepEqual(await outcomes(), ["10 started", "20 started", "30 skipped", "40 skipped"]);
});

testOnStores("overlap bufferAll starts all occurrences, one after another", async (world) => {
  const { outcomes, close, describe } = await scheduled(world, { overlap: "bufferAll" });
  await world.advance(35_000);
  assert.equal((await describe()).waiting.length, 2);
  for (let run = 0; run < 3; run++) {
    await close();
    await world.advance(1_000);
  }
  assert.deepEqual(await outcomes(), ["10 started", "20 started", "30 started"]);
  assert.deepEqual((await describe()).running, []);
});

testInMemory(
  "overlap bufferAll keeps no more than its limit, and says what it passed over",
  async (world) => {
    const door = doorOf();
    const engine = await world.started({ definitions: [door], limits: { occurrencesWaitingMax: 3 } });
    const options = { id: "s", recurrence, target: door, key: "d", overlap: "bufferAll" } as const;
    await world.during(engine.schedules.create(options));
    await world.advance(65_000);
    const { waiting, counts } = await world.during(engine.schedules.describe("s"));
    assert.deepEqual([waiting.length, counts.started, counts.skipped], [3, 1, 2]);
  },
);

testOnStores("overlap cancelOther cancels the run, with its hooks, and starts the next", async (world) => {
  const cancelled: string[] = [];
  const { outcomes, engine, describe } = await scheduled(
    world,
    { overlap: "cancelOther" },
    doorOf(cancelled),
  );
  await world.advance(35_000);
  assert.deepEqual(await outcomes(), ["10 started", "20 started", "30 started"]);
  const { items } = await world.during(engine.list({ order: "oldest" }));
  assert.deepEqual(items.map(({ runState }) => runState), ["cancelled", "cancelled", "initiated"]);
  assert.deepEqual(cancelled, items.slice(0, 2).map(({ runId }) => runId));
  assert.match(items[0]!.reason!, /schedule "s" makes room for 2030-01-01T00:00:20/);
  const { results, enabled } = await describe();
  assert.deepEqual([results.map(({ runState }) => runState), enabled], [["cancelled", "cancelled"], true]);
});

testOnStores("overlap terminateOther ends the run without its hooks, and starts the next", async (world) => {
  const cancelled: string[] = [];
  const { outcomes, engine } = await scheduled(world, { overlap: "terminateOther" }, doorOf(cancelled));
  await world.advance(25_000);
  assert.deepEqual(await outcomes(), ["10 started", "20 started"]);
  const { items } = await world.during(engine.list({ order: "oldest" }));
  assert.deepEqual(items.map(({ runState }) => runState), ["terminated", "initiated"]);
  const history = await world.during(engine.history({ runId: items[0]!.runId }));
  assert.deepEqual(history.map(({ kind, by }) => `${kind} by ${by}`), [
    "trigger by schedule",
    "terminate by schedule",
  ]);
  assert.deepEqual(cancelled, []);
});

testOnStores("overlap allowAll starts each beside the others", async (world) => {
  const { outcomes, describe } = await scheduled(world, { overlap: "allowAll", key: "door {scheduledFor}" });
  await world.advance(35_000);
  assert.deepEqual(await outcomes(), ["10 started", "20 started", "30 started"]);
  assert.equal((await describe()).running.length, 3);
});

testInMemory("overlap allowAll passes over what would be more runs than a record can name", async (world) => {
  const door = doorOf();
  const engine = await world.started({ definitions: [door], limits: { scheduleRunsMax: 2 } });
  const options = { id: "s", recurrence, target: door, key: "{scheduledFor}", overlap: "allowAll" } as const;
  await world.during(engine.schedules.create(options));
  await world.advance(45_000);
  const { counts } = await world.during(engine.schedules.describe("s"));
  assert.deepEqual([counts.started, counts.skipped], [2, 2]);
});

/** Of a key that a run of somebody else's is in the way of. */
async function withForeignRun(world: World, overlap: Overlap) {
  const it = await scheduled(world, { overlap });
  await world.during(it.engine.trigger(it.door, "the door"));
  await world.advance(25_000);
  const before = await it.outcomes();
  const waiting = (await it.describe()).waiting.length;
  await it.close();
  await world.advance(4_000);
  return { ...it, before, waiting, after: await it.outcomes() };
}

testOnStores("a run that is none of the schedule's is in the way, and is never ended", async (world) => {
  const { before, after } = await withForeignRun(world, "cancelOther");
  assert.deepEqual([before, after], [["10 skipped", "20 skipped"], ["10 skipped", "20 skipped"]]);
});

testOnStores(
  "what is buffered behind a run that is none of the schedule's starts after it",
  async (world) => {
    const { before, waiting, after, close, outcomes } = await withForeignRun(world, "bufferAll");
    assert.deepEqual([before, waiting, after], [[], 2, ["10 started"]]);
    await close();
    await world.advance(1_000);
    assert.deepEqual(await outcomes(), ["10 started", "20 started"]);
  },
);

testOnStores(
  "a failed run pauses a schedule that asks for it, and a cancelled one does not",
  async (world) => {
    const door = doorOf();
    const { engine, describe, outcomes, since } = await scheduled(world, { pauseOnFailure: true }, door);
    await world.advance(15_000);
    await world.during(engine.cancel(door, "the door"));
    await world.advance(1_000);
    assert.equal((await describe()).enabled, true);
    await world.during(engine.schedules.update("s", { startAt: "ajar" }));
    await world.advance(9_000);
    const { runId } = (await describe()).running[0]!;
    await world.during(engine.callback(door, "the door", "ajar"));
    await world.advance(20_000);
    const { enabled, note, next } = await describe();
    assert.deepEqual([enabled, next], [false, new Date(since + 30_000)]);
    assert.match(note!, new RegExp(`run ${runId} of .* failed`));
    await world.during(engine.schedules.unpause("s", { note: "mended" }));
    await world.advance(100);
    assert.deepEqual(await outcomes(), ["10 started", "20 started", "30 started", "40 skipped"]);
    assert.equal((await describe()).note, "mended");
  },
);

async function verified(engine: Engine): Promise<void> {
  assert.deepEqual((await engine.admin.verify()).findings, []);
}

testOnStores(
  "an occurrence that cannot be started for good has failed, and pauses what asks for it",
  async (world) => {
    const before = machine("door").callback("old", ["closed"], () => "closed").build();
    const after = machine("door").callback("new", ["closed"], () => "closed").build();
    const first = await world.started({ definitions: [before] });
    await world.during(first.schedules.create({
      id: "s",
      recurrence,
      target: before,
      key: "d",
      startAt: "old",
      pauseOnFailure: true,
    }));
    await world.during(first.stop());
    const second = await world.started({ definitions: [after] });
    await world.advance(30_000);
    const { enabled, note, counts } = await world.during(second.schedules.describe("s"));
    assert.deepEqual([enabled, counts.failed, counts.started], [false, 1, 0]);
    assert.match(note!, /could not be started: "door" cannot start at "old"/);
    await world.during(verified(second));
  },
);
