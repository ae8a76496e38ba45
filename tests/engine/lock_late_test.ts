import assert from "node:assert/strict";
import { machine } from "../../mod.ts";
import { changeHold, takeAway } from "../../core/parts/lock_ops.ts";
import { sleep } from "../../core/ports/clock.ts";
import { LockStage, mutex, namespace } from "./lock_stage.ts";
import { testInMemory } from "./stores.ts";

testInMemory(
  "a hold is believed from the begin of its last renewal, however late that is answered",
  async (world) => {
    const engine = world.engine({ definitions: [] });
    const hold = await world.during(engine.mutex("m").acquire({ hold: "9s" }));
    const beganAt = world.clock.now();
    const { store, clock } = world;
    const { commit } = store;
    let renewals = 0;
    Object.assign(store, {
      async commit(calls: Parameters<typeof commit>[0]) {
        if (++renewals > 1) throw new Error("the store is away");
        const results = await commit.call(store, calls);
        await sleep(clock, 5_000);
        return results;
      },
    });
    let lostAt = 0;
    hold.signal.addEventListener("abort", () => lostAt = world.clock.now());
    await world.advance(20_000);
    Object.assign(store, { commit });
    assert.ok(renewals > 1);
    // Renewed after a third of it, for 9 s.
    assert.equal(lostAt - beganAt, 12_000);
  },
);

testInMemory("who hears of a grant when it is over has not got it, and waits for another", async (world) => {
  const { store, clock } = world;
  const { commit } = store;
  Object.assign(store, {
    async commit(calls: Parameters<typeof commit>[0]) {
      const results = await commit.call(store, calls);
      await sleep(clock, 100);
      return results;
    },
  });
  const other = world.engine({ definitions: [] });
  const { engine, ...fate } = world.mortal({ definitions: [] });
  const tokens: number[] = [];
  const asked = engine.mutex("m").acquire({ hold: "1s" }).then(({ token }) => tokens.push(token));
  await world.advance(50);
  fate.freeze();
  const next = other.mutex("m").acquire({ hold: "1m" });
  await world.advance(10_000);
  const hold = await world.during(next);
  fate.wake();
  await world.advance(3_000);
  assert.deepEqual([hold.token, tokens], [2, []]);
  await world.during(hold.release(), 1_000);
  await world.during(asked, 2_000);
  assert.deepEqual(tokens, [3]);
  await world.during(engine.stop(), 1_000);
});

testInMemory("a hold that was renewed after somebody saw it over stays its holder's", async (world) => {
  const stage = new LockStage(world.store, world.clock);
  await world.during(stage.ask("a", [mutex("m")], { holdMs: 1_000 }), 1_000);
  const { token, until } = (await stage.lock("m"))!.holders[0]!;
  const work = { namespace, names: ["m"] };
  const renew = {
    ...work,
    decide: (view: Parameters<typeof changeHold>[0]) =>
      changeHold(view, ["m"], "a", () => ({ until: until! + 500 })),
  };
  await world.during(stage.table.do(renew), 1_000);
  const take = (seen: number) =>
    stage.table.do({ ...work, decide: (view) => takeAway(view, "m", token, seen)?.request });
  assert.equal((await world.during(take(until!), 1_000)).result, undefined);
  assert.deepEqual(await stage.holders("m"), ["a"]);
  assert.equal((await world.during(take(until! + 500), 1_000)).result, "a");
});

testInMemory(
  "who was to be given up long ago is passed over, and leaves nothing in the queue",
  async (world) => {
    const stage = new LockStage(world.store, world.clock);
    await world.during(stage.ask("a", [mutex("m")]), 1_000);
    await world.during(stage.ask("dead", [mutex("m")], { deadline: world.clock.now() + 1_000 }), 1_000);
    await world.during(stage.ask("b", [mutex("m")]), 1_000);
    await world.advance(2_000);
    await world.during(stage.end("a", ["m"]), 1_000);
    assert.deepEqual([await stage.holders("m"), await stage.leftovers()], [["b"], []]);
  },
);

testInMemory(
  "a run that leaves a status while its step waits there asks for that lock no more",
  async (world) => {
    const work = machine("work")
      .step("new", ["next"], () => "next")
      .step("next", ["other"], () => "other", { lock: "m" })
      .callback("next", ["other"], () => "other")
      .step("other", ["done"], (run) => {
        assert.equal(run.lock, undefined);
        return "done";
      })
      .build();
    const engine = await world.started({ definitions: [work] });
    const held = await world.during(engine.mutex("m").acquire());
    await world.during(engine.trigger(work, "a"));
    await world.advance(100);
    await world.during(engine.callback(work, "a", "next"));
    await world.advance(100);
    assert.equal((await world.during(engine.get(work, "a")))!.runState, "completed");
    assert.equal((await world.during(engine.locks.inspect("m")))!.waiting, 0);
    await world.during(held.release());
  },
);
