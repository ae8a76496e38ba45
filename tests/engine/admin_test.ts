import assert from "node:assert/strict";
import { keyspace } from "../../core/store/keyspace.ts";
import { type Codec, type Entry, machine, type Store } from "../../mod.ts";
import { storeKinds, testInMemory, testOnStores, type World } from "./stores.ts";

interface Secret {
  text: string;
  n?: number;
}

const flow = machine<Secret>("flow", { pauseRetry: false })
  .step("a", ["b"], (run) => {
    run.data.n = (run.data.n ?? 0) + 1;
    if (run.data.text === "waits") return run.skip();
    if (run.data.text === "fails") return run.fail("broken");
    return "b";
  })
  .step("b", ["c"], () => "c", { lag: "1h" })
  .build();

/** Everything in a store. */
async function everything(store: Store): Promise<Entry[]> {
  const reads = Array.from({ length: store.shards }, (_, shard) => ({
    shard,
    ops: [{ start: "", end: "\x7f", limit: 10_000 }],
  }));
  return (await store.read(reads)).flatMap((result) => result[0]!);
}

let hand = 0;

/** Writes to a store behind the engine's back. */
async function damage(
  store: Store,
  change: { put?: [key: string, value: string]; delete?: string },
  shard = 0,
) {
  await store.commit([{
    shard,
    committer: { id: `hand${hand++}`, callId: "1" },
    batches: [{
      checks: [],
      puts: change.put ? [{ key: change.put[0], value: change.put[1] }] : [],
      deletes: change.delete === undefined ? [] : [change.delete],
    }],
  }]);
}

/** A store with runs in many states. */
async function filled(world: World) {
  const engine = await world.started({ definitions: [flow] });
  const ids: Record<string, string> = {};
  for (const key of ["plain", "waits", "fails", "paused", "cancelled", "again"]) {
    ids[key] = (await engine.trigger(flow, key, { data: { text: key }, idempotencyKey: `id ${key}` })).runId;
  }
  await world.settle();
  await engine.pause(flow, "paused");
  await engine.cancel(flow, "cancelled");
  await engine.cancel(flow, "again");
  await engine.trigger(flow, "again", { data: { text: "again" } });
  await world.settle();
  return { engine, ids };
}

testOnStores("admin.verify() finds nothing in a store that only engines have written", async (world) => {
  const { engine } = await filled(world);
  const report = await engine.admin.verify();
  assert.deepEqual(report.findings, []);
  assert.deepEqual([report.ok, report.runs], [true, 7]);
  const entries = (await everything(world.store)).filter((entry) => !entry.key.startsWith("meta"));
  assert.ok(report.entries >= entries.length);
  await world.advance(3_600_000 * 2);
  assert.deepEqual((await engine.admin.verify()).findings, []);
});

testInMemory("admin.verify() finds each kind of damage", async (world) => {
  const { engine, ids } = await filled(world);
  const { store } = world;
  await engine.stop();
  const checker = world.engine({ definitions: [flow] });
  const before = await everything(store);
  const valueOf = (key: string) => before.find((entry) => entry.key === key)!.value;
  const keyOf = (front: string) => before.find((entry) => entry.key.startsWith(front))!.key;
  const record = (name: string, changes: object): [string, string] => {
    const key = keyspace.run.key(ids[name]!);
    const { data, ...fields } = JSON.parse(valueOf(key));
    return [key, JSON.stringify({ ...fields, ...changes, data })];
  };
  const answer = JSON.stringify({ runId: ids.plain, input: "x" });
  const lost = JSON.stringify({ runId: "0".repeat(30), input: "x" });
  const work = keyOf("work flow");
  const history = (name: string, index: number) =>
    before.filter((entry) => entry.key.startsWith(keyspace.history.front(ids[name]!)))[index]!.key;
  const cases: [invariant: string, change: Parameters<typeof damage>[1]][] = [
    ["keyspace", { put: ["nonsense", "1"] }],
    ["keyspace", { put: ["run a b", "1"] }],
    ["record", { put: [keyspace.run.key(ids.plain!), "{"] }],
    ["record", { put: [keyspace.run.key("0".repeat(30)), valueOf(keyspace.run.key(ids.plain!))] }],
    ["record", { put: [history("plain", 0), "no json"] }],
    ["record", { put: [keyspace.key.key("flow", "plain"), "no json"] }],
    ["index", { delete: work }],
    ["index", { put: [keyspace.work.key("flow", 5, ids.plain!), "1"] }],
    ["index", { delete: keyOf("list flow active") }],
    ["index", { put: [keyspace.list.key("flow", "paused", ids.plain!), "1"] }],
    ["index", { put: [keyOf("list flow cancelled"), "2"] }],
    ["I1", { delete: keyspace.key.key("flow", "plain") }],
    ["I1", { put: [keyspace.key.key("flow", "plain"), JSON.stringify({ runId: ids.waits })] }],
    ["I1", { put: record("again", { state: "running" }) }],
    ["I2", { put: record("plain", { version: 9 }) }],
    ["I2", { delete: history("plain", 0) }],
    ["I1", { put: [keyspace.key.key("flow", "nobody"), JSON.stringify({ runId: ids.plain })] }],
    ["I1", { put: [keyspace.key.key("flow", "nobody"), JSON.stringify({ runId: "0".repeat(30) })] }],
    ["history", { put: [`${keyspace.history.front("0".repeat(30))}000000000001`, history("plain", 0)] }],
    ["history", { put: [`${keyspace.history.front("f".repeat(30))}000000000001`, "no json"] }],
    ["idempotency", { put: [keyspace.idempotency.key("flow", "waits", "trigger", "x"), answer] }],
    ["idempotency", { put: [keyspace.idempotency.key("flow", "waits", "trigger", "y"), lost] }],
    ["record", { put: [keyspace.idempotency.key("flow", "plain", "trigger", "id plain"), "[]"] }],
    ["record", { put: [keyspace.key.key("flow", "plain"), "null"] }],
    ["record", { put: [keyspace.owner.key("flow"), "{}"] }],
    ["record", { put: [keyspace.presence.key("gone"), "no json"] }],
    ["record", { put: [keyspace.run.key(ids.plain!), valueOf(keyspace.run.key(ids.plain!)) + "}"] }],
    ["I3", { put: [history("plain", 1), valueOf(history("plain", 1)).replace('"to":"b"', '"to":"c"')] }],
    ["I4", { put: record("cancelled", { stepDue: 5 }) }],
    ["I4", { put: [history("plain", 0), valueOf(history("plain", 0)).replace("initiated", "cancelled")] }],
    ["I9", { put: record("plain", { due: undefined }) }],
  ];
  for (const [invariant, change] of cases) {
    const key = change.put?.[0] ?? change.delete!;
    const original = before.find((entry) => entry.key === key);
    await damage(store, change);
    const { ok, findings, notes } = await checker.admin.verify();
    const what = `${invariant} ${JSON.stringify(change)}`;
    // A graph of before may have had that edge.
    assert.equal(ok, invariant === "I3", what);
    assert.ok(
      (ok ? notes : findings).some((finding) => finding.invariant === invariant),
      `${what}: ${JSON.stringify(findings)}`,
    );
    await damage(store, original ? { put: [key, original.value] } : { delete: key });
    assert.deepEqual((await checker.admin.verify()).findings, [], `${what} undone`);
  }
});

testOnStores("admin.verify() finds a run in the wrong shard", async (world) => {
  const engine = world.engine({ definitions: [flow] });
  const { runId } = await engine.trigger(flow, "k", { data: { text: "x" } });
  const [record] = (await everything(world.store)).filter((entry) => entry.key === keyspace.run.key(runId));
  for (let shard = 0; shard < 4; shard++) {
    await damage(world.store, { put: [record!.key, record!.value] }, shard);
  }
  const { findings } = await engine.admin.verify();
  assert.equal(
    new Set(findings.filter((each) => each.invariant === "placement").map((each) => each.shard)).size,
    3,
  );
}, storeKinds.slice(1, 2));

testOnStores("admin.verify() ends with its signal's reason", async (world) => {
  const { engine } = await filled(world);
  await assert.rejects(engine.admin.verify({ signal: AbortSignal.abort(new Error("enough")) }), {
    message: "enough",
  });
});

testOnStores("admin.engines() and admin.shards() tell who is there and who owns what", async (world) => {
  const other = machine("other").step("a", ["b"], () => "b").build();
  const since = world.clock.now();
  const first = await world.started({ definitions: [flow], lease: { term: "6s" } });
  const second = await world.started({ definitions: [other] });
  await world.advance(30_000);
  const engines = await first.admin.engines();
  assert.deepEqual(
    engines.map((each) => each.engineId).sort(),
    [first.admin.engineId, second.admin.engineId].sort(),
  );
  for (const each of engines) {
    assert.equal(each.since.getTime(), since);
    assert.ok(each.expiresAt.getTime() > world.clock.now());
  }
  const shards = await second.admin.shards();
  assert.equal(shards.length, 2 * world.store.shards);
  for (const each of shards) {
    assert.equal(each.engineId, each.definition === "flow" ? first.admin.engineId : second.admin.engineId);
    assert.equal(each.since.getTime(), since);
  }
});

testInMemory("1,000 runs at once share their commits", async (world) => {
  const chain = machine("chain").step("a", ["b"], () => "b").step("b", ["c"], () => "c").build();
  const engine = await world.started({ definitions: [chain] });
  await world.settle();
  const before = engine.admin.counts();
  await Promise.all(Array.from({ length: 1_000 }, (_, n) => engine.trigger(chain, `k${n}`)));
  await world.settle();
  const after = engine.admin.counts();
  assert.equal(after.steps - before.steps, 2_000);
  assert.equal(after.reads - before.reads, 0);
  assert.ok(after.commits - before.commits <= 12, `${after.commits - before.commits} commits`);
  assert.ok((after.rows - before.rows) / 2_000 <= 7.5);
});

const secret = "the launch code is 0000";

function xor(text: string): string {
  return [...new TextEncoder().encode(text)].map((byte) => (byte ^ 0x5a).toString(16).padStart(2, "0")).join(
    "",
  );
}

function unxor(text: string): string {
  const bytes = text.match(/../g)!.map((hex) => parseInt(hex, 16) ^ 0x5a);
  return new TextDecoder().decode(Uint8Array.from(bytes));
}

const codecs: Record<string, Codec> = {
  "a codec": { encode: xor, decode: unxor },
  "an async codec": {
    encode: async (text) => (await Promise.resolve(), xor(text)),
    decode: async (text) => (await Promise.resolve(), unxor(text)),
  },
};

for (const [name, codec] of Object.entries(codecs)) {
  testOnStores(
    `${name} seals the data in every stored value, and opens it for steps and verbs`,
    async (world) => {
      const seen: string[] = [];
      const sealed = machine<Secret>("sealed", { pauseRetry: false })
        .step("a", ["b"], (run) => {
          seen.push(run.data.text);
          run.data.n = 1;
          if (run.attempt < 2) throw new Error("boom");
          return "b";
        })
        .step("b", ["c"], (run) => run.data.n === 1 ? run.pause("look") : "c")
        .build();
      const engine = await world.started({ definitions: [sealed], codec });
      const { runId } = await engine.trigger(sealed, "k", { data: { text: secret }, idempotencyKey: "once" });
      await world.advance(10_000);
      assert.deepEqual(seen, [secret, secret]);
      assert.deepEqual((await engine.get(sealed, "k"))!.data, { text: secret, n: 1 });
      assert.deepEqual((await engine.list({ include: ["data"] })).items[0]!.data, { text: secret, n: 1 });
      const again = await engine.trigger(sealed, "k", { data: { text: secret }, idempotencyKey: "once" });
      assert.deepEqual(again, { runId, created: false });
      for (const entry of await everything(world.store)) {
        assert.ok(!entry.value.includes("launch") && !entry.value.includes("0000 "), entry.key);
        assert.ok(!entry.value.includes(secret) && !entry.key.includes("launch"), entry.key);
      }
      assert.deepEqual((await engine.admin.verify()).findings, []);
      const blind = world.engine({ definitions: [sealed] });
      await assert.rejects(blind.get(sealed, "k"), { code: "INVALID_ARGUMENT", message: /codec/ });
      assert.equal((await blind.list()).items.length, 1);
      assert.equal(await blind.pause(sealed, "k").catch((error) => error.code), "RUN_STATE");
    },
  );
}

testOnStores("a codec can be introduced while runs are under way", async (world) => {
  const open = world.engine({ definitions: [flow] });
  await open.trigger(flow, "k", { data: { text: "plain at first" } });
  const sealing = await world.started({ definitions: [flow], codec: codecs["a codec"]! });
  await world.settle();
  assert.deepEqual((await sealing.get(flow, "k"))!.data, { text: "plain at first", n: 1 });
  const run = (await everything(world.store)).find((entry) => entry.key.startsWith("run "))!;
  assert.ok(!run.value.includes("plain at first"));
});

testOnStores("a codec that cannot open the data makes a failed attempt, not a lost run", async (world) => {
  let broken = true;
  const codec: Codec = {
    encode: xor,
    decode(text) {
      if (broken) throw new Error("no key");
      return unxor(text);
    },
  };
  const engine = await world.started({ definitions: [flow], codec });
  await engine.trigger(flow, "k", { data: { text: "waits" } });
  await world.settle();
  const [item] = (await engine.list()).items;
  assert.deepEqual([item!.attempt, item!.lastError!.message], [1, "no key"]);
  broken = false;
  await world.advance(5_000);
  assert.deepEqual((await engine.get(flow, "k"))!.data, { text: "waits", n: 1 });
});

testOnStores("a codec that cannot seal refuses the trigger and fails the attempt", async (world) => {
  const codec: Codec = { encode: () => Promise.reject(new Error("no key")), decode: unxor };
  const engine = await world.started({ definitions: [flow], codec });
  await assert.rejects(engine.trigger(flow, "k", { data: { text: "x" } }), { message: "no key" });
  assert.equal(await engine.get(flow, "k"), undefined);
});
