import assert from "node:assert/strict";
import { type Clock, type CommitCall, type Hold, PawlError } from "../../mod.ts";
import { sleep } from "../../core/ports/clock.ts";
import { testInMemory, testOnStores, type World } from "./stores.ts";

const none = { definitions: [] };
const code = (wanted: string) => (error: unknown) => error instanceof PawlError && error.code === wanted;

testOnStores(
  "acquire waits for its turn, across engines, and each hold has a greater token",
  async (world) => {
    const [one, other] = [world.engine(none), world.engine(none)];
    const first = await world.during(one.mutex("m").acquire(), 1_000);
    const waiting: Promise<Hold>[] = [];
    for (const engine of [other, one, other]) {
      waiting.push(engine.mutex("m").acquire());
      await world.advance(100);
    }
    let before = first;
    assert.equal(await world.during(first.release(), 1_000), true);
    for (const wait of waiting) {
      const hold = await world.during(wait, 2_000);
      assert.ok(hold.token > before.token);
      assert.equal(before.signal.aborted, false);
      before = hold;
      assert.equal(await world.during(hold.release(), 1_000), true);
      assert.equal(await world.during(hold.release(), 1_000), false);
    }
  },
);

testOnStores("a hold lasts for as long as its holder lives, and passes on when he dies", async (world) => {
  const mortal = world.mortal(none);
  const held = await world.during(mortal.engine.mutex("m").acquire({ hold: "10s" }), 1_000);
  const waiting = world.engine(none).mutex("m").acquire();
  let isGranted = false;
  waiting.then(() => isGranted = true);
  await world.advance(60_000);
  assert.equal(isGranted, false);
  mortal.kill();
  await world.advance(5_000);
  assert.equal(isGranted, false);
  await world.advance(8_000);
  assert.equal((await waiting).token, held.token + 1);
});

testInMemory(
  "who stood still for longer than his hold is told that it is lost, and releases nothing",
  async (world) => {
    const mortal = world.mortal(none);
    const held = await world.during(mortal.engine.mutex("m").acquire({ hold: "10s" }));
    const waiting = world.engine(none).mutex("m").acquire();
    await world.advance(1_000);
    mortal.freeze();
    await world.advance(30_000);
    const next = await world.during(waiting);
    mortal.wake();
    await world.settle();
    assert.equal(held.signal.aborted, true);
    assert.equal((held.signal.reason as PawlError).code, "LOCK_LOST");
    assert.equal(await world.during(held.release()), false);
    assert.equal(next.signal.aborted, false);
    await world.during(mortal.engine.stop());
  },
);

testInMemory(
  "a store that cannot be reached for a whole hold costs the hold, at its holder first",
  async (world) => {
    const mortal = world.mortal(none);
    const held = await world.during(mortal.engine.mutex("m").acquire({ hold: "10s" }));
    let isLost = false;
    const { store } = world;
    const commit = store.commit;
    held.signal.addEventListener("abort", () => isLost = true);
    (store as { commit: typeof commit }).commit = () =>
      Promise.reject(new PawlError("STORE_UNREACHABLE", "the store is away"));
    await world.advance(9_000);
    assert.equal(isLost, false);
    await world.advance(1_500);
    assert.equal(isLost, true);
    (store as { commit: typeof commit }).commit = commit;
    mortal.kill();
  },
);

testOnStores("a timeout ends the wait and leaves the queue, whoever is granted then", async (world) => {
  const engine = world.engine(none);
  const held = await world.during(engine.mutex("m").acquire(), 1_000);
  const late = engine.mutex("m").acquire({ timeout: "5s" });
  const patient = engine.mutex("m").acquire();
  const refusal = assert.rejects(late, code("LOCK_TIMEOUT"));
  await world.advance(6_000);
  await world.during(refusal);
  assert.equal((await world.during(engine.locks.inspect("m"), 1_000))!.waiting, 1);
  await world.during(held.release(), 1_000);
  assert.equal((await world.during(patient, 1_000)).token, 2);
});

testInMemory("a grant that comes with the timeout is either had or passed on, never lost", async (world) => {
  for (let delay = 0; delay < 6; delay++) {
    const [one, other] = [world.engine(none), world.engine(none)];
    const held = await world.during(one.mutex("m").acquire(), 1_000);
    const wait = other.mutex("m").acquire({ timeout: "1s" }).catch((error) => error);
    await world.advance(997 + delay);
    await world.during(held.release());
    await world.advance(2_000);
    const got: Hold | PawlError = await world.during(wait);
    if (!(got instanceof PawlError)) await world.during(got.release());
    const next = await world.during(one.mutex("m").tryAcquire());
    assert.ok(next, `after ${delay} ms it is free`);
    await world.during(next.release());
  }
});

testInMemory("a signal ends the wait with its reason", async (world) => {
  const engine = world.engine(none);
  const held = await world.during(engine.mutex("m").acquire());
  const leave = new AbortController();
  const wait = engine.mutex("m").acquire({ signal: leave.signal });
  const refusal = assert.rejects(wait, /no more/);
  await world.advance(10);
  leave.abort(new Error("no more"));
  await world.during(refusal);
  assert.equal((await world.during(engine.locks.inspect("m")))!.waiting, 0);
  await world.during(held.release());
});

testInMemory("tryAcquire takes what is free, and does not wait", async (world) => {
  const engine = world.engine(none);
  const held = await world.during(engine.mutex("m").tryAcquire());
  assert.equal(await world.during(engine.mutex("m").tryAcquire()), undefined);
  await world.during(held!.release());
  assert.equal((await world.during(engine.mutex("m").tryAcquire()))!.token, 2);
});

testInMemory("tryAcquire sees that the hold of a dead process is over", async (world) => {
  const mortal = world.mortal(none);
  await world.during(mortal.engine.mutex("m").acquire({ hold: "10s" }));
  mortal.kill();
  await world.advance(11_000);
  // Clocks may differ: it is not believed at once that it is over.
  assert.equal(await world.during(world.engine(none).mutex("m").tryAcquire()), undefined);
  await world.advance(10_000);
  assert.equal((await world.during(world.engine(none).mutex("m").tryAcquire()))!.token, 2);
});

testInMemory("a wall clock that jumps ahead ends no hold that is renewed", async (world) => {
  const [one, other] = [world.engine(none), world.engine(none)];
  const held = await world.during(one.mutex("m").acquire({ hold: "10s" }));
  const waiting = other.mutex("m").acquire();
  let isGranted = false;
  waiting.then(() => isGranted = true);
  await world.advance(2_000);
  world.clock.jump(3_600_000);
  await world.advance(60_000);
  world.clock.jump(-7_200_000);
  await world.advance(60_000);
  assert.equal(isGranted, false);
  assert.equal(held.signal.aborted, false);
  await world.during(held.release());
  await world.during(waiting, 1_000);
});

testInMemory("a semaphore has so many holds, a read-write lock one writer or readers", async (world) => {
  const engine = world.engine(none);
  const gpu = () => engine.semaphore("gpu", 2);
  const two = await world.during(Promise.all([gpu().acquire(), gpu().acquire()]));
  assert.equal(await world.during(gpu().tryAcquire()), undefined);
  assert.ok(await world.during(engine.semaphore("gpu", 3).tryAcquire()), "it has grown");
  await world.during(two[0].release());
  const { read, write } = engine.readWriteLock("file");
  await world.during(Promise.all([read.acquire(), read.acquire()]));
  assert.equal(await world.during(write.tryAcquire()), undefined);
});

testInMemory("several locks are held at once, with a token each", async (world) => {
  const engine = world.engine(none);
  const b = await world.during(engine.mutex("b").acquire());
  const both = engine.locks.all(["b", "a"]).acquire();
  await world.advance(100);
  assert.ok(await world.during(engine.locks.inspect("a")));
  await world.during(b.release());
  const hold = await world.during(both);
  assert.deepEqual([hold.name, hold.tokens], ["a", { a: 1, b: 2 }]);
  await world.during(hold.release());
});

testInMemory("one holder who would wait for himself is refused, with the cycle", async (world) => {
  const engine = world.engine(none);
  const [x, y] = [{ holder: "x" }, { holder: "y" }];
  await world.during(engine.mutex("A").acquire(x));
  const b = await world.during(engine.mutex("B").acquire(y));
  await assert.rejects(world.during(engine.mutex("A").acquire(x)), code("ALREADY_HELD"));
  const waiting = engine.mutex("B").acquire(x);
  await world.advance(10);
  await assert.rejects(
    world.during(engine.mutex("A").acquire(y)),
    (error: PawlError) => error.code === "DEADLOCK" && /kept by "x", who waits for "B"/.test(error.message),
  );
  await world.during(b.release());
  await world.during(waiting);
});

testInMemory("who enters again leaves as often", async (world) => {
  const engine = world.engine(none);
  const outer = await world.during(engine.mutex("m").acquire({ holder: "x" }));
  const inner = await world.during(engine.mutex("m").acquire({ holder: "x", reenter: true }));
  assert.equal(inner.token, outer.token);
  await world.during(inner.release());
  assert.equal(await world.during(engine.mutex("m").tryAcquire()), undefined);
  await world.during(outer.release());
  assert.ok(await world.during(engine.mutex("m").tryAcquire()));
});

testInMemory("an operator sees who holds and waits, and can take a lock away", async (world) => {
  const engine = world.engine(none);
  const held = await world.during(engine.mutex("m").acquire({ holder: "ann", hold: "10s" }));
  const waiting = engine.mutex("m").acquire({ holder: "bob" });
  await world.advance(10);
  const info = (await world.during(engine.locks.inspect("m")))!;
  assert.deepEqual(info.holders.map(({ holder, token, permits }) => [holder, token, permits]), [[
    "ann",
    1,
    1,
  ]]);
  assert.deepEqual(info.waiters.map(({ holder, position }) => [holder, position]), [["bob", 1]]);
  assert.deepEqual((await world.during(engine.locks.list())).items.map(({ name }) => name), ["m"]);
  assert.equal(await world.during(engine.locks.forceRelease("m", { token: 7 })), 0);
  assert.equal(await world.during(engine.locks.forceRelease("m")), 1);
  assert.equal((await world.during(waiting)).token, 2);
  await world.advance(5_000);
  assert.equal((held.signal.reason as PawlError).code, "LOCK_LOST");
  assert.equal(await world.during(engine.locks.inspect("other")), undefined);
});

testInMemory(
  "an engine that stops ends waits and tells holders, and what is held ends by itself",
  async (world) => {
    const engine = world.engine(none);
    const held = await world.during(engine.mutex("m").acquire({ hold: "10s" }));
    const wait = assert.rejects(engine.mutex("m").acquire(), code("ENGINE_STOPPED"));
    await world.advance(10);
    await world.during(engine.stop(), 1_000);
    await world.during(wait);
    assert.equal(held.signal.aborted, true);
    const other = world.engine(none);
    assert.equal((await world.during(other.locks.inspect("m")))!.waiting, 0);
    const next = other.mutex("m").acquire();
    await world.advance(12_000);
    assert.equal((await world.during(next)).token, 2);
  },
);

testInMemory("what no lock can use is refused", async (world) => {
  const engine = world.engine(none);
  for (
    const [wrong, message] of [
      [() => engine.mutex(""), /lock name/],
      [() => engine.mutex("m", { namespace: "" }), /lock namespace/],
      [() => engine.semaphore("s", 0), /permits/],
      [() => engine.semaphore("s", 2, { weight: 3 }), /weight/],
      [() => engine.locks.all([]), /1 to 16/],
    ] as const
  ) assert.throws(wrong, message);
  await assert.rejects(engine.mutex("m").acquire({ hold: 10 }), /1000 ms or more/);
});

testInMemory("a lock may have any name", async (world) => {
  const engine = world.engine(none);
  for (const name of ["__proto__", "data", "constructor", " a\n", "\u{1f600}", ',"data":']) {
    const hold = await world.during(engine.locks.all([name, "other"], { namespace: name }).acquire());
    assert.deepEqual([hold.tokens[name], hold.tokens.other, Object.keys(hold.tokens).length], [1, 1, 2]);
    assert.equal(await world.during(engine.mutex(name, { namespace: name }).tryAcquire()), undefined);
    await world.during(hold.release());
  }
});

testInMemory("an engine whose clock is ahead takes no hold away that is renewed", async (world) => {
  const held = await world.during(world.engine(none).mutex("m").acquire({ hold: "10s" }));
  const ahead: Clock = { ...world.clock, now: () => world.clock.now() + 14_000 };
  const other = world.engine({ ...none, clock: ahead });
  assert.equal(await world.during(other.mutex("m").tryAcquire()), undefined);
  const waiting = other.mutex("m").acquire();
  await world.advance(120_000);
  assert.equal(held.signal.aborted, false);
  await world.during(held.release());
  await world.during(waiting, 1_000);
});

testInMemory(
  "a caller who is granted a lock and does not get to hear of it does not keep it",
  async (world) => {
    const [one, other] = [
      world.engine(none),
      world.engine({ ...none, limits: { busyMsMax: 1, settlesMax: 1 } }),
    ];
    const held = await world.during(one.mutex("m").acquire());
    const waiting = assert.rejects(other.mutex("m").acquire({ hold: "2s" }), code("STORE_UNREACHABLE"));
    await world.advance(100);
    const { store } = world;
    const { commit } = store;
    const away = () => Promise.reject(new PawlError("STORE_UNREACHABLE", "the store is away"));
    await world.during(held.release().then(() => void Object.assign(store, { commit: away })));
    await world.advance(1_000);
    Object.assign(store, { commit });
    await world.during(waiting);
    await world.advance(10_000);
    assert.ok(await world.during(one.mutex("m").tryAcquire()));
  },
);

/** Answers of commits come so late, in ms. */
function answerLate({ store, clock }: World, ms: number): void {
  const { commit } = store;
  Object.assign(store, {
    async commit(calls: readonly CommitCall[]) {
      const results = await commit.call(store, calls);
      await sleep(clock, ms);
      return results;
    },
  });
}

testInMemory(
  "what is granted while the engine stops is given back, and is not renewed for ever",
  async (world) => {
    answerLate(world, 100);
    const engine = world.engine(none);
    const asked = assert.rejects(engine.mutex("m").acquire({ hold: "1s" }), code("ENGINE_STOPPED"));
    await world.advance(50);
    await world.during(engine.stop(), 1_000);
    await world.during(asked);
    const other = world.engine(none);
    assert.deepEqual((await world.during(other.locks.inspect("m"), 1_000))!.holders, []);
    await world.during(other.stop(), 1_000);
    assert.equal(world.clock.timers, 0);
  },
);

testInMemory(
  "who lost what he was granted before he heard of it keeps no engine from stopping",
  async (world) => {
    answerLate(world, 100);
    const other = world.engine(none);
    const { engine, ...fate } = world.mortal(none);
    const asked = assert.rejects(engine.mutex("m").acquire({ hold: "1s" }), code("ENGINE_STOPPED"));
    await world.advance(50);
    fate.freeze();
    const next = other.mutex("m").acquire({ hold: "1m" });
    await world.advance(10_000);
    assert.equal((await world.during(next)).token, 2);
    const stopped = engine.stop();
    fate.wake();
    await world.during(Promise.all([asked, stopped]), 5_000);
  },
);
