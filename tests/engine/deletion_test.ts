import assert from "node:assert/strict";
import { createEngine, machine, silentLogger, type Store } from "../../mod.ts";
import { gate, patient, testInMemory, testOnStores } from "./stores.ts";

interface Person {
  name: string;
  email: string;
}

const secret = "ann.o'nymous@example.org";

/** All that a store holds, as text. */
async function allText(store: Store): Promise<string> {
  const pages = await Promise.all(Array.from({ length: store.shards }, async (_, shard) => {
    let text = "";
    for (let start = "";;) {
      const limit = 500;
      const [found] = await store.read([{ shard, ops: [{ start, end: "\x7f", limit }] }]);
      const page = found![0]!;
      text += page.map(({ key, value }) => `${key} ${value}\n`).join("");
      if (page.length < limit) return text;
      start = `${page.at(-1)!.key}\0`;
    }
  }));
  return pages.join("");
}

/** A machine that leaves its data in every place where data can be. */
function leaky(held: Promise<void>, options: { scrub?: (data: Person) => Person } = {}) {
  let attempts = 0;
  return machine<Person>("people", { pauseRetry: false, ...options })
    .step("a", ["b"], (run) => {
      if (++attempts === 1) throw new Error(`cannot reach ${run.data.email}`);
      return "b";
    }, { retry: { initial: 10, jitter: false } })
    .step("b", ["c"], async (run) => {
      await held;
      throw new Error(`too late for ${run.data.email}`);
    })
    .onCancel((run) => {
      throw new Error(`cannot tell ${run.data.email}`);
    }, { parkAfterErrors: 1 })
    .onPause((run) => {
      throw new Error(`cannot pause ${run.data.email}`);
    }, { retry: { initial: "1h" } })
    .build();
}

testOnStores(
  "deleteData() leaves the data in no key of the store, whatever has happened before",
  async (world) => {
    const held = gate();
    const people = leaky(held.promise);
    const engine = await world.started({ definitions: [people] });
    const { runId } = await engine.trigger(people, "k", { data: { name: "Ann", email: secret } });
    await world.advance(100);
    await world.during(engine.pause(people, "k", { reason: `asked by ${secret}` }));
    await world.during(engine.resume(people, "k"));
    await world.during(engine.cancel(people, "k", { reason: `asked by ${secret}` }));
    await world.advance(100);
    assert.ok((await allText(world.store)).split(secret).length > 6, "the data is in many places");
    const asked = await world.during(engine.deleteData(people, "k", { reason: "GDPR" }));
    assert.equal(asked.runState, "deletion-requested");
    await world.advance(1_000);
    // The step that is still running fails only now.
    held.resolve();
    await world.advance(1_000);
    const run = await engine.get(people, "k");
    assert.deepEqual([run!.runState, run!.data, run!.reason, run!.key], ["deleted", null, "GDPR", "k"]);
    assert.ok(!(await allText(world.store)).includes(secret));
    const kinds = (await engine.history({ runId })).map(({ kind }) => kind);
    assert.deepEqual(kinds.slice(-3), ["delete-request", "delete", "late"]);
    assert.deepEqual((await engine.admin.verify()).findings, []);
  },
);

testOnStores(
  "deleteData() keeps what the machine's scrub leaves, also in hooks that are still to run",
  async (world) => {
    const scrub = (data: Person) => ({ ...data, email: "" });
    const held = gate();
    const people = leaky(held.promise, { scrub });
    const engine = await world.started({ definitions: [people] });
    await engine.trigger(people, "k", { data: { name: "Ann", email: secret } });
    await world.advance(100);
    await world.during(engine.pause(people, "k"));
    await world.during(engine.cancel(people, "k"));
    await world.during(engine.deleteData(people, "k"));
    held.resolve();
    await world.advance(1_000);
    assert.deepEqual((await engine.get(people, "k"))!.data, { name: "Ann", email: "" });
    const text = await allText(world.store);
    assert.ok(!text.includes(secret));
    assert.ok(text.includes("chore "), "the hooks are still there");
  },
);

testOnStores(
  "deleteData() does not wait for a step that hangs, whoever has cancelled its run",
  async (world) => {
    const held = gate();
    const people = leaky(held.promise);
    const owner = await world.started({ definitions: [people] });
    const client = world.engine({ definitions: [people], work: false });
    for (const key of ["mine", "theirs"]) {
      await owner.trigger(people, key, { data: { name: "Ann", email: secret } });
    }
    await world.advance(100);
    await world.during(owner.cancel(people, "mine"));
    await world.during(owner.deleteData(people, "mine"));
    await client.cancel(people, "theirs");
    await client.deleteData(people, "theirs");
    await world.advance(5_000);
    for (const key of ["mine", "theirs"]) assert.equal((await owner.get(people, key))!.runState, "deleted");
    held.resolve();
    await world.advance(5_000);
    assert.ok(!(await allText(world.store)).includes(secret));
    assert.deepEqual((await owner.admin.verify()).findings, []);
  },
);

testInMemory("a scrub that fails is tried again, and tells so", async (world) => {
  let calls = 0;
  const people = machine<Person>("people", {
    scrub(data) {
      if (++calls < 3) throw new Error("busy");
      return { ...data, email: "" };
    },
  }).step("a", ["b"], () => "b").build();
  const engine = await world.started({ definitions: [people] });
  const { runId } = await engine.trigger(people, "k", { data: { name: "Ann", email: secret } });
  await world.during(engine.await(people, "k"));
  await world.during(engine.deleteData(people, "k"));
  await world.settle();
  const run = await engine.get(people, "k");
  assert.deepEqual([run!.runState, run!.attempt, run!.lastError?.message], ["deletion-requested", 1, "busy"]);
  await world.advance(10_000);
  assert.equal((await engine.get(people, "k"))!.runState, "deleted");
  assert.deepEqual((await engine.history({ runId })).slice(-4).map(({ kind }) => kind), [
    "delete-request",
    "error",
    "error",
    "delete",
  ]);
  assert.deepEqual((await engine.admin.verify()).findings, []);
});

testOnStores("deleteData() that is cut off by a kill is finished by the next engine", async (world) => {
  const people = machine<Person>("people")
    .step("a", ["b"], (run) => run.data.name.length < 400 ? (run.data.name += "x", run.repeat()) : "b")
    .build();
  const first = world.mortal({ definitions: [people] });
  await world.during(first.engine.start());
  await first.engine.trigger(people, "k", { data: { name: "", email: secret } });
  await world.during(first.engine.await(people, "k"), 5_000);
  await world.during(first.engine.deleteData(people, "k"));
  first.kill();
  const second = await world.started({ definitions: [people] });
  await world.advance(60_000);
  assert.equal((await second.get(people, "k"))!.runState, "deleted");
  assert.ok(!(await allText(world.store)).includes(secret));
  assert.deepEqual((await second.admin.verify()).findings, []);
});

testInMemory("deleteData() refuses a run that has not ended, and one that is deleted", async (world) => {
  const people = machine<Person>("people").step("a", ["b"], (run) => run.skip()).build();
  const engine = await world.started({ definitions: [people] });
  await engine.trigger(people, "k", { data: { name: "Ann", email: secret } });
  await world.settle();
  await assert.rejects(engine.deleteData(people, "k"), { code: "RUN_STATE" });
  await world.during(engine.cancel(people, "k"));
  await world.during(engine.deleteData(people, "k"));
  await world.advance(100);
  await assert.rejects(engine.deleteData(people, "k"), { code: "RUN_STATE" });
  // The key is free for the next run.
  await engine.trigger(people, "k", { data: { name: "Bob", email: "b" } });
  assert.equal((await engine.get(people, "k"))!.data.name, "Bob");
});

const day = 86_400_000;

testOnStores(
  "keepFinished removes a run with all its rows when its time has come, and no other",
  async (world) => {
    const flow = machine<{ n: number }>("flow", { keepFinished: "30d" })
      .step("a", ["b"], (run) => run.data.n > 0 ? (run.data.n--, run.repeat()) : "b")
      .callback("open", ["b"], () => "b")
      .onComplete(() => {
        throw new Error("down");
      }, { parkAfterErrors: 1 })
      .build();
    const engine = await world.started({ definitions: [flow], ...patient });
    const before = await allText(world.store);
    await engine.trigger(flow, "k", { data: { n: 150 }, idempotencyKey: "once" });
    await engine.trigger(flow, "open", { data: { n: 0 }, startAt: "open" });
    await world.settle();
    assert.equal((await engine.get(flow, "k"))!.runState, "completed");
    await world.advance(29 * day);
    assert.ok(await engine.get(flow, "k"));
    assert.deepEqual((await engine.admin.verify()).findings, []);
    await engine.trigger(flow, "k", { data: { n: 1 } });
    await world.advance(2 * day);
    assert.deepEqual((await engine.list({ definition: "flow" })).items.map(({ key }) => key), ["k", "open"]);
    assert.equal((await engine.list({ definition: "flow", key: "k" })).items.length, 1);
    assert.deepEqual((await engine.admin.verify()).findings, []);
    await world.during(engine.callback(flow, "open", "open", undefined));
    await world.advance(31 * day);
    const keys = (text: string) =>
      text.split("\n").map((line) => line.split(" ", 2).join(" ")).filter((line) =>
        !/^(presence|bell|owner|roster|outcome)/.test(line)
      );
    assert.deepEqual(keys(await allText(world.store)), keys(before));
  },
);

testInMemory(
  "keepFinished that is lengthened or taken away by a redeploy keeps what was to be removed",
  async (world) => {
    const flowOf = (keepFinished?: string) =>
      machine("flow", keepFinished === undefined ? {} : { keepFinished }).step("a", ["b"], () => "b").build();
    const first = await world.started({ definitions: [flowOf("1d")], ...patient });
    await first.trigger(flowOf("1d"), "k");
    await world.settle();
    await world.during(first.stop(), 5_000);
    const second = await world.started({ definitions: [flowOf("3d")], ...patient });
    await world.advance(2 * day);
    assert.ok(await second.get(flowOf("3d"), "k"));
    await world.during(second.stop(), 5_000);
    const third = await world.started({ definitions: [flowOf()], ...patient });
    await world.advance(9 * day);
    assert.ok(await third.get(flowOf(), "k"));
    assert.deepEqual((await third.admin.verify()).findings, []);
  },
);

testInMemory("an engine that only ticks erases and removes what is due", async (world) => {
  const flow = machine<Person>("flow", { keepFinished: "1d" }).step("a", ["b"], () => "b").build();
  const options = { store: world.store, clock: world.clock, logger: silentLogger, definitions: [flow] };
  const engine = createEngine(options);
  await engine.trigger(flow, "k", { data: { name: "Ann", email: secret } });
  await world.during(engine.tick(), 10_000);
  await engine.deleteData(flow, "k");
  const { nextDueAt } = await world.during(engine.tick(), 10_000);
  assert.equal((await engine.get(flow, "k"))!.runState, "deleted");
  assert.ok(nextDueAt);
  await world.advance(day);
  await world.during(engine.tick(), 10_000);
  assert.equal(await engine.get(flow, "k"), undefined);
  await engine.stop();
});

testOnStores(
  "an idempotency key is kept with a run that outlives the later ones of its key, and makes no other run",
  async (world) => {
    const flow = machine<{ n: number }>("flow", { keepFinished: "1h" })
      .step("a", ["b"], () => "b")
      .build();
    const engine = await world.started({ definitions: [flow] });
    const once = { data: { n: 1 }, idempotencyKey: "once" };
    const first = await world.during(engine.trigger(flow, "k", once));
    await world.advance(60_000);
    for (const n of [2, 3]) {
      await world.during(engine.trigger(flow, "k", { data: { n } }));
      await world.advance(60_000);
    }
    // What the deletion of its data adds to the first run's time lets it outlive both.
    await world.during(engine.deleteData(flow, "k", { runId: first.runId }));
    await world.advance(3_600_000 - 30_000);
    const left = await world.during(engine.list({ definition: "flow" }));
    assert.deepEqual(left.items.map(({ runId, runState }) => [runId, runState]), [[first.runId, "deleted"]]);

    assert.deepEqual(await world.during(engine.trigger(flow, "k", once)), { ...first, created: false });
  },
);
