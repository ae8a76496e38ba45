import assert from "node:assert/strict";
import { machine, type RunView, type Store } from "../../mod.ts";
import { gate, storeKinds, testInMemory, testOnStores } from "./stores.ts";

interface Doc {
  text: string;
}

/** What hooks have seen: kind, state, status, version and text. */
type Seen = string[];

function sawInto(seen: Seen, kind: string) {
  return (run: RunView<Doc>) =>
    void seen.push(`${kind}: ${run.runState} at ${run.status} v${run.version} "${run.data.text}"`);
}

function flowOf(seen: Seen) {
  return machine<Doc>("flow", { pauseRetry: false })
    .step("a", ["b"], (run) => {
      run.data.text += "a";
      return run.data.text.startsWith("fail") ? run.fail("broken") : "b";
    })
    .callback("b", ["end"], (run, text: string) => {
      run.data.text += text;
      return "end";
    })
    .onComplete(sawInto(seen, "complete"))
    .onComplete(sawInto(seen, "complete too"))
    .onPause(sawInto(seen, "pause"))
    .onResume(sawInto(seen, "resume"))
    .onCancel(sawInto(seen, "cancel"))
    .onFail(sawInto(seen, "fail"))
    .onDelete((run) => void seen.push(`delete: ${run.runState} ${JSON.stringify(run.data)}`))
    .build();
}

testOnStores("hooks see the run as it was at the change, each once", async (world) => {
  const seen: Seen = [];
  const flow = flowOf(seen);
  const engine = await world.started({ definitions: [flow] });
  await engine.trigger(flow, "k", { data: { text: "" } });
  await world.settle();
  await world.during(engine.pause(flow, "k"));
  await world.during(engine.resume(flow, "k"));
  await world.during(engine.callback(flow, "k", "b", "z"));
  await world.advance(1_000);
  assert.deepEqual(seen.splice(0).sort(), [
    'complete too: completed at end v5 "az"',
    'complete: completed at end v5 "az"',
    'pause: paused at b v3 "a"',
    'resume: running at b v4 "a"',
  ]);
  await engine.trigger(flow, "c", { data: { text: "" } });
  await world.settle();
  await world.during(engine.cancel(flow, "c"));
  await engine.trigger(flow, "f", { data: { text: "fail" } });
  await world.advance(1_000);
  assert.deepEqual(seen.splice(0).sort(), ['cancel: cancelled at b v3 "a"', 'fail: failed at a v2 "faila"']);
  await world.during(engine.deleteData(flow, "k"));
  await world.advance(1_000);
  assert.deepEqual(seen.splice(0), ["delete: deleted null"]);
  assert.deepEqual((await engine.admin.verify()).findings, []);
});

testOnStores(
  "hooks of a change by an engine that owns nothing are run by the one that does",
  async (world) => {
    const seen: Seen = [];
    const [flow, theirs] = [flowOf(seen), flowOf([])];
    const owner = await world.started({ definitions: [flow] });
    const client = world.engine({ definitions: [theirs], work: false });
    await client.trigger(theirs, "k", { data: { text: "" } });
    await world.advance(1_000);
    await client.cancel(theirs, "k");
    await world.advance(1_000);
    assert.deepEqual(seen, ['cancel: cancelled at b v3 "a"']);
    assert.deepEqual((await owner.admin.verify()).findings, []);
  },
);

testOnStores(
  "a failing hook is retried alone with backoff, parks after N errors, and goes on when retried",
  async (world) => {
    let calls = 0;
    let isDown = true;
    const good: string[] = [];
    const options = {
      name: "mail",
      parkAfterErrors: 3,
      retry: { initial: "1m", factor: 2, jitter: false },
    } as const;
    const flow = machine("flow").step("a", ["b"], () => "b")
      .onComplete(() => {
        calls++;
        if (isDown) throw Object.assign(new Error("no mail"), { code: "EMAIL" });
      }, options)
      .onComplete((run) => void good.push(run.key))
      .build();
    const engine = await world.started({ definitions: [flow] });
    const { runId } = await engine.trigger(flow, "k");
    await world.settle();
    assert.deepEqual([calls, good], [1, ["k"]]);
    await world.advance(59_999);
    assert.equal(calls, 1);
    await world.advance(1);
    assert.equal(calls, 2);
    await world.advance(120_000);
    await world.advance(3_600_000);
    assert.equal(calls, 3);
    await engine.trigger(flow, "other");
    await world.settle();
    assert.deepEqual(good, ["k", "other"]);
    const { items } = await engine.admin.parked({ definition: "flow" });
    const { id, ...rest } = items[0]!;
    assert.deepEqual(rest, {
      runId,
      key: "k",
      definition: "flow",
      kind: "complete",
      hook: "mail",
      attempts: 3,
      lastError: { name: "Error", message: "no mail", code: "EMAIL" },
    });
    isDown = false;
    await world.during(engine.admin.retry(id));
    // Its owner does not wait for its poll.
    await world.settle();
    assert.deepEqual((await engine.admin.parked()).items, []);
    await assert.rejects(engine.admin.retry(id), { code: "HOOK_NOT_FOUND" });
    await assert.rejects(engine.admin.retry("x"), { code: "INVALID_ARGUMENT" });
    assert.deepEqual((await engine.admin.verify()).findings, []);
  },
);

testOnStores("hooks of many runs that hang or fail hold up neither runs nor other hooks", async (world) => {
  const held = gate();
  let done = 0;
  const flow = machine("flow").step("a", ["b"], () => "b")
    .onComplete(async (run) => {
      if (run.key.startsWith("hang")) await held.promise;
      if (run.key.startsWith("fail")) throw new Error("down");
      done++;
    })
    .build();
  const engine = await world.started({ definitions: [flow] });
  for (const kind of ["hang", "fail", "good"]) {
    await Promise.all(Array.from({ length: 30 }, (_, index) => engine.trigger(flow, `${kind}${index}`)));
  }
  await world.advance(100);
  assert.equal(done, 30);
  assert.equal((await engine.list({ runState: "completed", limit: 100 })).items.length, 90);
  held.resolve();
  await world.settle();
  assert.equal(done, 60);
});

testOnStores("hooks of a killed engine run on the next one", async (world) => {
  const seen: string[] = [];
  const held = gate();
  const flow = (isFirst: boolean) =>
    machine("flow").step("a", ["b"], () => "b")
      .onComplete(async (run) => {
        if (isFirst) await held.promise;
        seen.push(run.key);
      })
      .build();
  const first = world.mortal({ definitions: [flow(true)] });
  await world.during(first.engine.start());
  await Promise.all(["x", "y", "z"].map((key) => first.engine.trigger(flow(true), key)));
  await world.settle();
  first.kill();
  const second = await world.started({ definitions: [flow(false)] });
  await world.advance(30_000);
  assert.deepEqual(seen.sort(), ["x", "y", "z"]);
  assert.deepEqual((await second.admin.verify()).findings, []);
});

testInMemory("a hook that kills its engine again and again is parked", async (world) => {
  let deaths = 0;
  let current: { kill(): void } | undefined;
  const never = gate();
  const flow = machine("flow").step("a", ["b"], () => "b")
    .onComplete(async () => {
      deaths++;
      current!.kill();
      await never.promise;
    }, { parkAfterErrors: 4 })
    .build();
  const mortal = world.mortal({ definitions: [flow] });
  current = mortal;
  await world.during(mortal.engine.start());
  await mortal.engine.trigger(flow, "k");
  await world.settle();
  for (let round = 0; round < 8; round++) {
    const next = world.mortal({ definitions: [flow] });
    current = next;
    await world.during(next.engine.start());
    await world.advance(15_000);
    next.kill();
  }
  const auditor = world.engine({ definitions: [flow] });
  const { items } = await auditor.admin.parked();
  assert.deepEqual([items.length, items[0]?.lastError?.name], [1, "Interrupted"]);
  assert.ok(deaths <= 5, `${deaths} deaths`);
});

testInMemory("a hook past its timeout has failed, and hears so by its signal", async (world) => {
  let calls = 0;
  let reason: unknown;
  const flow = machine("flow").step("a", ["b"], () => "b")
    .onComplete((_run, { signal }) => {
      signal.addEventListener("abort", () => reason = signal.reason);
      return ++calls === 1 ? new Promise(() => {}) : undefined;
    }, { timeout: "30s", retry: { initial: "1m", jitter: false } })
    .build();
  const engine = await world.started({ definitions: [flow] });
  await engine.trigger(flow, "k");
  await world.advance(30_000);
  assert.equal((reason as { code: string }).code, "STEP_TIMEOUT");
  await world.advance(60_000);
  assert.equal(calls, 2);
  assert.deepEqual((await engine.admin.verify()).findings, []);
});

testInMemory("a hook that the deployed code has lost is parked, not dropped", async (world) => {
  const older = machine("flow").step("a", ["b"], () => "b").onComplete(() => {
    throw new Error("down");
  }, { name: "mail", retry: { initial: "1h" } }).build();
  const newer = machine("flow").step("a", ["b"], () => "b").build();
  const first = await world.started({ definitions: [older] });
  await first.trigger(older, "k");
  await world.settle();
  await world.during(first.stop(), 5_000);
  const second = await world.started({ definitions: [newer] });
  await world.advance(2 * 3_600_000);
  const { items } = await second.admin.parked();
  assert.match(items[0]!.lastError!.message, /no hook "mail"/);
});

testOnStores("admin.parked() pages over all shards and definitions", async (world) => {
  const park = { parkAfterErrors: 1 };
  const fails = () => {
    throw new Error("down");
  };
  const definitions = ["one", "two"].map((name) =>
    machine(name).step("a", ["b"], () => "b").onComplete(fails, park).onComplete(fails, park).build()
  );
  const engine = await world.started({ definitions });
  for (const each of definitions) {
    await Promise.all(Array.from({ length: 5 }, (_, index) => engine.trigger(each, `k${index}`)));
  }
  await world.advance(1_000);
  const found = new Set<string>();
  let cursor: string | undefined;
  do {
    const page = await engine.admin.parked({ limit: 3, ...(cursor !== undefined && { cursor }) });
    for (const { id } of page.items) found.add(id);
    cursor = page.cursor;
  } while (cursor !== undefined);
  assert.equal(found.size, 20);
  assert.equal((await engine.admin.parked({ definition: "two" })).items.length, 10);
  await assert.rejects(engine.admin.parked({ limit: 0 }), { code: "INVALID_ARGUMENT" });
  await assert.rejects(engine.admin.parked({ cursor: "x" }), { code: "INVALID_ARGUMENT" });
});

testOnStores("hooks that are to be done or parked move to another store with their runs", async (world) => {
  let isDown = true;
  const seen: string[] = [];
  const flow = machine("flow").step("a", ["b"], () => "b")
    .onComplete((run) => {
      if (isDown) throw new Error("down");
      seen.push(run.key);
    }, { parkAfterErrors: 1 })
    .onComplete((run) => {
      if (isDown) throw new Error("down");
      seen.push(`${run.key} later`);
    }, { retry: { initial: "1h" } })
    .build();
  const from = await world.started({ definitions: [flow] });
  await from.trigger(flow, "k");
  await world.settle();
  const lines = await Array.fromAsync(from.admin.export());
  isDown = false;
  const { memoryStore } = await import("../../adapters/memory/mod.ts");
  const to = await world.started({ definitions: [flow], store: memoryStore({ shards: 3 }) });
  const report = await world.during(to.admin.import(lines), 1_000);
  assert.deepEqual([report.runs, report.refused], [1, 0]);
  assert.deepEqual((await to.admin.verify()).findings, []);
  await world.during(to.admin.retry((await to.admin.parked()).items[0]!.id));
  await world.advance(3_600_000);
  assert.deepEqual(seen.filter((each) => each === "k").length, 1);
  assert.ok(seen.includes("k later"));
});

testOnStores(
  "a hook that fell due while its shard could not be passed on is run by who stays",
  async (world) => {
    const heard: string[] = [];
    const definition = () =>
      machine<number>("jobs")
        .step("new", ["done"], async (run) => {
          await new Promise<void>((resolve) => world.clock.after(run.data, resolve));
          return "done";
        })
        .onComplete((run) => void heard.push(run.key))
        .build();
    const jobs = definition();
    const engine = await world.started({ definitions: [jobs] });
    // In each shard one step that ends while the shard is to be passed on, and one that is longer than that may take.
    for (let index = 0; index < 24; index++) {
      await world.during(engine.trigger(jobs, `k${index}`, { data: index % 2 === 0 ? 1_000 : 6_000 }));
    }
    await world.started({ definitions: [definition()] });
    await world.advance(4_000);
    assert.deepEqual(heard.toSorted(), Array.from({ length: 12 }, (_, index) => `k${index * 2}`).toSorted());
  },
  storeKinds.slice(1, 2),
);

testInMemory("an engine that only ticks finds hooks that are due where no run is", async (world) => {
  let calls = 0;
  const flow = machine("flow").step("a", ["b"], () => "b")
    .onComplete(() => {
      if (++calls === 1) throw new Error("down");
    }, { retry: { initial: "1m", jitter: false } })
    .build();
  const engine = world.engine({ definitions: [flow] });
  await engine.trigger(flow, "k");
  const first = await world.during(engine.tick({ budgetMs: 1_000 }));
  assert.equal(first.nextDueAt?.getTime(), world.clock.now() + 60_000);
  await world.advance(30_000);
  const early = await world.during(engine.tick({ budgetMs: 1_000 }));
  assert.deepEqual([early.processed, early.nextDueAt], [0, first.nextDueAt]);
  await world.advance(30_000);
  assert.equal((await world.during(engine.tick({ budgetMs: 1_000 }))).processed, 1);
  assert.equal(calls, 2);
});

testInMemory("unserved() names a definition of which only hooks are left to do", async (world) => {
  const down = () => {
    throw new Error("down");
  };
  const flow = machine("flow").step("a", ["b"], () => "b").onComplete(down).build();
  const engine = world.engine({ definitions: [flow] });
  await engine.trigger(flow, "k");
  const { nextDueAt } = await world.during(engine.tick({ budgetMs: 1_000 }));
  const other = machine("other").step("a", ["b"], () => "b").build();
  const client = world.engine({ definitions: [other], work: false });
  const unserved = await client.admin.unserved();
  assert.deepEqual(unserved, [{ definition: "flow", shards: [0], firstDue: nextDueAt }]);
});

testInMemory("hooks that were never tried are not parked because an engine died", async (world) => {
  const seen: string[] = [];
  const flowOf = (hear: (key: string) => unknown) =>
    machine("flow").step("a", ["b"], () => "b")
      .onComplete((run) => hear(run.key), { parkAfterErrors: 1, concurrency: 1 })
      .build();
  const [hanging, flow] = [flowOf(() => new Promise(() => {})), flowOf((key) => seen.push(key))];
  const first = world.mortal({ definitions: [hanging] });
  await world.during(first.engine.start());
  await Promise.all(["x", "y", "z"].map((key) => first.engine.trigger(hanging, key)));
  await world.settle();
  first.kill();
  const second = await world.started({ definitions: [flow] });
  await world.advance(30_000);
  assert.deepEqual(seen.sort(), ["x", "y", "z"]);
  assert.deepEqual((await second.admin.parked()).items, []);
});

testInMemory("a hook whose row changes while its attempt is being counted is begun again", async (world) => {
  const seen: string[] = [];
  const flowOf = (hear: (key: string) => unknown) =>
    machine("flow").step("a", ["b"], () => "b").onComplete((run) => hear(run.key)).build();
  const [hanging, flow] = [flowOf(() => new Promise(() => {})), flowOf((key) => seen.push(key))];
  const first = world.mortal({ definitions: [hanging] });
  await world.during(first.engine.start());
  await first.engine.trigger(hanging, "k");
  await world.settle();
  first.kill();
  let touched = 0;
  const store: Store = {
    ...world.store,
    limits: world.store.limits,
    shards: world.store.shards,
    read: (requests) => world.store.read(requests),
    close: () => world.store.close(),
    async commit(calls) {
      const puts = calls.flatMap(({ batches }) => batches.flatMap((batch) => batch.puts));
      const chore = puts.find(({ key }) => key.startsWith("chore "));
      if (chore && touched++ === 0) {
        const found = await world.store.read([{ shard: 0, ops: [{ get: chore.key }] }]);
        const { key, value } = found[0]![0]![0]!;
        const batch = { checks: [], puts: [{ key, value }], deletes: [] };
        await world.store.commit([{ shard: 0, committer: { id: "other", callId: "1" }, batches: [batch] }]);
      }
      return await world.store.commit(calls);
    },
  };
  await world.started({ definitions: [flow], store });
  await world.advance(60_000);
  assert.deepEqual([touched > 0, seen], [true, ["k"]]);
});
