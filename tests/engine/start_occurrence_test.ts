import assert from "node:assert/strict";
import { contextOf } from "../../core/engine/options.ts";
import type { EngineContext } from "../../core/engine/context.ts";
import { readSchedule } from "../../core/engine/schedule_store.ts";
import { startOccurrence } from "../../core/engine/start_occurrence.ts";
import { RunIds } from "../../core/engine/trigger.ts";
import { seededRandom } from "../../core/ports/random.ts";
import { every, machine, silentLogger } from "../../mod.ts";
import { testInMemory, type World } from "./stores.ts";

const job = machine("job").step("a", ["b"], () => "b").build();

/** A schedule, and somebody who starts its occurrences, as an engine would that was held up for long. */
async function stage(world: World) {
  const { store, clock } = world;
  const engine = world.engine({ definitions: [job], work: false });
  await world.during(engine.schedules.create({ id: "s", recurrence: every("1d"), target: job, key: "k" }));
  const options = { store, clock, random: seededRandom(1), logger: silentLogger, definitions: [job] };
  const context = contextOf(options, []) as EngineContext;
  const starter = { context, ownership: { ownerOf: () => undefined }, runIds: new RunIds(context) };
  const { record } = (await world.during(readSchedule(context, "s")))!;
  const start = (count: number, life = record.life) => {
    const starting = { at: count, kind: "slot", since: clock.now(), start: count, key: "k" } as const;
    return world.during(startOccurrence(starter, { ...record, life, start: count, starting }, job), 1_000);
  };
  return { engine, start, end: () => world.during(engine.cancel(job, "k")) };
}

testInMemory("the same start again finds its run, whatever has become of that", async (world) => {
  const { engine, start, end } = await stage(world);
  const first = await start(1);
  assert.deepEqual(await start(1), first);
  await end();
  assert.deepEqual(await start(1), first);
  assert.equal((await engine.list({ definition: "job" })).items.length, 1);
});

testInMemory(
  "a start that was refused stays refused, though the key is free when it comes again",
  async (world) => {
    const { engine, start, end } = await stage(world);
    await world.during(engine.trigger(job, "k"));
    const refused = await start(1);
    assert.equal(refused.kind, "busy");
    await end();
    assert.deepEqual(await start(1), refused);
    assert.equal((await start(2)).kind, "started");
  },
);

testInMemory(
  "a start that comes after a later one, or is of an earlier schedule, makes no run",
  async (world) => {
    const { engine, start, end } = await stage(world);
    await start(2);
    await end();
    assert.deepEqual(await start(1), { kind: "behind", start: 2 });
    assert.deepEqual(await start(2, "an earlier one"), { kind: "behind", start: 2 });
    assert.equal((await engine.list({ definition: "job" })).items.length, 1);
  },
);
