import assert from "node:assert/strict";
import type { LockAnswer } from "../../core/parts/lock_ops.ts";
import { memoryStore } from "../../adapters/memory/mod.ts";
import type { Store } from "../../mod.ts";
import { LockStage, mutex, permits, reading, writing } from "./lock_stage.ts";
import { testInMemory, testOnStores, World } from "./stores.ts";

const stage = (world: World, seed = 1) => new LockStage(world.store, world.clock, seed);
const waits: LockAnswer = { kind: "waiting" };

testOnStores(
  "a lock is granted to one, then in the order of requests, each with a greater token",
  async (world) => {
    const locks = stage(world);
    await world.during(
      (async () => {
        assert.deepEqual(await locks.ask("a", [mutex("m")]), { kind: "granted", tokens: { m: 1 } });
        for (const name of ["b", "c", "d"]) assert.deepEqual(await locks.ask(name, [mutex("m")]), waits);
        assert.equal(await locks.end("a", ["m"]), "released");
        assert.deepEqual(await locks.holders("m"), ["b"]);
        assert.equal(await locks.end("c", ["m"]), "withdrawn");
        assert.equal(await locks.end("b", ["m"]), "released");
        assert.deepEqual(await locks.ask("d", [mutex("m")]), { kind: "granted", tokens: { m: 3 } });
        assert.equal(await locks.end("d", ["m"]), "released");
        assert.equal(await locks.end("d", ["m"]), "none");
        assert.deepEqual(locks.granted, ["b", "d"]);
        assert.deepEqual(await locks.leftovers(), []);
        assert.deepEqual(await locks.ask("e", [mutex("m")]), { kind: "granted", tokens: { m: 4 } });
      })(),
      5_000,
    );
  },
);

testOnStores("a request that comes twice is one request, with one answer", async (world) => {
  const locks = stage(world);
  await world.during(
    (async () => {
      const first = await locks.ask("a", [mutex("m")]);
      assert.deepEqual(await locks.ask("a", [mutex("m")]), first);
      await Promise.all([locks.ask("b", [mutex("m")]), locks.ask("b", [mutex("m")])]);
      await locks.ask("c", [mutex("m")]);
      assert.deepEqual(await locks.ask("b", [mutex("m")]), waits);
      assert.deepEqual(await locks.waiters("m"), ["b", "c"]);
    })(),
    5_000,
  );
});

testOnStores("a hundred at once of three engines never get more permits than there are", async (world) => {
  const engines = [stage(world, 1), stage(world, 2), stage(world, 3)];
  const asked = Array.from(
    { length: 100 },
    (_, index) => engines[index % 3]!.ask(`r${index}`, [permits("s", 5)]),
  );
  const answers = await world.during(Promise.all(asked), 60_000);
  assert.equal(answers.filter(({ kind }) => kind === "granted").length, 5);
  const seen = new Set<number>();
  for (let ended = 0; ended < 100;) {
    const lock = await world.during(engines[0]!.lock("s"), 1_000);
    assert.ok(lock!.holders.length <= 5);
    for (const { token } of lock!.holders) seen.add(token);
    const ends = lock!.holders.map(({ request }, index) => engines[index % 3]!.end(request, ["s"]));
    ended += (await world.during(Promise.all(ends), 60_000)).length;
  }
  assert.equal(seen.size, 100);
  assert.deepEqual(await world.during(engines[0]!.leftovers(), 1_000), []);
});

testInMemory(
  "readers share, a writer waits for them, and readers behind it wait for the writer",
  async (world) => {
    const locks = stage(world);
    await world.during((async () => {
      assert.equal((await locks.ask("r1", [reading("x")])).kind, "granted");
      assert.equal((await locks.ask("r2", [reading("x")])).kind, "granted");
      assert.deepEqual(await locks.ask("w1", [writing("x")]), waits);
      for (const name of ["r3", "r4"]) assert.deepEqual(await locks.ask(name, [reading("x")]), waits);
      await locks.ask("w2", [writing("x")]);
      await locks.ask("r5", [reading("x")]);
      await locks.end("r1", ["x"]);
      assert.deepEqual(await locks.holders("x"), ["r2"]);
      await locks.end("r2", ["x"]);
      assert.deepEqual(await locks.holders("x"), ["w1"]);
      await locks.end("w1", ["x"]);
      assert.deepEqual(await locks.holders("x"), ["r3", "r4"]);
    })());
  },
);

testInMemory("who wants much is not passed by those who want little", async (world) => {
  const locks = stage(world);
  await world.during((async () => {
    await locks.ask("a", [permits("s", 4, 3)]);
    assert.deepEqual(await locks.ask("big", [permits("s", 4, 4)]), waits);
    assert.deepEqual(await locks.ask("small", [permits("s", 4, 1)]), waits);
    await locks.end("a", ["s"]);
    assert.deepEqual(await locks.holders("s"), ["big"]);
    await locks.end("big", ["s"]);
    assert.deepEqual(await locks.holders("s"), ["small"]);
  })());
});

testInMemory("a capacity that shrinks drains, and one that grows is granted at once", async (world) => {
  const locks = stage(world);
  await world.during((async () => {
    for (const name of ["a", "b", "c"]) await locks.ask(name, [permits("s", 3)]);
    assert.deepEqual(await locks.ask("d", [permits("s", 1)]), waits);
    await locks.end("a", ["s"]);
    await locks.end("b", ["s"]);
    assert.deepEqual(await locks.holders("s"), ["c"]);
    await locks.ask("e", [permits("s", 1)]);
    assert.deepEqual(await locks.ask("f", [permits("s", 3)]), waits);
    assert.deepEqual(await locks.holders("s"), ["c", "d", "e"]);
  })());
});

testOnStores(
  "several locks are granted together or not at all, and A with B does not lock out B with A",
  async (world) => {
    const locks = stage(world);
    await world.during(
      (async () => {
        await locks.ask("one", [mutex("A")]);
        assert.deepEqual(await locks.ask("ab", [mutex("A"), mutex("B")]), waits);
        assert.deepEqual(await locks.ask("ba", [mutex("A"), mutex("B")]), waits);
        assert.deepEqual(await locks.ask("b", [mutex("B")]), waits);
        assert.deepEqual(await locks.holders("B"), []);
        await locks.end("one", ["A"]);
        assert.deepEqual([await locks.holders("A"), await locks.holders("B")], [["ab"], ["ab"]]);
        await locks.end("ab", ["A", "B"]);
        assert.deepEqual([await locks.holders("A"), await locks.holders("B")], [["ba"], ["ba"]]);
        await locks.end("ba", ["A", "B"]);
        assert.deepEqual([await locks.holders("A"), await locks.holders("B")], [[], ["b"]]);
      })(),
      5_000,
    );
  },
);

testInMemory(
  "a waiter for several locks that gives up lets those behind it in, in each of its queues",
  async (world) => {
    const locks = stage(world);
    await world.during((async () => {
      await locks.ask("one", [mutex("A")]);
      await locks.ask("ab", [mutex("A"), mutex("B")]);
      await locks.ask("b", [mutex("B")]);
      await locks.end("ab", ["A", "B"]);
      assert.deepEqual(await locks.holders("B"), ["b"]);
      assert.deepEqual(await locks.leftovers(), []);
    })());
  },
);

testInMemory("a cycle of three is refused at the newest request, which names it", async (world) => {
  const locks = stage(world);
  await world.during((async () => {
    for (const [holder, name] of [["x", "A"], ["y", "B"], ["z", "C"]] as const) {
      assert.equal((await locks.ask(`${holder}1`, [mutex(name)], { holder })).kind, "granted");
    }
    assert.deepEqual(await locks.ask("x2", [mutex("B")], { holder: "x" }), waits);
    assert.deepEqual(await locks.ask("y2", [mutex("C")], { holder: "y" }), waits);
    const refused = await locks.ask("z2", [mutex("A")], { holder: "z" });
    assert.equal(refused.kind === "refused" && refused.code, "DEADLOCK");
    assert.match(
      refused.kind === "refused" ? refused.why : "",
      /"A", kept by "x", who waits for "B", kept by "y", who waits for "C", kept by "z"/,
    );
    assert.deepEqual(await locks.waiters("A"), []);
    await locks.end("z1", ["C"], "z");
    assert.deepEqual(await locks.holders("C"), ["y2"]);
  })());
});

testInMemory("a cycle through the place before another in a queue is a cycle too", async (world) => {
  const locks = stage(world);
  await world.during((async () => {
    await locks.ask("k", [mutex("A")]);
    await locks.ask("h1", [mutex("A")], { holder: "h" });
    await locks.ask("w1", [mutex("B")], { holder: "w" });
    await locks.ask("w2", [mutex("A")], { holder: "w" });
    const refused = await locks.ask("h2", [mutex("B")], { holder: "h" });
    assert.equal(refused.kind === "refused" && refused.code, "DEADLOCK");
  })());
});

testInMemory("two engines that close a cycle at once do not both wait", async (world) => {
  for (let round = 0; round < 20; round++) {
    const [one, other] = [stage(world, round + 1), stage(world, round + 100)];
    const [a, b] = [`A${round}`, `B${round}`];
    await world.during(
      (async () => {
        await one.ask(`x1-${round}`, [mutex(a)], { holder: "x" });
        await other.ask(`y1-${round}`, [mutex(b)], { holder: "y" });
      })(),
      1_000,
    );
    const answers = await world.during(
      Promise.all([
        one.ask(`x2-${round}`, [mutex(b)], { holder: "x" }),
        other.ask(`y2-${round}`, [mutex(a)], { holder: "y" }),
      ]),
      1_000,
    );
    assert.deepEqual(answers.map(({ kind }) => kind).sort(), ["refused", "waiting"]);
    await world.during(
      (async () => {
        for (
          const [request, name, holder] of [["x1", a, "x"], ["y1", b, "y"], ["x2", b, "x"], ["y2", a, "y"]]
        ) {
          await one.end(`${request}-${round}`, [name!], holder!);
        }
      })(),
      1_000,
    );
  }
});

testInMemory("who holds a lock is refused it, unless he may enter again", async (world) => {
  const locks = stage(world);
  await world.during((async () => {
    await locks.ask("a1", [mutex("m")], { holder: "a" });
    const again = await locks.ask("a2", [mutex("m")], { holder: "a" });
    assert.equal(again.kind === "refused" && again.code, "ALREADY_HELD");
    const entered = await locks.ask("a3", [mutex("m")], { holder: "a", reenter: true });
    assert.deepEqual(entered, { kind: "granted", tokens: { m: 1 }, request: "a1" });
    assert.deepEqual((await locks.lock("m"))!.holders.map(({ entries }) => entries), [2]);
  })());
});

testInMemory("a lock is one kind, and gives no more permits than it has", async (world) => {
  const locks = stage(world);
  await world.during((async () => {
    await locks.ask("a", [mutex("m")]);
    const other = await locks.ask("b", [permits("m", 3)]);
    assert.match(other.kind === "refused" ? other.why : "", /is used as a mutex, not as a semaphore/);
    const many = await locks.ask("c", [permits("s", 3, 4)]);
    assert.match(many.kind === "refused" ? many.why : "", /has 3 permits, and 4 are asked for/);
  })());
});

testInMemory("a request that may not wait is busy, and leaves nothing behind", async (world) => {
  const locks = stage(world);
  await world.during((async () => {
    await locks.ask("a", [mutex("m")]);
    assert.deepEqual(await locks.ask("b", [mutex("m")], { mayWait: false }), { kind: "busy" });
    await locks.end("a", ["m"]);
    assert.deepEqual(await locks.leftovers(), []);
    assert.equal((await locks.ask("c", [mutex("m")], { mayWait: false })).kind, "granted");
  })());
});

testInMemory("a hand-over reads and writes no more with thousands who wait than with ten", async (world) => {
  const counts = { reads: 0, writes: 0 };
  const store: Store = {
    limits: world.store.limits,
    shards: world.store.shards,
    close: () => world.store.close(),
    async read(requests) {
      const results = await world.store.read(requests);
      for (const each of results) for (const entries of each) counts.reads += entries.length;
      return results;
    },
    async commit(calls) {
      for (const { batches } of calls) {
        for (const { puts, deletes } of batches) counts.writes += puts.length + deletes.length;
      }
      return await world.store.commit(calls);
    },
  };
  const locks = new LockStage(store, world.clock);
  const costs: string[] = [];
  for (const waiters of [10, 3_000]) {
    const name = `m${waiters}`;
    await world.during(locks.ask(`first ${name}`, [mutex(name)]));
    const asked = Array.from(
      { length: waiters },
      (_, index) => locks.ask(`r${index} ${name}`, [mutex(name)]),
    );
    await world.during(Promise.all(asked), 10_000);
    Object.assign(counts, { reads: 0, writes: 0 });
    await world.during(locks.end(`first ${name}`, [name]));
    costs.push(`${counts.reads} read, ${counts.writes} written`);
    assert.deepEqual(await locks.holders(name), [`r0 ${name}`]);
  }
  assert.equal(costs[0], costs[1]);
});

Deno.test("a store that takes little at once has locks for many", async () => {
  const limits = { writesPerCommitMax: 12, entriesPerRangeMax: 4, opsPerReadMax: 5 };
  const world = new World(memoryStore({ limits }));
  const locks = new LockStage(world.store, world.clock);
  await world.during(
    (async () => {
      await Promise.all(Array.from({ length: 40 }, (_, index) => locks.ask(`r${index}`, [mutex("m")])));
      await Promise.all(Array.from({ length: 30 }, (_, index) => locks.end(`r${index}`, ["m"])));
      assert.deepEqual(await locks.holders("m"), ["r30"]);
      await locks.ask("x1", [mutex("x")], { holder: "x" });
      await locks.ask("x2", [mutex("m")], { holder: "x" });
      const refused = await locks.ask("y", [mutex("x")], { holder: "r30" });
      assert.equal(refused.kind, "refused");
    })(),
    60_000,
  );
  await world.store.close();
});

testInMemory("of several locks none is granted while another of them is held", async (world) => {
  const locks = stage(world);
  await world.during((async () => {
    await locks.ask("a", [mutex("A")]);
    await locks.ask("b", [mutex("B")]);
    await locks.ask("ab", [mutex("A"), mutex("B")]);
    await locks.end("a", ["A"]);
    assert.deepEqual([await locks.holders("A"), await locks.holders("B")], [[], ["b"]]);
    await locks.end("b", ["B"]);
    assert.deepEqual([await locks.holders("A"), await locks.holders("B")], [["ab"], ["ab"]]);
  })());
});

testInMemory(
  "a hand-over that another writer has refused at first is told once, when it is durable",
  async (world) => {
    for (const isFirst of [true, false]) {
      const [one, two] = [1, 2].map((seed) => new LockStage(world.store, world.clock, seed));
      const [m, a, b, c] = [mutex(`m${isFirst}`), `a${isFirst}`, `b${isFirst}`, `c${isFirst}`];
      await world.during(one!.ask(a, [m]), 1_000);
      await world.during(one!.ask(b, [m]), 1_000);
      const release = () => one!.end(a, [m.name]);
      const ask = () => two!.ask(c, [m]);
      const [begun, next] = isFirst ? [release(), ask()] : [ask(), release()];
      await world.during(Promise.all([begun, next]), 1_000);
      assert.deepEqual(one!.granted, [b]);
      assert.deepEqual([await one!.holders(m.name), await one!.waiters(m.name)], [[b], [c]]);
    }
  },
);
