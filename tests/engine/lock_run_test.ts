import assert from "node:assert/strict";
import {
  type HistoryKind,
  machine,
  type PawlError,
  type StepLock,
  type StepRun,
  type Store,
} from "../../mod.ts";
import type { Engine } from "../../mod.ts";
import { gate, patient, testInMemory, testOnStores, type World } from "./stores.ts";

interface Job {
  readonly lock: string | StepLock;
  tokens?: number[];
}

/** A machine whose step works under the lock that its data names, until it is let go. */
function worker(work: (run: StepRun<Job, "done">) => unknown) {
  return machine<Job>("work", { pauseRetry: false })
    .step("new", ["done"], async (run) => {
      run.data.tokens = [...run.data.tokens ?? [], run.lock!.token];
      await work(run);
      return "done";
    }, { lock: (run) => run.data.lock, retry: { initial: "1s", jitter: false } })
    .build();
}

/** What happens under a lock, in order, and whether two were ever under it at once. */
class Ledger {
  readonly lines: string[] = [];
  inside = 0;
  most = 0;
  readonly #gates = new Map<string, ReturnType<typeof gate<void>>>();

  async enter(run: Pick<StepRun, "key" | "lock">): Promise<void> {
    this.lines.push(`${run.key} ${run.lock!.token}`);
    this.most = Math.max(this.most, ++this.inside);
    const held = this.#gates.get(run.key) ?? gate<void>();
    this.#gates.set(run.key, held);
    await held.promise;
    this.inside--;
  }

  let(key: string): void {
    const held = this.#gates.get(key) ?? gate<void>();
    this.#gates.set(key, held);
    held.resolve();
  }
}

async function kindsOf(engine: Engine, runId: string): Promise<readonly HistoryKind[]> {
  return (await engine.history({ runId })).map(({ kind }) => kind);
}

async function verified(world: World, engine: Engine): Promise<void> {
  const { findings } = await world.during(engine.admin.verify(), 1_000);
  assert.deepEqual(findings, []);
}

testOnStores("runs get their lock one after another, in the order in which they asked", async (world) => {
  const ledger = new Ledger();
  const work = worker((run) => ledger.enter(run));
  const engine = await world.started({ definitions: [work] });
  const keys = ["a", "b", "c", "d"];
  const ids: string[] = [];
  for (const key of keys) {
    const { runId } = await world.during(engine.trigger(work, key, { data: { lock: "m" } }), 1_000);
    ids.push(runId);
    await world.advance(100);
  }
  assert.deepEqual(ledger.lines, ["a 1"]);
  const b = await world.during(engine.get(work, "b"), 1_000);
  assert.deepEqual([b!.runState, b!.lock], ["initiated", { namespace: "default", names: ["m"] }]);
  for (const key of keys) {
    ledger.let(key);
    await world.advance(500);
  }
  assert.deepEqual(ledger.lines, ["a 1", "b 2", "c 3", "d 4"]);
  assert.equal(ledger.most, 1);
  assert.deepEqual((await world.during(engine.get(work, "c"), 1_000))!.data.tokens, [3]);
  assert.deepEqual(await world.during(kindsOf(engine, ids[0]!), 1_000), [
    "trigger",
    "lock-requested",
    "lock-acquired",
    "move",
    "lock-released",
  ]);
  assert.deepEqual(await world.during(kindsOf(engine, ids[1]!), 1_000), [
    "trigger",
    "lock-requested",
    "lock-waits",
    "lock-acquired",
    "move",
    "lock-released",
  ]);
  const lock = await world.during(engine.locks.inspect("m"), 1_000);
  assert.deepEqual([lock!.holders, lock!.waiting, lock!.lastToken], [[], 0, 4]);
  await verified(world, engine);
});

testInMemory("who waits takes no place of what may run, and no poll asks for it", async (world) => {
  const ledger = new Ledger();
  const work = worker((run) => ledger.enter(run));
  const free = machine("free").step("new", ["done"], () => "done").build();
  const keys: string[] = [];
  const store: Store = {
    limits: world.store.limits,
    shards: world.store.shards,
    close: () => world.store.close(),
    commit: (calls) => world.store.commit(calls),
    read(requests) {
      for (const { ops } of requests) for (const op of ops) keys.push("get" in op ? op.get : op.start);
      return world.store.read(requests);
    },
  };
  const engine = await world.started({ store, definitions: [work, free], limits: { runsInFlightMax: 2 } });
  for (let index = 0; index < 50; index++) {
    await world.during(engine.trigger(work, `k${index}`, { data: { lock: "m" } }));
  }
  await world.settle();
  await world.during(engine.trigger(free, "f"));
  await world.settle();
  assert.equal((await world.during(engine.get(free, "f")))!.runState, "completed");
  keys.length = 0;
  await world.advance(9_000);
  assert.ok(keys.length > 0);
  assert.deepEqual(keys.filter((key) => /^(run|wait|ask) /.test(key)), []);
  assert.deepEqual(ledger.lines, ["k0 1"]);
});

testOnStores(
  "the engine dies: its run resumes as holder, with the same token, and nobody came between",
  async (world) => {
    const ledger = new Ledger();
    const work = worker((run) => ledger.enter(run));
    const mortal = world.mortal({ definitions: [work] });
    await world.during(mortal.engine.start(), 1_000);
    for (const key of ["a", "b"]) {
      await world.during(mortal.engine.trigger(work, key, { data: { lock: "m" } }), 1_000);
      await world.advance(100);
    }
    mortal.kill();
    const engine = await world.started({ definitions: [work] });
    await world.advance(30_000);
    assert.deepEqual(ledger.lines, ["a 1", "a 1"]);
    ledger.let("a");
    await world.advance(500);
    ledger.let("b");
    await world.advance(500);
    assert.deepEqual(ledger.lines, ["a 1", "a 1", "b 2"]);
    assert.equal((await world.during(engine.get(work, "b"), 1_000))!.runState, "completed");
    await verified(world, engine);
  },
);

testOnStores(
  "whatever ends a run gives its lock to the next, and takes it out of the queue",
  async (world) => {
    const ledger = new Ledger();
    const work = worker((run) => ledger.enter(run));
    const engine = await world.started({ definitions: [work] });
    for (const key of ["a", "b", "c", "d"]) {
      await world.during(engine.trigger(work, key, { data: { lock: "m" } }), 1_000);
      await world.advance(100);
    }
    await world.during(engine.cancel(work, "b"), 1_000);
    await world.advance(100);
    assert.equal((await world.during(engine.locks.inspect("m"), 1_000))!.waiting, 2);
    await world.during(engine.cancel(work, "a"), 1_000);
    await world.advance(100);
    assert.deepEqual(ledger.lines, ["a 1", "c 2"]);
    ledger.let("a");
    ledger.let("c");
    ledger.let("d");
    await world.advance(500);
    assert.deepEqual(ledger.lines, ["a 1", "c 2", "d 3"]);
    assert.deepEqual((await world.during(engine.locks.inspect("m"), 1_000))!.holders, []);
    await verified(world, engine);
  },
);

testInMemory(
  "a run that is cancelled by an engine that owns nothing gives its lock back too",
  async (world) => {
    const ledger = new Ledger();
    const work = worker((run) => ledger.enter(run));
    await world.started({ definitions: [work] });
    const guest = world.engine({ definitions: [work], work: false });
    for (const key of ["a", "b"]) {
      await world.during(guest.trigger(work, key, { data: { lock: "m" } }));
      await world.advance(1_000);
    }
    await world.during(guest.cancel(work, "a"));
    await world.advance(2_000);
    assert.deepEqual(ledger.lines, ["a 1", "b 2"]);
  },
);

testInMemory(
  "a step that fails keeps its lock until it has succeeded, and a pause keeps it too",
  async (world) => {
    let attempts = 0;
    const work = worker((run) => {
      if (run.key === "a" && ++attempts < 3) throw new Error("not yet");
      if (run.key === "a" && attempts === 3) return void attempts++;
    });
    const engine = await world.started({ definitions: [work] });
    const { runId } = await world.during(engine.trigger(work, "a", { data: { lock: "m" } }));
    await world.during(engine.trigger(work, "b", { data: { lock: "m" } }));
    await world.advance(100);
    await world.during(engine.pause(work, "a"));
    await world.advance(60_000);
    assert.equal((await world.during(engine.get(work, "b")))!.runState, "initiated");
    await world.during(engine.resume(work, "a"));
    await world.advance(10_000);
    const [a, b] = await world.during(Promise.all([engine.get(work, "a"), engine.get(work, "b")]));
    assert.deepEqual([a!.data.tokens, b!.data.tokens], [[1], [2]]);
    const kinds = await world.during(kindsOf(engine, runId));
    assert.equal(kinds.filter((kind) => kind === "lock-acquired").length, 1);
  },
);

testInMemory(
  "a run that is paused while it waits keeps its place, and works when it goes on",
  async (world) => {
    const ledger = new Ledger();
    const work = worker((run) => ledger.enter(run));
    const engine = await world.started({ definitions: [work] });
    for (const key of ["a", "b", "c"]) {
      await world.during(engine.trigger(work, key, { data: { lock: "m" } }));
      await world.advance(100);
    }
    await world.during(engine.pause(work, "b"));
    ledger.let("a");
    await world.advance(500);
    assert.deepEqual(ledger.lines, ["a 1"]);
    await world.during(engine.resume(work, "b"));
    await world.advance(500);
    assert.deepEqual(ledger.lines, ["a 1", "b 2"]);
    await world.during(engine.pause(work, "c"));
    await world.during(engine.resume(work, "c"));
    ledger.let("b");
    ledger.let("c");
    await world.advance(500);
    assert.deepEqual(ledger.lines, ["a 1", "b 2", "c 3"]);
  },
);

for (
  const [otherwise, state, last] of [
    ["retry", "completed", "LOCK_TIMEOUT"],
    ["fail", "failed", undefined],
    ["skip", "running", undefined],
  ] as const
) {
  testOnStores(`a lock that is not granted in time: ${otherwise}`, async (world) => {
    const ledger = new Ledger();
    const work = worker((run) => ledger.enter(run));
    const engine = await world.started({ definitions: [work] });
    const held = await world.during(engine.mutex("m").acquire({ hold: "1h" }), 1_000);
    const lock = { name: "m", timeout: "5s", otherwise } as const;
    const { runId } = await world.during(engine.trigger(work, "a", { data: { lock } }), 1_000);
    await world.advance(5_500);
    const run = await world.during(engine.get(work, "a"), 1_000);
    assert.equal(run!.lastError?.code, last);
    assert.ok((await world.during(kindsOf(engine, runId), 1_000)).includes("lock-timeout"));
    assert.equal((await world.during(engine.locks.inspect("m"), 1_000))!.waiting, 0);
    await verified(world, engine);
    ledger.let("a");
    await world.during(held.release(), 1_000);
    await world.advance(20_000);
    const after = await world.during(engine.get(work, "a"), 1_000);
    assert.deepEqual([after!.runState], [state]);
    assert.equal((await world.during(engine.locks.inspect("m"), 1_000))!.holders.length, 0);
  });
}

testInMemory("a timeout of 0 does not wait at all", async (world) => {
  const work = worker(() => {});
  const engine = await world.started({ definitions: [work] });
  const held = await world.during(engine.mutex("m").acquire({ hold: "1h" }));
  const lock = { name: "m", timeout: 0, otherwise: "fail" } as const;
  await world.during(engine.trigger(work, "a", { data: { lock } }));
  await world.advance(100);
  assert.equal((await world.during(engine.get(work, "a")))!.runState, "failed");
  await world.during(held.release());
  await world.during(engine.trigger(work, "a", { data: { lock } }));
  await world.advance(100);
  assert.equal((await world.during(engine.get(work, "a")))!.runState, "completed");
});

testInMemory("a grant that meets a timeout or a cancel goes to whoever is next", async (world) => {
  for (let offset = -3; offset <= 3; offset++) {
    const work = worker(() => {});
    const engine = await world.started({ definitions: [work] });
    const held = await world.during(engine.mutex("m").acquire({ hold: "1h" }));
    const lock = { name: "m", timeout: "1s", otherwise: "fail" } as const;
    const { runId } = await world.during(engine.trigger(work, `a${offset}`, { data: { lock } }));
    await world.during(engine.trigger(work, `b${offset}`, { data: { lock: "m" } }));
    const { runId: gone } = await world.during(engine.trigger(work, `c${offset}`, { data: { lock: "m" } }));
    await world.advance(1_000 + offset);
    const [released] = await Promise.all([
      world.during(held.release(), 100),
      world.during(engine.cancel(work, `c${offset}`).catch(() => {}), 100),
    ]);
    assert.equal(released, true);
    await world.advance(1_000);
    const states = await world.during(
      Promise.all([runId, gone].map(async (id) => (await kindsOf(engine, id)).includes("move"))),
    );
    const b = await world.during(engine.get(work, `b${offset}`));
    assert.equal(b!.runState, "completed", `${offset}: ${states}`);
    assert.deepEqual((await world.during(engine.locks.inspect("m")))!.holders, []);
    await world.during(engine.stop(), 1_000);
  }
});

testOnStores(
  "a lock that is taken away: the attempt is told, lands no more, and begins anew",
  async (world) => {
    const signals: AbortSignal[] = [];
    const held = gate<void>();
    const work = worker(async (run) => {
      if (run.key !== "a" || signals.push(run.signal) > 1) return;
      await held.promise;
    });
    const engine = await world.started({ definitions: [work] });
    const { runId } = await world.during(engine.trigger(work, "a", { data: { lock: "m" } }), 1_000);
    await world.during(engine.trigger(work, "b", { data: { lock: "m" } }), 1_000);
    await world.advance(500);
    assert.equal(await world.during(engine.locks.forceRelease("m", { reason: "by hand" }), 1_000), 1);
    await world.advance(500);
    assert.equal((signals[0]!.reason as PawlError).code, "LOCK_LOST");
    assert.deepEqual((await world.during(engine.get(work, "b"), 1_000))!.data.tokens, [2]);
    held.resolve();
    await world.advance(1_000);
    const a = await world.during(engine.get(work, "a"), 1_000);
    assert.deepEqual([a!.runState, a!.data.tokens], ["completed", [3]]);
    const history = await world.during(engine.history({ runId }), 1_000);
    assert.ok(history.some(({ kind, reason }) => kind === "lock-lost" && reason === "by hand"));
    assert.ok(history.some(({ kind, reason }) => kind === "late" && /lock was lost/.test(reason ?? "")));
    await verified(world, engine);
  },
);

testInMemory(
  "a guest takes a lock from a run of an engine that cannot be reached: it is the next one's only then",
  async (world) => {
    const ledger = new Ledger();
    const work = worker((run) => ledger.enter(run));
    const mortal = world.mortal({ definitions: [work] });
    await world.during(mortal.engine.start());
    await world.during(mortal.engine.trigger(work, "a", { data: { lock: "m" } }));
    await world.advance(100);
    const guest = world.engine({ definitions: [work], work: false });
    const wait = guest.mutex("m").acquire();
    await world.advance(100);
    mortal.freeze();
    await world.during(guest.locks.forceRelease("m"), 1_000);
    await world.advance(1_000);
    assert.equal((await world.during(guest.locks.inspect("m")))!.holders[0]!.definition, "work");
    // What the frozen engine's step comes to is refused already.
    ledger.let("a");
    mortal.wake();
    await world.advance(3_000);
    assert.equal((await world.during(wait)).token, 2);
    const run = await world.during(guest.get(work, "a"));
    assert.deepEqual([run!.runState, run!.data.tokens], ["initiated", undefined]);
    mortal.kill();
  },
);

testInMemory("with force the next is granted it before the run is told", async (world) => {
  const ledger = new Ledger();
  const work = worker((run) => ledger.enter(run));
  const mortal = world.mortal({ definitions: [work] });
  await world.during(mortal.engine.start());
  await world.during(mortal.engine.trigger(work, "a", { data: { lock: "m" } }));
  await world.advance(100);
  const guest = world.engine({ definitions: [work], work: false });
  const wait = guest.mutex("m").acquire();
  await world.advance(100);
  mortal.kill();
  await world.during(guest.locks.forceRelease("m", { force: true }), 1_000);
  assert.equal((await world.during(wait)).token, 2);
});

testInMemory("a run's hold that is too long is taken away", async (world) => {
  const held = gate<void>();
  const work = worker(() => held.promise);
  const engine = await world.started({ definitions: [work] });
  const { runId } = await world.during(
    engine.trigger(work, "a", { data: { lock: { name: "m", hold: "10s" } } }),
  );
  await world.advance(9_000);
  assert.ok(!(await world.during(kindsOf(engine, runId))).includes("lock-lost"));
  await world.advance(3_000);
  assert.ok((await world.during(kindsOf(engine, runId))).includes("lock-lost"));
  held.resolve();
});

testInMemory(
  "a status that is left by a callback while its step waits asks for nothing any more",
  async (world) => {
    const seen: string[] = [];
    const both = machine("both")
      .step("new", ["done"], () => "done", { lock: "m" })
      .callback("new", ["other"], () => "other")
      .step("other", ["done"], (run) => {
        seen.push(String(run.lock?.token));
        return "done";
      })
      .build();
    const engine = await world.started({ definitions: [both] });
    const held = await world.during(engine.mutex("m").acquire());
    await world.during(engine.trigger(both, "a"));
    await world.advance(100);
    await world.during(engine.callback(both, "a", "new"));
    await world.advance(100);
    assert.deepEqual(seen, ["undefined"]);
    assert.equal((await world.during(engine.locks.inspect("m")))!.waiting, 0);
    await world.during(held.release());
  },
);

testInMemory(
  "a step that skips gives its lock back, and one that repeats asks anew, behind the others",
  async (world) => {
    const order: string[] = [];
    const jobs = machine<{ left: number }>("jobs")
      .step("new", ["done"], (run) => {
        order.push(`${run.key} ${run.lock!.token}`);
        if (run.key === "skips") return run.skip();
        return run.data.left-- > 0 ? run.repeat() : "done";
      }, { lock: "m" })
      .build();
    const engine = await world.started({ definitions: [jobs] });
    const held = await world.during(engine.mutex("m").acquire());
    for (const [key, left] of [["repeats", 1], ["skips", 0], ["b", 0]] as const) {
      await world.during(engine.trigger(jobs, key, { data: { left } }));
      await world.advance(100);
    }
    await world.during(held.release());
    await world.advance(1_000);
    assert.deepEqual(order, ["repeats 2", "skips 3", "b 4", "repeats 5"]);
    await verified(world, engine);
  },
);

testInMemory("a run that waits for several locks gets them at once", async (world) => {
  const ledger = new Ledger();
  const work = worker((run) => ledger.enter(run));
  const engine = await world.started({ definitions: [work] });
  const b = await world.during(engine.mutex("b").acquire());
  await world.during(engine.trigger(work, "ab", { data: { lock: { name: ["b", "a"] } } }));
  await world.during(engine.trigger(work, "a", { data: { lock: "a" } }));
  await world.advance(100);
  assert.deepEqual(ledger.lines, []);
  await world.during(b.release());
  await world.advance(100);
  ledger.let("ab");
  ledger.let("a");
  await world.advance(500);
  assert.deepEqual(ledger.lines, ["ab 1", "a 2"]);
});

testInMemory(
  "in a step, a lock that would close a cycle is refused, and one under the run's name is its own",
  async (world) => {
    const seen: string[] = [];
    const held = gate<void>();
    const nested = machine<{ outer: string; inner: string }>("nested")
      .step("new", ["done"], async (run) => {
        await held.promise;
        const inner = engine.mutex(run.data.inner);
        const hold = await inner.acquire({ holder: run.runId }).catch((error: PawlError) => error);
        seen.push("code" in hold ? hold.code : "granted");
        if ("token" in hold) await hold.release();
        return "done";
      }, { lock: (run) => run.data.outer })
      .build();
    const engine: Engine = await world.started({ definitions: [nested] });
    await world.during(engine.trigger(nested, "x", { data: { outer: "A", inner: "B" } }));
    await world.during(engine.trigger(nested, "y", { data: { outer: "B", inner: "A" } }));
    await world.during(engine.trigger(nested, "z", { data: { outer: "C", inner: "C" } }));
    await world.advance(100);
    held.resolve();
    await world.advance(2_000);
    assert.deepEqual(seen.sort(), ["ALREADY_HELD", "DEADLOCK", "granted"]);
  },
);

testInMemory("a function that names no lock, or throws, is a failed attempt of the step", async (world) => {
  const work = worker(() => {});
  const engine = await world.started({ definitions: [work], ...patient });
  await world.during(engine.trigger(work, "a", { data: { lock: "" } }));
  await world.advance(100);
  const run = await world.during(engine.get(work, "a"));
  assert.deepEqual([run!.attempt, run!.lastError!.code], [1, "INVALID_ARGUMENT"]);
});

testOnStores(
  "a run is kept no longer than its time though it held a lock, and removed with nothing left",
  async (world) => {
    const short = machine("short", { keepFinished: "1s" })
      .step("new", ["done"], () => "done", { lock: "m" }).build();
    const engine = await world.started({ definitions: [short] });
    await world.during(engine.trigger(short, "a"), 1_000);
    await world.advance(5_000);
    assert.equal(await world.during(engine.get(short, "a"), 1_000), undefined);
    assert.deepEqual((await world.during(engine.locks.inspect("m"), 1_000))!.holders, []);
    await verified(world, engine);
  },
);

testInMemory("a run may hold locks of any name", async (world) => {
  const work = worker(() => {});
  const engine = await world.started({ definitions: [work] });
  const name = ["__proto__", "data", ',"data":'];
  await world.during(engine.trigger(work, "a", { data: { lock: { name, namespace: '","data":' } } }));
  await world.advance(500);
  assert.equal((await world.during(engine.get(work, "a")))!.runState, "completed");
  await verified(world, engine);
});
