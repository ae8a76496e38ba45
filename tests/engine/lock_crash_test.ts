import assert from "node:assert/strict";
import { memoryStore } from "../../adapters/memory/mod.ts";
import { machine, type PawlError, type Store } from "../../mod.ts";
import * as kernel from "../../kernel.ts";
import { LockStage, mutex, namespace } from "./lock_stage.ts";
import { sleep } from "../../core/ports/clock.ts";
import { gate, type Mortal, testInMemory, testOnStores, World } from "./stores.ts";

/** A machine whose step works under lock `m` until it is let go, and a list of who did. */
function stage() {
  const lines: string[] = [];
  const held = gate<void>();
  const work = machine("work", { pauseRetry: false })
    .step("new", ["done"], async (run) => {
      lines.push(`${run.key} ${run.lock!.token}`);
      await held.promise;
      return "done";
    }, { lock: "m" })
    .build();
  return { work, lines, letGo: () => held.resolve() };
}

/** A store that does something right after the first commit which does what it looks for. */
function watchedStore(store: Store, isIt: (texts: readonly string[]) => boolean, act: () => void): Store {
  let isArmed = true;
  return {
    limits: store.limits,
    shards: store.shards,
    watch: (onHint) => store.watch!(onHint),
    read: (requests) => store.read(requests),
    close: () => store.close(),
    async commit(calls) {
      const texts = calls.flatMap(({ batches }) =>
        batches.flatMap((
          { puts, deletes },
        ) => [...puts.map(({ key, value }) => `${key} ${value}`), ...deletes])
      );
      const results = await store.commit(calls);
      if (!isArmed || !isIt(texts)) return results;
      isArmed = false;
      act();
      return results;
    },
  };
}

/** A commit that hands the lock to a run, under that token. */
const grants = (token: number) => (texts: readonly string[]) =>
  texts.some((text) => text.startsWith("lock default m ") && isOfRun(JSON.parse(text.slice(15)), token));

function isOfRun({ holders }: { holders: { token: number; run?: string }[] }, token: number): boolean {
  return holders.some((each) => each.token === token && each.run !== undefined);
}

testInMemory(
  "a caller who dies right after a release: the run that is next is told by an engine's poll",
  async (world) => {
    const { work, lines, letGo } = stage();
    const dies: Mortal[] = [];
    const store = watchedStore(world.store, grants(2), () => dies[0]!.kill());
    dies.push(world.mortal({ definitions: [work], store }));
    const engine = await world.started({ definitions: [work] });
    const hold = await world.during(dies[0]!.engine.mutex("m").acquire());
    await world.during(engine.trigger(work, "a"));
    await world.advance(1_000);
    hold.release().catch(() => {});
    await world.advance(5_000);
    assert.equal((await world.during(engine.locks.inspect("m")))!.holders[0]!.definition, "work");
    letGo();
    await world.advance(8_000);
    assert.deepEqual(lines, ["a 2"]);
    assert.deepEqual((await world.during(engine.locks.inspect("m")))!.holders, []);
  },
);

testOnStores(
  "an engine that dies right after a release: whoever takes over tells the next",
  async (world) => {
    const { work, lines, letGo } = stage();
    const dies: Mortal[] = [];
    const store = watchedStore(world.store, grants(2), () => dies[0]!.kill());
    const lease = { term: "2s" } as const;
    const mortal = world.mortal({ definitions: [work], store, lease });
    dies.push(mortal);
    await world.during(mortal.engine.start(), 1_000);
    for (const key of ["a", "b"]) {
      await world.during(mortal.engine.trigger(work, key), 1_000);
      await world.advance(100);
    }
    letGo();
    await world.advance(1_000);
    assert.deepEqual(lines, ["a 1"]);
    const engine = await world.started({ definitions: [work], lease });
    // Long before anybody would look for a grant that was not heard of.
    await world.advance(6_000);
    assert.deepEqual(lines, ["a 1", "b 2"]);
    assert.equal((await world.during(engine.get(work, "b"), 1_000))!.runState, "completed");
    assert.deepEqual((await world.during(engine.admin.verify(), 1_000)).findings, []);
  },
);

testOnStores(
  "an engine that dies right after its run was granted a lock: nobody else gets it meanwhile",
  async (world) => {
    const { work, lines, letGo } = stage();
    const dies: Mortal[] = [];
    const store = watchedStore(world.store, grants(1), () => dies[0]!.kill());
    const mortal = world.mortal({ definitions: [work], store });
    dies.push(mortal);
    await world.during(mortal.engine.start(), 1_000);
    await world.during(mortal.engine.trigger(work, "a"), 1_000);
    await world.advance(1_000);
    const engine = await world.started({ definitions: [work] });
    await world.during(engine.trigger(work, "b"), 1_000);
    letGo();
    await world.advance(30_000);
    assert.deepEqual(lines, ["a 1", "b 2"]);
  },
);

testInMemory("a run that ends before it hears of its grant does not keep it", async (world) => {
  const { work, lines, letGo } = stage();
  const guest = world.engine({ definitions: [work], work: false });
  const store = watchedStore(world.store, grants(1), () => {
    guest.cancel(work, "a").catch(() => {});
  });
  const engine = await world.started({ definitions: [work], store });
  letGo();
  await world.during(engine.trigger(work, "a"));
  await world.advance(2_000);
  await world.during(engine.trigger(work, "b"));
  await world.advance(15_000);
  assert.equal(lines.at(-1)?.slice(0, 2), "b ");
  assert.deepEqual((await world.during(engine.locks.inspect("m")))!.holders, []);
  assert.deepEqual((await world.during(engine.admin.verify())).findings, []);
});

testInMemory("a tick tells the run that is next, and works it off", async (world) => {
  const { work, lines, letGo } = stage();
  letGo();
  const engine = world.engine({ definitions: [work] });
  const hold = await world.during(engine.mutex("m").acquire({ hold: "10s" }));
  await world.during(engine.trigger(work, "a"));
  await world.during(engine.tick(), 10_000);
  assert.deepEqual(lines, []);
  await world.during(hold.release());
  const { processed } = await world.during(engine.tick(), 10_000);
  assert.deepEqual([lines, processed > 0], [["a 2"], true]);
  assert.deepEqual((await world.during(engine.locks.inspect("m")))!.holders, []);
});

testInMemory("a run is imported without its lock, and asks anew", async (world) => {
  const { work, lines, letGo } = stage();
  const engine = await world.started({ definitions: [work] });
  for (const key of ["a", "b"]) {
    await world.during(engine.trigger(work, key));
    await world.advance(100);
  }
  const text = (await world.during(Array.fromAsync(engine.admin.export()))).join("");
  const other = new World(memoryStore({ shards: 3 }));
  const target = await other.started({ definitions: [work] });
  const report = await other.during(target.admin.import(text), 5_000);
  assert.equal(report.runs, 2);
  assert.deepEqual((await other.during(target.admin.verify(), 1_000)).findings, []);
  letGo();
  await other.advance(5_000);
  // Each of them in either store.
  assert.deepEqual(lines.map((line) => line.slice(0, 1)).sort(), ["a", "a", "b", "b"]);
  assert.equal((await other.during(target.locks.inspect("m")))!.lastToken, 2);
  assert.equal((await other.during(target.get(work, "b"), 1_000))!.runState, "completed");
  assert.deepEqual((await other.during(target.admin.verify(), 1_000)).findings, []);
  await other.end();
  await other.store.close();
});

testInMemory("an engine without the feature refuses a machine that needs it, and the verbs", (world) => {
  const { work } = stage();
  const common = { store: world.store, clock: world.clock };
  const code = (error: PawlError) => error.code === "UNSUPPORTED" && /"locks"/.test(error.message);
  assert.throws(() => kernel.createEngine({ ...common, definitions: [work] }), code);
  assert.throws(() => kernel.createEngine({ ...common, definitions: [] }).mutex("m"), code);
  assert.throws(() => kernel.createEngine({ ...common, definitions: [] }).locks, code);
  const { locks, hooks } = kernel;
  kernel.createEngine({ ...common, definitions: [work], features: [locks, hooks] }).mutex("m");
  return Promise.resolve();
});

testInMemory(
  "a run that waits for several locks is told of all of them, also when it is told anew",
  async (world) => {
    const seen: unknown[] = [];
    const both = machine<{ name: string[] }>("both", { pauseRetry: false })
      .step("new", ["done"], async (run) => {
        seen.push(run.lock!.tokens);
        await new Promise<void>((resolve) => world.clock.after(500, resolve));
        return "done";
      }, { lock: (run) => ({ name: run.data.name }) })
      .build();
    const dies: Mortal[] = [];
    const store = watchedStore(
      world.store,
      (texts) => texts.some((text) => text.startsWith("lock default b ") && text.includes('"token":2')),
      () => dies[0]!.kill(),
    );
    const mortal = world.mortal({ definitions: [both], store });
    dies.push(mortal);
    await world.during(mortal.engine.start());
    await world.during(mortal.engine.trigger(both, "one", { data: { name: ["b"] } }));
    await world.advance(100);
    await world.during(mortal.engine.trigger(both, "two", { data: { name: ["a", "b"] } }));
    await world.advance(3_000);
    assert.equal(seen.length, 1);
    await world.started({ definitions: [both] });
    await world.advance(20_000);
    assert.deepEqual(seen, [{ b: 1 }, { a: 1, b: 2 }]);
  },
);

testInMemory(
  "an engine that does not know yet that it was replaced does not give away what a run waits for",
  async (world) => {
    const held = gate<void>();
    let attempts = 0;
    const two = machine("two")
      .step("x", ["y"], async () => {
        if (++attempts === 1) await held.promise;
        return "y";
      })
      .step("y", ["done"], () => "done", { lock: "m" })
      .build();
    const mortal = world.mortal({ definitions: [two] });
    await world.during(mortal.engine.start());
    const hold = await world.during(mortal.engine.mutex("m").acquire({ hold: "1h" }));
    await world.during(mortal.engine.trigger(two, "a"));
    await world.advance(100);
    mortal.freeze();
    const engine = await world.started({ definitions: [two] });
    await world.advance(30_000);
    assert.deepEqual((await world.during(engine.get(two, "a")))!.lock, {
      namespace: "default",
      names: ["m"],
    });
    const { store } = world;
    const { read } = store;
    // It hears that late, too.
    const readLate: typeof read = async (requests) => {
      const isLook = requests.some(({ ops }) =>
        ops.some((op) => "start" in op && op.start.startsWith("owner "))
      );
      if (isLook) await sleep(world.clock, 3_000);
      return await read.call(store, requests);
    };
    Object.assign(store, { read: readLate });
    mortal.wake();
    hold.release().catch(() => {});
    await world.advance(2_000);
    Object.assign(store, { read });
    await world.advance(5_000);
    assert.equal((await world.during(engine.get(two, "a")))!.runState, "completed");
    mortal.kill();
  },
);

testOnStores(
  "a lock that was granted to a run which is gone, or has not asked for it, goes to the next",
  async (world) => {
    const { work, letGo } = stage();
    const engine = await world.started({ definitions: [work] });
    const { runId } = await world.during(engine.trigger(work, "a"), 1_000);
    letGo();
    await world.advance(500);
    // As by a request that was on its way for so long that its run had given it up meanwhile.
    const late = new LockStage(world.store, world.clock);
    const gone = `${runId.slice(0, 20)}000000${runId.slice(26)}`;
    for (const [index, holder] of [gone, runId].entries()) {
      await world.during(late.ask(`late ${index}`, [mutex("m")], { holder, run: "work" }), 1_000);
    }
    const waiting = engine.mutex("m", { namespace }).acquire();
    await world.advance(9_000);
    assert.deepEqual(await world.during(late.holders("m"), 1_000), ["late 0"]);
    await world.advance(3_000);
    assert.equal((await world.during(waiting, 1_000)).token, 3);
  },
);
