import assert from "node:assert/strict";
import { machine } from "../../mod.ts";
import { testInMemory, testOnStores, type World } from "./stores.ts";

const year = 365 * 86_400_000;

/** Runs that wait in every way there is, on an engine whose clock is a year ahead. */
async function aheadBy(world: World) {
  let fails = true;
  const told: string[] = [];
  const flow = machine<{ at?: number }>("flow", { pauseRetry: "2h" })
    .step("tries", ["done"], () => {
      if (fails) throw new Error("not yet");
      return "done";
    }, { retry: { initial: "1h", jitter: false } })
    .step("lags", ["done"], () => "done", { lag: "1h" })
    .step("pauses", ["done"], (run) => fails ? run.pause("for now") : "done")
    .timeout("waits", ["done"], { after: "1h" }, () => "done")
    .timeout("dated", ["done"], (run) => new Date(run.data.at!), () => "done")
    .onComplete(() => {
      if (fails) throw new Error("not yet");
      told.push("complete");
    }, { retry: { initial: "1h", max: "1h" } })
    .build();
  world.clock.jump(year);
  const engine = await world.started({ definitions: [flow] });
  const begin = async (startAt: "tries" | "lags" | "pauses" | "waits" | "dated", at?: number) => {
    await world.during(engine.trigger(flow, startAt, { data: at === undefined ? {} : { at }, startAt }));
  };
  const states = async () => {
    const page = await world.during(engine.list({ definition: "flow", order: "oldest" }));
    return Object.fromEntries(page.items.map(({ key, runState }) => [key, runState]));
  };
  return { flow, engine, begin, states, told, mend: () => fails = false };
}

testOnStores(
  "what waits by a clock that was a year ahead goes on when the clock is set back",
  async (world) => {
    const { engine, begin, states, mend } = await aheadBy(world);
    const before = world.clock.now();
    for (const status of ["tries", "lags", "pauses", "waits"] as const) await begin(status);
    await begin("dated", before + 86_400_000);
    await world.advance(1_000);
    mend();
    world.clock.jump(-year);
    await world.advance(3 * 3_600_000);
    assert.deepEqual(await states(), {
      tries: "completed",
      lags: "completed",
      pauses: "completed",
      waits: "completed",
      dated: "initiated",
    });
    assert.deepEqual((await world.during(engine.admin.verify())).findings, []);

    // A date is a date, whatever the clock was when it was set.
    const { items } = await world.during(engine.timers());
    assert.deepEqual(items.map(({ key, at }) => [key, at.getTime()]), [["dated", before + 86_400_000]]);
  },
);

testOnStores(
  "a clock that is set back while no engine is there is noticed by the next one",
  async (world) => {
    const { flow, engine, begin, mend } = await aheadBy(world);
    await begin("lags");
    await begin("waits");
    await world.during(engine.stop(), 10_000);
    mend();
    world.clock.jump(-year);
    const next = await world.started({ definitions: [flow] });
    await world.advance(3_600_000 + 60_000);
    for (const key of ["lags", "waits"]) {
      const run = await world.during(next.get(flow, key));
      assert.equal(run?.runState, "completed", key);
      const kinds = (await world.during(next.history({ runId: run!.runId }))).map(({ kind }) => kind);
      assert.deepEqual(kinds, ["trigger", "set-back", "move"], key);
    }
  },
);

testInMemory("hooks that wait by a clock that was ahead run when it is set back", async (world) => {
  const { begin, states, told, mend } = await aheadBy(world);
  await begin("lags");
  await world.advance(3_600_000);
  assert.deepEqual([await states(), told], [{ lags: "completed" }, []]);
  mend();
  world.clock.jump(-year);
  await world.advance(3_600_000);
  assert.deepEqual([await states(), told], [{ lags: "completed" }, ["complete"]]);
});

testInMemory("a clock that is set back by less than clocks differ leaves runs as they are", async (world) => {
  const { engine, flow, begin } = await aheadBy(world);
  await begin("lags");
  world.clock.jump(-50_000);
  await world.advance(10_000);
  const run = await engine.get(flow, "lags");
  assert.deepEqual((await engine.history({ runId: run!.runId })).map(({ kind }) => kind), ["trigger"]);
});
