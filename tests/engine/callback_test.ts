import assert from "node:assert/strict";
import { machine, type Store } from "../../mod.ts";
import { gate, testInMemory, testOnStores } from "./stores.ts";

interface Order {
  approvals: string[];
  tracking?: string;
}

interface Parcel {
  id: string;
}

const orders = machine<Order>("orders")
  .callback("placed", ["shipped"], (run, parcel: Parcel) => {
    run.data.tracking = parcel.id;
    return "shipped";
  })
  .step("shipped", ["delivered"], (run) => run.skip())
  .callback("shipped", ["delivered"], (run, by: string) => {
    run.data.approvals.push(by);
    return run.data.approvals.length < 3 ? run.skip() : "delivered";
  })
  .build();

const data: Order = { approvals: [] };

testOnStores("callback() moves a run that waits at the status, before it resolves", async (world) => {
  const engine = await world.started({ definitions: [orders] });
  const { runId } = await engine.trigger(orders, "k", { data });
  const result = await world.during(engine.callback(orders, "k", "placed", { id: "p1" }));
  assert.deepEqual(result, { applied: true, runId, status: "shipped", runState: "running" });
  const run = await engine.get(orders, "k");
  assert.equal(run?.data.tracking, "p1");
  const rows = await engine.history({ runId });
  assert.deepEqual(rows.slice(0, 2).map(({ kind, by, from, to }) => ({ kind, by, from, to })), [
    { kind: "trigger", by: "client", from: undefined, to: "placed" },
    { kind: "move", by: "callback", from: "placed", to: "shipped" },
  ]);
  assert.deepEqual((await engine.admin.verify()).findings, []);
});

testOnStores("callback() on an engine that owns nothing is heard by the one that does", async (world) => {
  const owner = await world.started({ definitions: [orders] });
  const client = world.engine({ definitions: [orders], work: false });
  const met = owner.trigger(orders, "k", { data }).then(() => owner.await(orders, "k"));
  await world.settle();
  await world.during(client.callback(orders, "k", "placed", { id: "p" }));
  await world.advance(1_000);
  for (const by of ["a", "b", "c"]) await world.during(client.callback(orders, "k", "shipped", by));
  const run = await world.during(met, 2_000);
  assert.deepEqual([run.status, run.runState, run.data.approvals], ["delivered", "completed", [
    "a",
    "b",
    "c",
  ]]);
  assert.deepEqual((await owner.admin.verify()).findings, []);
});

testOnStores("callback() by many at once loses no change of the data", async (world) => {
  const votes = machine<{ votes: number[] }>("votes")
    .callback("open", ["closed"], (run, vote: number) => {
      run.data.votes.push(vote);
      return run.data.votes.length === 20 ? "closed" : run.skip();
    })
    .build();
  const engines = [await world.started({ definitions: [votes] }), world.engine({ definitions: [votes] })];
  await engines[0]!.trigger(votes, "k", { data: { votes: [] } });
  const all = Array.from({ length: 20 }, (_, vote) => engines[vote % 2]!.callback(votes, "k", "open", vote));
  const results = await world.during(Promise.all(all), 5_000);
  assert.ok(results.every((each) => each.applied));
  const run = await engines[0]!.get(votes, "k");
  assert.deepEqual([...run!.data.votes].sort((a, b) => a - b), Array.from({ length: 20 }, (_, vote) => vote));
  assert.equal(run!.runState, "completed");
});

testInMemory(
  "callback() asks the callbacks of a status in order, each with the payload whole",
  async (world) => {
    const seen: string[] = [];
    const flow = machine("flow")
      .callback("a", ["x"], (run, payload: { tags: string[] }) => {
        seen.push(`first ${payload.tags.splice(0).join()}`);
        return run.skip();
      })
      .callback("a", ["y"], (_run, payload) => {
        seen.push(`second ${payload.tags.join()}`);
        return "y";
      })
      .callback("a", ["z"], () => {
        seen.push("third");
        return "z";
      })
      .build();
    const engine = await world.started({ definitions: [flow] });
    await engine.trigger(flow, "k");
    const { status } = await world.during(engine.callback(flow, "k", "a", { tags: ["t", "u"] }));
    assert.equal(status, "y");
    assert.deepEqual(seen, ["first t,u", "second t,u"]);
  },
);

testInMemory(
  "callback() says why it was not applied: elsewhere, paused, ended; and writes nothing",
  async (world) => {
    const engine = await world.started({ definitions: [orders] });
    const { runId } = await engine.trigger(orders, "k", { data });
    const refused = async (reason: RegExp) => {
      const before = await engine.get(orders, "k");
      const result = await world.during(engine.callback(orders, "k", "shipped", "ann"));
      assert.equal(result.applied, false);
      assert.match(result.reason!, reason);
      assert.deepEqual([result.runId, result.status, result.runState], [
        runId,
        before!.status,
        before!.runState,
      ]);
      assert.deepEqual(await engine.get(orders, "k"), before);
    };
    await refused(/at "placed"/);
    await world.during(engine.callback(orders, "k", "placed", { id: "p" }));
    await world.during(engine.pause(orders, "k"));
    await refused(/paused/);
    await world.during(engine.cancel(orders, "k"));
    await refused(/cancelled/);
  },
);

testInMemory("callback() names what is wrong with its arguments, and asks no callback", async (world) => {
  const engine = await world.started({ definitions: [orders] });
  await engine.trigger(orders, "k", { data });
  const call = (status: string, payload: unknown, key = "k") =>
    engine.callback(orders, key, status as "placed", payload as Parcel);
  await assert.rejects(call("delivered", {}), {
    code: "NO_CALLBACK",
    message: /"delivered".*"placed", "shipped"/,
  });
  await assert.rejects(call("nowhere", {}), { code: "UNKNOWN_STATUS" });
  await assert.rejects(call("placed", {}, "nobody"), { code: "RUN_NOT_FOUND" });
  await assert.rejects(call("placed", { id: 1n }), { code: "NOT_JSON" });
  await assert.rejects(call("placed", { id: "x".repeat(300_000) }), { code: "PAYLOAD_TOO_LARGE" });
  const plain = machine("plain").step("a", ["b"], () => "b").build();
  const other = world.engine({ definitions: [plain] });
  await assert.rejects(other.callback(plain, "k", "a" as never, undefined as never), { code: "NO_CALLBACK" });
});

testInMemory(
  "callback() hands what its code throws to the caller, and the run is as it was",
  async (world) => {
    const flow = machine<{ n: number }>("flow")
      .callback("a", ["b"], (run, fails: string) => {
        run.data.n = 7;
        if (fails === "throw") throw new RangeError("no such parcel");
        return fails as "b";
      })
      .build();
    const engine = await world.started({ definitions: [flow] });
    const { runId } = await engine.trigger(flow, "k", { data: { n: 1 } });
    await assert.rejects(engine.callback(flow, "k", "a", "throw"), RangeError);
    await assert.rejects(engine.callback(flow, "k", "a", "elsewhere"), { code: "INVALID_TRANSITION" });
    const run = await engine.get(flow, "k");
    assert.deepEqual([run!.data.n, run!.version, run!.status], [1, 1, "a"]);
    assert.equal((await engine.history({ runId })).length, 1);
  },
);

testOnStores(
  "callback() with an idempotency key is applied once, whoever repeats it and whenever",
  async (world) => {
    const flow = machine<{ n: number }>("flow")
      .callback("a", ["b"], (run, by: number) => {
        run.data.n += by;
        return run.data.n >= 3 ? "b" : run.skip();
      })
      .build();
    const engines = [await world.started({ definitions: [flow] }), world.engine({ definitions: [flow] })];
    const { runId } = await engines[0]!.trigger(flow, "k", { data: { n: 0 } });
    const call = (index: number, by: number, idempotencyKey: string) =>
      engines[index]!.callback(flow, "k", "a", by, { idempotencyKey });
    const twice = await world.during(Promise.all([0, 1, 0, 1].map((index) => call(index, 1, "one"))), 5_000);
    for (const each of twice) {
      assert.deepEqual(each, {
        applied: true,
        runId,
        status: "a",
        runState: "running",
      });
    }
    assert.equal((await engines[0]!.get(flow, "k"))!.data.n, 1);
    await assert.rejects(call(0, 2, "one"), { code: "IDEMPOTENCY_MISMATCH" });
    await world.during(call(0, 2, "two"));
    assert.equal((await engines[0]!.get(flow, "k"))!.runState, "completed");
    // Also after the run has ended, each key has the answer that it had.
    assert.equal((await world.during(call(1, 1, "one"))).status, "a");
    assert.deepEqual(await world.during(call(1, 2, "two")), {
      applied: true,
      runId,
      status: "b",
      runState: "completed",
    });
    assert.deepEqual((await engines[0]!.admin.verify()).findings, []);
  },
);

testInMemory("callback() that came too early may come again with its idempotency key", async (world) => {
  const engine = await world.started({ definitions: [orders] });
  await engine.trigger(orders, "k", { data });
  const early = { idempotencyKey: "hook-1" };
  assert.equal((await engine.callback(orders, "k", "shipped", "ann", early)).applied, false);
  await world.during(engine.callback(orders, "k", "placed", { id: "p" }));
  assert.equal((await world.during(engine.callback(orders, "k", "shipped", "ann", early))).applied, true);
});

testInMemory(
  "callback() ends the attempt of the status's step, whose answer comes too late",
  async (world) => {
    const held = gate();
    let aborted: unknown;
    const flow = machine<{ by: string }>("flow")
      .step("a", ["b"], async (run) => {
        run.signal.addEventListener("abort", () => aborted = run.signal.reason);
        await held.promise;
        run.data.by = "step";
        return "b";
      })
      .callback("a", ["c"], (run) => {
        run.data.by = "callback";
        return "c";
      })
      .step("b", ["end"], () => "end")
      .build();
    const engine = await world.started({ definitions: [flow] });
    const { runId } = await engine.trigger(flow, "k", { data: { by: "" } });
    await world.settle();
    await world.during(engine.callback(flow, "k", "a", undefined));
    assert.equal((aborted as { code: string }).code, "RUN_ENDED");
    held.resolve();
    await world.settle();
    const run = await engine.get(flow, "k");
    assert.deepEqual([run!.status, run!.runState, run!.data.by], ["c", "completed", "callback"]);
    assert.equal((await engine.history({ runId })).at(-1)!.kind, "late");
  },
);

testInMemory(
  "a step that saves data over that of a callback runs again, and both changes stay",
  async (world) => {
    const first = gate();
    let attempts = 0;
    const flow = machine<{ list: string[] }>("flow")
      .step("a", ["b"], async (run) => {
        attempts++;
        const { stepId } = run;
        run.data.list.push("step");
        if (attempts === 1) await first.promise;
        assert.equal(run.stepId, stepId);
        return "b";
      })
      .callback("a", [], (run, by: string) => {
        run.data.list.push(by);
        return run.skip();
      })
      .build();
    const engine = await world.started({ definitions: [flow] });
    const { runId } = await engine.trigger(flow, "k", { data: { list: [] } });
    await world.settle();
    await world.during(engine.callback(flow, "k", "a", "ann"));
    first.resolve();
    const run = await world.during(engine.await(flow, "k"), 1_000);
    assert.deepEqual(run.data.list, ["ann", "step"]);
    assert.equal(attempts, 2);
    const kinds = (await engine.history({ runId })).map(({ kind, by }) => `${kind} by ${by}`);
    assert.deepEqual(kinds, ["trigger by client", "skip by callback", "late by step", "move by step"]);
  },
);

testInMemory(
  "callback() takes a runId, and a signal that ends it before anything is written",
  async (world) => {
    const held = gate();
    const flow = machine("flow").callback("a", ["b"], async (run, waits: boolean) => {
      if (waits) await held.promise;
      run.signal.throwIfAborted();
      return "b";
    }).build();
    const engine = await world.started({ definitions: [flow] });
    const first = await engine.trigger(flow, "k");
    const controller = new AbortController();
    const call = engine.callback(flow, "k", "a", true, { signal: controller.signal });
    await world.settle();
    controller.abort(new Error("no more"));
    held.resolve();
    await assert.rejects(world.during(call), /no more/);
    assert.equal((await engine.get(flow, "k"))!.version, 1);
    await world.during(engine.callback(flow, "k", "a", false, { runId: first.runId }));
    const second = await engine.trigger(flow, "k");
    const late = await world.during(engine.callback(flow, "k", "a", false, { runId: first.runId }));
    assert.deepEqual([late.applied, late.runId, late.runState], [false, first.runId, "completed"]);
    assert.equal((await engine.get(flow, "k"))!.runId, second.runId);
  },
);

testInMemory(
  "of one callback sent twice at once, both senders are told that it was applied",
  async (world) => {
    const flow = machine("flow").callback("a", ["b"], () => "b").build();
    const one = world.engine({ definitions: [flow], work: false });
    const options = { idempotencyKey: "sent-1" };
    let between: (() => Promise<unknown>) | undefined;
    const store: Store = {
      ...world.store,
      limits: world.store.limits,
      shards: world.store.shards,
      commit: (calls) => world.store.commit(calls),
      close: () => world.store.close(),
      async read(requests) {
        const found = await world.store.read(requests);
        const act = between;
        between = undefined;
        await act?.();
        return found;
      },
    };
    const two = world.engine({ definitions: [flow], work: false, store });
    await one.trigger(flow, "k");
    // The second has looked for an answer, and found none, when the first is applied.
    between = () => one.callback(flow, "k", "a", undefined, options);
    const result = await world.during(two.callback(flow, "k", "a", undefined, options));
    assert.deepEqual([result.applied, result.status, result.runState], [true, "b", "completed"]);
  },
);

testInMemory(
  "a callback that is aborted ends, also when its code does not heed the signal",
  async (world) => {
    const held = gate();
    const flow = machine("flow").callback("a", ["b"], async () => {
      await held.promise;
      return "b";
    }).build();
    const engine = await world.started({ definitions: [flow] });
    await engine.trigger(flow, "k");
    const end = new AbortController();
    const result = engine.callback(flow, "k", "a", undefined, { signal: end.signal });
    const ended = assert.rejects(result, { message: "enough" });
    await world.settle();
    end.abort(new Error("enough"));
    await world.during(ended);
    held.resolve();
    await world.settle();
    assert.equal((await engine.get(flow, "k"))!.status, "a");
  },
);
