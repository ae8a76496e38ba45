import assert from "node:assert/strict";
import { type Engine, machine, type Store } from "pawl";
import { testInMemory, testOnStores, type World } from "./stores.ts";

const quick = machine<undefined>("quick").step("a", ["b"], () => "b").build();
const later = machine<undefined>("later").timeout("waits", ["late"], { after: "1h" }, () => "late").build();

/** A machine whose step ends when it is told to. */
function slowMachine() {
  const ends = new Map<string, () => void>();
  const slow = machine<undefined>("slow")
    .step("a", ["b"], async (run) => {
      await new Promise<void>((resolve) => ends.set(run.key, resolve));
      return "b";
    })
    .build();
  return { slow, begun: ends, end: (key: string) => ends.get(key)!() };
}

const isDone = async (engine: Engine, key: string) =>
  (await engine.get(quick, key))?.runState === "completed";

const ownedIn = async (world: World) => {
  const shards = await world.engine({ definitions: [quick], work: false }).admin.shards();
  return shards.filter((each) => each.engineId !== undefined).length;
};

testOnStores(
  "tick() during another starts at once what has become due, and only the last gives everything back",
  async (world) => {
    const { slow, end } = slowMachine();
    const engine = world.engine({ definitions: [slow, quick] });
    await engine.trigger(slow, "long");
    const first = engine.tick({ budgetMs: 20_000 });
    await world.advance(1_000);
    await engine.trigger(quick, "k");
    const second = engine.tick({ budgetMs: 1_000 });
    await world.advance(500);
    assert.equal(await isDone(engine, "k"), true, "it did not wait for the slow step");
    const report = await world.during(second, 2_000);
    assert.deepEqual([report.processed, report.running], [1, 1]);
    assert.ok(await ownedIn(world) > 0, "the first one still needs its shard");
    end("long");
    assert.equal((await world.during(first, 1_000)).running, 0);
    assert.equal((await engine.get(slow, "long"))!.status, "b");
    assert.equal(await ownedIn(world), 0);
    assert.deepEqual(await engine.admin.engines(), []);
  },
);

testOnStores("tick() works while another one only waits for its last step to land", async (world) => {
  const { slow, end } = slowMachine();
  const engine = world.engine({ definitions: [slow, quick] });
  await engine.trigger(slow, "long");
  const first = engine.tick({ budgetMs: 1_000 });
  await world.advance(3_000);
  await engine.trigger(quick, "k");
  const second = engine.tick({ budgetMs: 10_000 });
  await world.advance(500);
  assert.equal(await isDone(engine, "k"), true);
  await world.advance(6_000);
  end("long");
  await world.during(Promise.all([first, second]), 1_000);
  assert.equal((await engine.get(slow, "long"))!.status, "b", "the second one kept its shard for it");
  assert.equal(await ownedIn(world), 0);
});

testInMemory("tick() any number of times at once runs each step once", async (world) => {
  let steps = 0;
  const counted = machine<undefined>("counted").step("a", ["b"], () => {
    steps++;
    return "b";
  }).build();
  const engine = world.engine({ definitions: [counted] });
  for (let n = 0; n < 20; n++) await engine.trigger(counted, `k${n}`);
  await world.during(Promise.all(Array.from({ length: 10 }, () => engine.tick())), 5_000);
  assert.equal(steps, 20);
  assert.equal(await ownedIn(world), 0);
});

testInMemory(
  "tick() claims nothing twice that its engine has claimed but not yet heard so",
  async (world) => {
    const { clock, store } = world;
    const late: Store = {
      ...store,
      shards: store.shards,
      limits: store.limits,
      read: (requests) => store.read(requests),
      async commit(calls) {
        const results = await store.commit(calls);
        await new Promise<void>((resolve) => clock.after(100, resolve));
        return results;
      },
    };
    const { slow, begun, end } = slowMachine();
    const engine = world.engine({ store: late, definitions: [slow, quick] });
    await world.during(engine.trigger(slow, "k"), 1_000);
    const first = engine.tick();
    await world.advance(150);
    const triggered = engine.trigger(quick, "k");
    await world.settle();
    const second = engine.tick();
    await world.advance(1_000);
    assert.equal(begun.size, 1);
    await triggered;
    assert.equal(await isDone(engine, "k"), true, "the second one looked for itself");
    end("k");
    await world.during(Promise.all([first, second]), 2_000);
    const [shard] = await engine.admin.shards();
    assert.deepEqual([shard!.engineId, shard!.epoch], [undefined, 1]);
  },
);

testInMemory(
  "tick() a hundred times at once looks at the store a few times, and finds all",
  async (world) => {
    const engine = world.engine({ definitions: [quick] });
    const before = engine.admin.counts().reads;
    const ticks = [];
    for (let n = 0; n < 100; n++) {
      ticks.push(engine.trigger(quick, `k${n}`).then(() => engine.tick()));
    }
    await world.during(Promise.all(ticks), 5_000);
    const reads = engine.admin.counts().reads - before;
    for (let n = 0; n < 100; n++) assert.equal(await isDone(engine, `k${n}`), true);
    assert.ok(reads < 50, `${reads} reads`);
  },
);

testOnStores("a tick hears of what others write while it goes on", async (world) => {
  const { slow, begun, end } = slowMachine();
  const engine = world.engine({ definitions: [slow], poll: 200 });
  await engine.trigger(slow, "long");
  const ticked = engine.tick({ budgetMs: 20_000 });
  await world.advance(1_000);
  const guest = world.engine({ definitions: [slow] });
  // Some of them are in the shard that the tick owns.
  for (let n = 0; n < 20; n++) await guest.trigger(slow, `next ${n}`);
  await world.advance(1_000);
  assert.ok(begun.size > 1);
  for (const key of begun.keys()) end(key);
  await world.during(ticked, 30_000);
  await world.advance(1_000);
});

testOnStores(
  "a tick renews its lease while it lasts, and holds nobody up for longer once it is dead",
  async (world) => {
    const { slow } = slowMachine();
    const lease = { term: "3s" };
    const { engine, kill } = world.mortal({ definitions: [slow], lease });
    await engine.trigger(slow, "k");
    void engine.tick({ budgetMs: 60_000 }).catch(() => {});
    await world.advance(20_000);
    const other = world.engine({ definitions: [slow], lease });
    const held = await world.during(other.tick({ budgetMs: 0 }), 10_000);
    assert.deepEqual([held.heldElsewhere, held.running], [1, 0]);
    kill();
    await world.advance(4_000);
    const taken = await world.during(other.tick({ budgetMs: 1_000 }), 10_000);
    assert.deepEqual([taken.heldElsewhere, taken.running], [0, 1]);
  },
);

testOnStores("tick({ again }) does what becomes due within its budget, and no more", async (world) => {
  let attempts = 0;
  const flaky = machine<undefined>("flaky")
    .step("a", ["b"], () => {
      if (++attempts < 3) throw new Error("not yet");
      return "b";
    }, { retry: { initial: "2s", factor: 2, jitter: false } })
    .build();
  const engine = world.engine({ definitions: [flaky, later] });
  await engine.trigger(flaky, "k");
  await engine.trigger(later, "k");
  const once = await world.during(engine.tick({ budgetMs: 30_000 }), 1_000);
  assert.deepEqual([once.processed, attempts], [1, 1]);
  const ticked = engine.tick({ budgetMs: 30_000, again: true });
  await world.advance(1_000);
  assert.equal(await ownedIn(world), 0, "what waits is left to everybody");
  const report = await world.during(ticked, 6_000);
  assert.deepEqual([report.processed, attempts], [2, 3]);
  assert.equal((await engine.get(flaky, "k"))!.status, "b");
  assert.ok(report.nextDueAt!.getTime() > world.clock.now() + 3_000_000);
});

testOnStores("tick({ again }) comes back for what another engine left lying", async (world) => {
  const { slow } = slowMachine();
  const { engine, kill } = world.mortal({ definitions: [slow], lease: { term: "2s" } });
  await engine.trigger(slow, "k");
  void engine.tick({ budgetMs: 60_000 }).catch(() => {});
  await world.advance(1_000);
  kill();
  const other = world.engine({
    definitions: [machine<undefined>("slow").step("a", ["b"], () => "b").build()],
  });
  const report = await world.during(other.tick({ budgetMs: 20_000, again: true }), 10_000);
  assert.deepEqual([report.processed, report.heldElsewhere], [1, 0]);
  assert.equal((await other.get(slow, "k"))!.status, "b");
});

testInMemory("stop() ends ticks and their waits, refuses more, and leaves no timer", async (world) => {
  const { slow } = slowMachine();
  const soon = machine<undefined>("soon").timeout("waits", ["late"], { after: "10s" }, () => "late").build();
  const waiting = world.engine({ definitions: [soon] });
  await waiting.trigger(soon, "k");
  const waits = waiting.tick({ budgetMs: 30_000, again: true });
  const busy = world.engine({ definitions: [slow] });
  await busy.trigger(slow, "k");
  const works = busy.tick({ budgetMs: 4_000 });
  await world.settle();
  const stops = Promise.all([waiting.stop(), busy.stop({ grace: "1s" })]);
  await assert.rejects(busy.tick(), { code: "ENGINE_STOPPED" });
  await world.during(Promise.all([stops, waits, works]), 20_000);
  assert.equal(await ownedIn(world), 0);
  assert.equal(world.clock.timers, 0);
});

testInMemory("start() is refused while a tick goes on, and a tick waits for a start", async (world) => {
  const engine = world.engine({ definitions: [quick] });
  const ticked = engine.tick();
  await assert.rejects(engine.start(), { code: "INVALID_ARGUMENT" });
  await world.during(ticked, 1_000);
  const soon = world.engine({ definitions: [later] });
  await soon.trigger(later, "k");
  const waits = soon.tick({ budgetMs: 4_000_000, again: true });
  await world.settle();
  await assert.rejects(soon.start(), { code: "INVALID_ARGUMENT" });
  await soon.stop();
  await waits;
  const started = engine.start();
  await world.during(Promise.all([started, engine.tick()]), 1_000);
  assert.equal(await ownedIn(world), 1, "it kept what it owns");
});
