import assert from "node:assert/strict";
import { memoryStore } from "../../adapters/memory/mod.ts";
import { machine, OutcomeUnknownError, type Store } from "../../mod.ts";
import { testInMemory, testOnStores, World } from "./stores.ts";

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

/** What becomes of an engine at one of its commits. */
const ends = {
  "the process dies before it is made": { isMade: false, isKilled: true },
  "the process dies before it hears that it is made": { isMade: true, isKilled: true },
  "it is made, and nobody hears of it": { isMade: true, isKilled: false },
};

/** A store that does something else at one commit. */
function strikingStore() {
  const store = memoryStore();
  const strike = { in: Infinity, isMade: false, then: () => {}, isUnreadable: false };
  const striking: Store = {
    limits: store.limits,
    shards: store.shards,
    async read(requests) {
      if (strike.isUnreadable) throw new Error("The store cannot be read");
      return await store.read(requests);
    },
    async commit(calls) {
      if (--strike.in !== 0) return await store.commit(calls);
      if (strike.isMade) await store.commit(calls);
      strike.then();
      throw new OutcomeUnknownError("The commit was not heard of");
    },
    watch: (onHint) => store.watch!(onHint),
    close: () => store.close(),
  };
  return { striking, strike };
}

/** One engine sets back what another has left, and its `nth` commit is struck; a third one goes on. */
async function setBackStruck(nth: number, { isMade, isKilled }: (typeof ends)[keyof typeof ends]) {
  const { striking, strike } = strikingStore();
  const world = new World(striking);
  const { flow, engine, begin, mend } = await aheadBy(world);
  for (const status of ["lags", "waits", "pauses"] as const) await begin(status);
  await world.advance(1_000);
  await world.during(engine.stop(), 10_000);
  mend();
  world.clock.jump(-year);

  const struck = world.mortal({ definitions: [flow] });
  Object.assign(strike, { in: nth, isMade, then: () => isKilled && struck.kill() });
  const starting = struck.engine.start().catch(() => {});
  await world.advance(20_000);
  const isStruck = strike.in <= 0;
  strike.in = Infinity;
  struck.kill();
  void starting;

  const last = await world.started({ definitions: [flow], poll: "1m", lease: { term: "10m" } });
  await world.advance(4 * 3_600_000);
  const { items } = await world.during(last.list({ definition: "flow" }));
  for (const { runId, key, runState } of items) {
    const told = (await world.during(last.history({ runId }))).map(({ kind }) => kind);
    assert.equal(runState, "completed", `${key} after commit ${nth}: ${told}`);
    assert.equal(told.filter((kind) => kind === "set-back").length, 1, `${key} after commit ${nth}: ${told}`);
  }
  assert.equal(items.length, 3);
  assert.deepEqual((await world.during(last.admin.verify())).findings, []);
  await world.end();
  return isStruck;
}

for (const [how, end] of Object.entries(ends)) {
  Deno.test(`what a clock that was ahead has left is set back once, whatever becomes of a commit: ${how}`, async () => {
    let nth = 1;
    while (await setBackStruck(nth, end)) nth++;
    assert.ok(nth > 5, `${nth - 1} commits were struck`);
  });
}

Deno.test("an engine that could not read what to set back tells the one that it gives its work to", async () => {
  const { striking, strike } = strikingStore();
  const world = new World(striking);
  const { flow, engine, begin } = await aheadBy(world);
  await begin("waits");
  strike.isUnreadable = true;
  world.clock.jump(-year);
  await world.advance(1_000);
  await world.during(engine.stop(), 10_000);
  strike.isUnreadable = false;

  const next = await world.started({ definitions: [flow] });
  await world.advance(3_600_000 + 60_000);
  assert.equal((await world.during(next.get(flow, "waits")))?.runState, "completed");
  await world.end();
});
