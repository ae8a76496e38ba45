import assert from "node:assert/strict";
import { machine } from "../../mod.ts";
import { BatchBuilder } from "../../core/store/batch.ts";
import { keyspace } from "../../core/store/keyspace.ts";
import { gate, testInMemory, type World } from "./stores.ts";

const lockKey = keyspace.lock.key("default", "m");

/** Two runs of one lock: one holds it, the other waits. */
async function stage(world: World) {
  const held = gate<void>();
  const work = machine("work", { pauseRetry: false })
    .step("new", ["done"], async () => {
      await held.promise;
      return "done";
    }, { lock: "m" })
    .build();
  const engine = await world.started({ definitions: [work], poll: "1d" });
  const ids: string[] = [];
  for (const key of ["a", "b"]) {
    ids.push((await world.during(engine.trigger(work, key))).runId);
    await world.advance(50);
  }
  const problems = async () => {
    const { findings } = await world.during(engine.admin.verify(), 1_000);
    return findings.map(({ invariant, problem }) => `${invariant}: ${problem}`).sort();
  };
  return { engine, ids, problems, letGo: () => held.resolve() };
}

async function write(world: World, change: (batch: BatchBuilder) => void): Promise<void> {
  const batch = new BatchBuilder();
  change(batch);
  const committer = { id: "test", callId: crypto.randomUUID() };
  await world.during(world.store.commit([{ shard: 0, committer, batches: [batch] }]));
}

async function valueOf(world: World, key: string): Promise<string> {
  const [found] = await world.during(world.store.read([{ shard: 0, ops: [{ get: key }] }]));
  return found![0]![0]!.value;
}

testInMemory("verify() finds nothing in locks that are well", async (world) => {
  const { problems, letGo } = await stage(world);
  assert.deepEqual(await problems(), []);
  letGo();
  await world.advance(500);
  assert.deepEqual(await problems(), []);
});

testInMemory("verify() tells of a run that holds what it does not hold", async (world) => {
  const { problems } = await stage(world);
  const row = { ...JSON.parse(await valueOf(world, lockKey)), holders: [] };
  await write(world, (batch) => batch.put(lockKey, JSON.stringify(row)));
  assert.match(
    (await problems()).join("\n"),
    /I11: it takes itself for the holder of a lock that it does not hold/,
  );
});

testInMemory(
  "verify() tells of a run that waits in no queue, and of what is left of its place",
  async (world) => {
    const { problems, ids } = await stage(world);
    const request = JSON.parse(await valueOf(world, keyspace.run.key(ids[1]!))).lock.request;
    await write(world, (batch) => batch.delete(keyspace.ask.key("default", ids[1]!, request)));
    assert.deepEqual(await problems(), [
      "I11: it waits for a lock in no queue",
      "index: no place of its request stands beside it",
    ]);
  },
);

testInMemory(
  "verify() tells of a holder that does not know, and of more holders than permits",
  async (world) => {
    const { problems, ids } = await stage(world);
    const row = JSON.parse(await valueOf(world, lockKey));
    const [holder] = row.holders;
    const since = holder.since - 120_000;
    const other = { ...holder, holder: ids[1], request: "other", token: 9, since };
    await write(world, (batch) => batch.put(lockKey, JSON.stringify({ ...row, holders: [holder, other] })));
    const found = (await problems()).join("\n");
    assert.match(found, /I11: 2 permits of 1 are held/);
    assert.match(found, /I11: run \w+ holds it and does not know of it/);
    assert.match(found, /I11: tokens 1, 9 of holders, and 1 as the last/);
    assert.match(found, /index: missing for lock "m"/);
    assert.match(found, /index: no lock stands behind this index row/);
  },
);

testInMemory("verify() tells of a queue that is shorter than its lock says", async (world) => {
  const { problems } = await stage(world);
  await write(world, (batch) => batch.delete(keyspace.wait.key("default", "m", 1)));
  assert.deepEqual(await problems(), [
    "index: 1 wait, but 0 stand in its queue",
    "index: it does not stand in all of its queues",
  ]);
});
