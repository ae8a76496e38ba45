import assert from "node:assert/strict";
import { type Engine, type PawlError, type Store, StoreClosedError } from "../../mod.ts";
import { telling } from "./integration_stage.ts";
import { gate, testInMemory, testOnStores } from "./stores.ts";

const isReady = (engine: Engine) => Promise.all(engine.integrations.map((each) => each.isReady()));

testOnStores(
  "an integration is initialised before its engine works and closed when nothing of it runs",
  async (world) => {
    const told: string[] = [];
    const opened = gate();
    const a = telling("a", told, {
      async init() {
        told.push("init a");
        await opened.promise;
      },
    });
    const b = telling("b", told);
    const client = world.engine({ definitions: [...a.definitions, ...b.definitions], work: false });
    await world.during(client.trigger(a.definitions[0], "k", { data: { to: "ann" } }));
    const engine = world.engine({ definitions: [] });
    engine.use(a);
    engine.use(b);
    const starting = engine.start();
    await world.advance(20_000);
    assert.deepEqual(told, ["init a"]);
    assert.equal((await world.during(client.get(a.definitions[0], "k")))!.status, "written");
    assert.deepEqual(await client.admin.engines(), []);
    assert.deepEqual(await isReady(engine), [false, false]);
    opened.resolve();
    await world.during(starting);
    await world.during(client.await(a.definitions[0], "k"), 2_000);
    assert.deepEqual(await isReady(engine), [true, true]);
    assert.deepEqual(told.splice(0), ["init a", "init b@example.com"]);
    await world.during(engine.stop());
    assert.deepEqual(told, ["close b@example.com", "close a@example.com"]);
    assert.deepEqual(await isReady(engine), [false, false]);
  },
);

testInMemory(
  "an init that fails starts nothing, closes what was open, and may be tried again",
  async (world) => {
    const told: string[] = [];
    let isDown = true;
    const broken = telling("c", told, {
      init() {
        if (isDown) throw new Error("no server");
      },
    });
    const engine = world.engine({ definitions: [] });
    for (const each of [telling("a", told), telling("b", told), broken, telling("d", told)]) engine.use(each);
    const isTold = (error: PawlError) =>
      error.code === "INTEGRATION_FAILED" &&
      /init of integration "c" failed: no server/.test(error.message) &&
      (error.cause as Error).message === "no server";
    for (const begin of [async () => await engine.start(), async () => void await engine.tick()]) {
      await assert.rejects(world.during(begin()), isTold);
      assert.deepEqual(told.splice(0), [
        "init a@example.com",
        "init b@example.com",
        "close b@example.com",
        "close a@example.com",
      ]);
      assert.deepEqual(await engine.admin.engines(), []);
      assert.deepEqual(await isReady(engine), [false, false, false, false]);
    }
    isDown = false;
    await world.during(engine.start());
    assert.deepEqual(told.splice(0), ["init a@example.com", "init b@example.com", "init d@example.com"]);
  },
);

testInMemory("a start that fails for another reason closes what it has opened", async (world) => {
  const told: string[] = [];
  let isGone = true;
  const commit: Store["commit"] = (calls) =>
    isGone ? Promise.reject(new StoreClosedError("commit")) : world.store.commit(calls);
  const store: Store = { ...world.store, read: (requests) => world.store.read(requests), commit };
  const engine = world.engine({ definitions: [], store });
  engine.use(telling("a", told));
  await assert.rejects(world.during(engine.start(), 1_000), { code: "STORE_CLOSED" });
  assert.deepEqual(told.splice(0), ["init a@example.com", "close a@example.com"]);
  assert.deepEqual(await isReady(engine), [false]);
  isGone = false;
  await world.during(engine.start());
  assert.deepEqual(await isReady(engine), [true]);
});

testInMemory("an integration that comes while a tick begins is too late", async (world) => {
  const opened = gate();
  const engine = world.engine({ definitions: [] });
  engine.use(telling("a", [], { init: () => opened.promise }));
  const ticking = engine.tick();
  await world.settle();
  assert.throws(() => engine.use(telling("b", [])), { code: "INVALID_ARGUMENT" });
  opened.resolve();
  await world.during(ticking, 6_000);
});

testInMemory("an init that never ends is given up, told so, and closed if it comes late", async (world) => {
  const told: string[] = [];
  const late = gate();
  let signal: AbortSignal | undefined;
  const slow = telling("slow", told, {
    init(context) {
      signal = context.signal;
      return late.promise;
    },
    initTimeout: "3s",
  });
  const engine = world.engine({ definitions: [] });
  engine.use(slow);
  const starting = engine.start();
  starting.catch(() => {});
  await world.advance(2_999);
  assert.equal(signal!.aborted, false);
  await world.advance(1);
  await assert.rejects(starting, { code: "INTEGRATION_FAILED", message: /init took longer than 3000 ms/ });
  assert.equal(signal!.aborted, true);
  late.resolve();
  await world.settle();
  assert.deepEqual(told, ["close slow@example.com"]);
});

testInMemory("a stop during init ends the start at once and leaves nothing open", async (world) => {
  const told: string[] = [];
  let signal: AbortSignal | undefined;
  const engine = world.engine({ definitions: [] });
  engine.use(telling("a", told));
  engine.use(telling("b", told, {
    init(context) {
      signal = context.signal;
      return new Promise(() => {});
    },
  }));
  const starting = engine.start();
  starting.catch(() => {});
  await world.settle();
  await world.during(engine.stop());
  await assert.rejects(starting, { code: "ENGINE_STOPPED" });
  assert.equal(signal!.aborted, true);
  assert.deepEqual(told, ["init a@example.com", "close a@example.com"]);
  assert.equal(world.clock.timers, 0);
});

testInMemory(
  "what fails to close keeps nobody else open, and stop() says so when all is over",
  async (world) => {
    const told: string[] = [];
    // Not the world's to stop: it would be told, too.
    const { engine } = world.mortal({ definitions: [] });
    engine.use(telling("a", told));
    engine.use(telling("b", told, { close: () => Promise.reject(new Error("half written")) }));
    engine.use(telling("c", told, { close: () => new Promise(() => {}), closeTimeout: "2s" }));
    await world.during(engine.start());
    told.splice(0);
    const stopping = engine.stop();
    const isTold = (error: PawlError) => {
      assert.match(error.message, /close of integration "c", "b" failed: close took longer than 2000 ms/);
      return (error.cause as AggregateError).errors.map((each: Error) => each.message).includes(
        "half written",
      );
    };
    await Promise.all([assert.rejects(stopping, isTold), world.advance(2_000)]);
    assert.deepEqual(told, ["close a@example.com"]);
    await assert.rejects(engine.tick(), { code: "ENGINE_STOPPED" });
    await assert.rejects(engine.stop(), { code: "INTEGRATION_FAILED" });
  },
);

testInMemory(
  "the signal of init lives as long as the integration, and what close does may use the engine",
  async (world) => {
    const told: string[] = [];
    let signal: AbortSignal | undefined;
    const [log] = telling("log", told).definitions;
    const a = telling("a", told, {
      init: (context) => void (signal = context.signal),
      async close({ engine }) {
        told.push(`aborted: ${signal!.aborted}`);
        await engine.trigger(log, "bye", { data: { to: "ann" } });
      },
    });
    const engine = world.engine({ definitions: [log] });
    engine.use(a);
    await world.during(engine.start());
    assert.equal(signal!.aborted, false);
    await world.during(engine.stop());
    assert.deepEqual(told, ["aborted: true"]);
    const next = await world.started({ definitions: [log] });
    assert.equal((await world.during(next.await(log, "bye"), 20_000)).status, "sent");
  },
);

testOnStores(
  "an engine that only ticks opens its integrations with the first tick, for all that follow",
  async (world) => {
    const told: string[] = [];
    const engine = world.engine({ definitions: [] });
    const a = telling("a", told);
    engine.use(a);
    await world.during(engine.trigger(a.definitions[0], "k", { data: { to: "ann" } }));
    const ticks = async () => {
      const ticking = engine.tick();
      await world.advance(6_000);
      return await ticking;
    };
    assert.equal((await ticks()).processed, 1);
    await ticks();
    assert.deepEqual(told, ["init a@example.com"]);
    assert.throws(() => engine.use(telling("b", told)), {
      code: "INVALID_ARGUMENT",
      message: /has begun to work/,
    });
    await world.during(engine.stop());
    assert.deepEqual(told, ["init a@example.com", "close a@example.com"]);
  },
);

testOnStores(
  "an engine that is killed between init and start has owned nothing, and others go on",
  async (world) => {
    const told: string[] = [];
    const opened = gate();
    const dead = world.mortal({ definitions: [] });
    dead.engine.use(telling("a", told, { init: () => opened.promise }));
    dead.engine.start().catch(() => {});
    await world.settle();
    dead.kill();
    opened.resolve();
    await world.settle();
    const engine = world.engine({ definitions: [] });
    const a = telling("a", told);
    engine.use(a);
    await world.during(engine.start());
    await world.during(engine.trigger(a.definitions[0], "k", { data: { to: "ann" } }));
    // At once: nobody's lease has to run out.
    assert.equal((await world.during(engine.await(a.definitions[0], "k"))).status, "sent");
    assert.deepEqual((await engine.admin.engines()).map((each) => each.engineId), [engine.admin.engineId]);
  },
);

testInMemory("an engine that only calls verbs opens nothing", async (world) => {
  const told: string[] = [];
  const engine = world.engine({ definitions: [], work: false });
  engine.use(telling("a", told));
  await world.during(engine.start());
  assert.deepEqual(await isReady(engine), [false]);
  await world.during(engine.stop());
  assert.deepEqual(told, []);
});

testInMemory("isReady is the user's own check too; one that throws or hangs is a no", async (world) => {
  const engine = world.engine({ definitions: [] });
  let answer: () => boolean | Promise<boolean> = () => true;
  const used = engine.use(telling("a", [], { isReady: () => answer() }));
  await world.during(engine.start());
  assert.equal(await used.isReady(), true);
  answer = () => Promise.resolve(false);
  assert.equal(await used.isReady(), false);
  answer = () => {
    throw new Error("no idea");
  };
  assert.equal(await used.isReady(), false);
  answer = () => new Promise(() => {});
  const asked = used.isReady();
  await world.advance(5_000);
  assert.equal(await asked, false);
});
