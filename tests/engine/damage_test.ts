/**
 * One stored value is damaged by hand: which verb says so, and what goes on.
 *
 * @module
 */
import assert from "node:assert/strict";
import { keyspace } from "../../core/store/keyspace.ts";
import { type Engine, type Logger, machine, type Store } from "../../mod.ts";
import { testInMemory, testOnStores, type World } from "./stores.ts";

const flow = machine<{ n: number }>("flow")
  .step("a", ["b"], (run) => ((run.data.n += 1), "b"))
  .step("b", ["c"], () => "c", { lag: "1h" })
  .build();

let hands = 0;

/** Writes a value behind the engines' backs. */
async function damage(store: Store, shard: number, key: string, value: string): Promise<void> {
  await store.commit([{
    shard,
    committer: { id: `hand ${hands++}`, callId: "1" },
    batches: [{ checks: [], puts: [{ key, value }], deletes: [] }],
  }]);
}

const shardOf = (store: Store, runId: string) => parseInt(runId.slice(-4), 16) % store.shards;

async function valueOf(store: Store, shard: number, key: string): Promise<string> {
  return (await store.read([{ shard, ops: [{ get: key }] }]))[0]![0]![0]!.value;
}

/** Counts the errors that an engine logs. */
function countingLogger() {
  const messages: string[] = [];
  const logger: Logger = { log: (level, message) => void (level === "error" && messages.push(message)) };
  return { logger, messages };
}

const ways = ["", "{", "null", "[]", "{}", '"text"', '{"data":1}', '{"id":5,"version":1,"data":1}'];

async function codeOf(doing: Promise<unknown>): Promise<string> {
  return await doing.then(() => "none", (error) => `${error.code} ${error.message}`);
}

async function triggered(engine: Engine, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < count; n++) ids.push((await engine.trigger(flow, `k${n}`, { data: { n: 0 } })).runId);
  return ids;
}

testOnStores("a damaged record is set aside: its verbs say so, all other runs go on", async (world) => {
  const { logger, messages } = countingLogger();
  const guest = world.engine({ definitions: [flow] });
  const ids = await triggered(guest, 12);
  const { store } = world;
  const [first, second] = ids as [string, string];
  const key = keyspace.run.key(first);
  const sound = await valueOf(store, shardOf(store, first), key);
  await damage(store, shardOf(store, first), key, sound.slice(0, 40));
  const engine = await world.started({ definitions: [flow], logger });
  for (let n = 0; n < 120; n++) {
    // Every bell makes the owner read the due index again.
    if (n % 4 === 0) await guest.trigger(flow, `more ${n}`, { data: { n: 0 } });
    await world.advance(1_000);
  }
  const asked = [
    () => engine.get(flow, "k0"),
    () => engine.cancel(flow, "k0"),
    () => engine.pause(flow, "k0", { runId: first }),
    () => engine.await(flow, "k0"),
    () => engine.trigger(flow, "k0", { data: { n: 0 } }),
    () => engine.list({ definition: "flow", key: "k0" }),
  ];
  for (const doing of asked) {
    assert.match(await codeOf(doing()), new RegExp(`^STORE_CORRUPT .*"run ${first}"`));
  }
  assert.equal((await engine.list({ limit: 100 })).items.length, 11 + 30, "all but the damaged one");
  assert.equal((await engine.get(flow, "k1", { runId: second }))!.status, "b");
  assert.ok(messages.length >= 2 && messages.length <= 6, `${messages.length} errors in two minutes`);
  const { findings } = await engine.admin.verify();
  assert.deepEqual(findings.map((each) => [each.invariant, each.key]), [["record", key]]);
  // A hand has mended it: it goes on by itself.
  await damage(store, shardOf(store, first), key, sound);
  await world.advance(61_000);
  assert.equal((await engine.get(flow, "k0"))!.status, "b");
  assert.deepEqual((await engine.admin.verify()).findings, []);
});

testInMemory("a record that is damaged in any way is STORE_CORRUPT, and found by verify()", async (world) => {
  const engine = world.engine({ definitions: [flow] });
  const [runId] = await triggered(engine, 1) as [string];
  const key = keyspace.run.key(runId);
  for (const value of ways) {
    await damage(world.store, 0, key, value);
    assert.match(await codeOf(engine.get(flow, "k0")), /^STORE_CORRUPT .*run /, value);
    assert.ok((await engine.admin.verify()).findings.some((each) => each.key === key), value);
    assert.deepEqual((await engine.list()).items, [], value);
  }
});

testInMemory("a suspect whose record is damaged does not hold up the others", async (world: World) => {
  const dead = world.mortal({ definitions: [flow] });
  await dead.engine.start();
  const ids: string[] = [];
  for (let n = 0; n < 9; n++) {
    const { runId } = await dead.engine.trigger(flow, `k${n}`, { data: { n: 0 } });
    ids.push(runId);
  }
  dead.kill();
  await damage(world.store, 0, keyspace.run.key(ids[0]!), "{");
  const heir = await world.started({ definitions: [flow] });
  await world.advance(60_000);
  const { items } = await heir.list({ status: "b" });
  assert.equal(items.length, 8);
});

testInMemory("a damaged key row stops its key, and neither its run nor other keys", async (world) => {
  const engine = await world.started({ definitions: [flow] });
  const [runId] = await triggered(engine, 2) as [string, string];
  const key = keyspace.key.key("flow", "k0");
  for (const value of ways) {
    await damage(world.store, 0, key, value);
    const message = /^STORE_CORRUPT .*"key flow k0"/;
    assert.match(await codeOf(engine.get(flow, "k0")), message, value);
    assert.match(await codeOf(engine.trigger(flow, "k0", { data: { n: 0 } })), message, value);
    assert.equal((await engine.get(flow, "k0", { runId }))!.status, "b");
    assert.deepEqual((await engine.admin.verify()).findings.map((each) => each.key), [key], value);
  }
  await world.advance(3_700_000);
  assert.equal((await engine.get(flow, "k0", { runId }))!.runState, "completed");
});

testInMemory(
  "a damaged history row is named by history() and verify(), and its run goes on",
  async (world) => {
    const engine = await world.started({ definitions: [flow] });
    const [runId] = await triggered(engine, 1) as [string];
    await world.settle();
    const ops = [{ ...keyspace.history.range(runId), limit: 1 }];
    const { key } = (await world.store.read([{ shard: 0, ops }]))[0]![0]![0]!;
    for (const value of ways) {
      await damage(world.store, 0, key, value);
      assert.match(await codeOf(engine.history({ runId })), new RegExp(`^STORE_CORRUPT .*"${key}"`), value);
      assert.ok((await engine.admin.verify()).findings.some((each) => each.key === key), value);
    }
    await world.advance(3_700_000);
    assert.equal((await engine.get(flow, "k0"))!.runState, "completed");
  },
);

testInMemory("a damaged idempotency row is named by the trigger that asks for it", async (world) => {
  const engine = world.engine({ definitions: [flow] });
  const options = { data: { n: 0 }, idempotencyKey: "once" };
  await engine.trigger(flow, "k", options);
  const key = keyspace.idempotency.key("flow", "k", "trigger", "once");
  for (const value of ways) {
    await damage(world.store, 0, key, value);
    assert.match(await codeOf(engine.trigger(flow, "k", options)), new RegExp(`^STORE_CORRUPT .*"${key}"`));
    assert.deepEqual((await engine.admin.verify()).findings.map((each) => each.key), [key]);
  }
});

testOnStores("a damaged owner or presence row stops no engine, and is written anew", async (world) => {
  const { store } = world;
  for (const value of ways) {
    await damage(store, 0, keyspace.owner.key("flow"), value);
    await damage(store, 0, keyspace.presence.key("somebody"), value);
    const checker = world.engine({ definitions: [flow] });
    assert.equal((await checker.admin.verify()).findings.length, 2, value);
    const engine = await world.started({ definitions: [flow] });
    await engine.trigger(flow, value, { data: { n: 0 } }).catch(() =>
      engine.trigger(flow, "k", { data: { n: 0 } })
    );
    await world.advance(30_000);
    assert.equal((await engine.list({ status: "a" })).items.length, 0);
    assert.ok((await engine.admin.shards()).every((each) => each.engineId === engine.admin.engineId));
    assert.deepEqual((await checker.admin.verify()).findings, [], value);
    await engine.cancel(flow, "k").catch(() => {});
    await world.during(engine.stop(), 5_000);
  }
});

testInMemory("an owner whose row or presence is damaged under it goes on, or is fenced", async (world) => {
  const first = await world.started({ definitions: [flow] });
  await world.started({ definitions: [flow] });
  await triggered(first, 3);
  await world.settle();
  await damage(world.store, 0, keyspace.presence.key(first.admin.engineId), "{");
  await damage(world.store, 0, keyspace.owner.key("flow"), "{");
  await world.advance(3_700_000);
  assert.equal((await first.list({ runState: "completed" })).items.length, 3);
  assert.deepEqual((await first.admin.verify()).findings, []);
});
