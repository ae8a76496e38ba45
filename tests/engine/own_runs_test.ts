/**
 * What an engine works on itself it knows by heart, until somebody else rings the bell.
 *
 * @module
 */
import assert from "node:assert/strict";
import { memoryStore } from "../../adapters/memory/mod.ts";
import { machine, type Store } from "../../mod.ts";
import { BatchBuilder } from "../../core/store/batch.ts";
import { keyspace } from "../../core/store/keyspace.ts";
import { gate, World } from "./stores.ts";

/** Counts how often records of runs are read. */
function readsOfRuns(store: Store): { readonly store: Store; count: number } {
  const counted = {
    count: 0,
    store: {
      limits: store.limits,
      shards: store.shards,
      commit: (calls) => store.commit(calls),
      close: () => store.close(),
      read(requests) {
        for (const { ops } of requests) {
          counted.count += ops.filter((op) => "get" in op && op.get.startsWith("run ")).length;
        }
        return store.read(requests);
      },
    } satisfies Store as Store,
  };
  return counted;
}

Deno.test("polls read no run that their engine works on, until a guest changes one", async () => {
  const shared = memoryStore();
  const world = new World(shared);
  const hold = gate<"b">();
  const flow = machine("flow").step("a", ["b"], () => hold.promise).build();
  const counted = readsOfRuns(shared);
  const owner = await world.started({ definitions: [flow], store: counted.store });
  const guest = world.engine({ definitions: [flow] });
  await Promise.all(["k1", "k2", "k3"].map((key) => owner.trigger(flow, key)));
  const ends = ["k1", "k2"].map((key) => owner.await(flow, key));
  await world.advance(10_000);
  counted.count = 0;

  await world.advance(60_000);
  assert.equal(counted.count, 0, "nobody has rung");

  await guest.cancel(flow, "k2");
  await world.advance(1_000);
  assert.equal((await world.during(ends[1]!)).runState, "cancelled");
  const late = owner.await(flow, "k2");
  assert.equal((await world.during(late, 1_000)).runState, "cancelled", "though its step still runs");

  hold.resolve("b");
  assert.equal((await world.during(ends[0]!, 1_000)).status, "b");
  await world.end();
});

Deno.test("a run that waits for its turn longer than a poll is not read again for that", async () => {
  const shared = memoryStore();
  const world = new World(shared);
  const gates = new Map(["k1", "k2"].map((key) => [key, gate<"b">()]));
  const flow = machine("flow")
    .step("a", ["b"], (run) => gates.get(run.key)!.promise)
    .step("b", ["c"], () => "c")
    .build();
  const counted = readsOfRuns(shared);
  const owner = await world.started({
    definitions: [flow],
    store: counted.store,
    limits: { runsInFlightMax: 1 },
  });
  await owner.trigger(flow, "k1");
  await owner.trigger(flow, "k2");
  await world.advance(10_000);
  counted.count = 0;

  await world.advance(10_000);
  gates.get("k1")!.resolve("b");
  gates.get("k2")!.resolve("b");
  await world.advance(1_000);
  assert.equal(counted.count, 0);
  assert.equal((await world.during(owner.await(flow, "k2"))).status, "c");
  await world.end();
});

Deno.test("a callback on the owner lands on what a guest has left, though the run's step goes on here", async () => {
  const world = new World(memoryStore());
  const hold = gate<"b">();
  const flow = machine<{ n: number }>("flow")
    .step("a", ["b"], () => hold.promise)
    .callback("a", ["c"], (run, by: number) => {
      run.data.n += by;
      return by === 1 ? run.skip() : "c";
    })
    .build();
  const owner = await world.started({ definitions: [flow] });
  const guest = world.engine({ definitions: [flow] });
  await owner.trigger(flow, "k", { data: { n: 0 } });
  await world.settle();

  await guest.callback(flow, "k", "a", 1);
  // At once: the owner has not heard of it, and cannot forget what it has, as its step is running.
  const answer = await world.during(owner.callback(flow, "k", "a", 2), 1_000);
  assert.deepEqual([answer.applied, (await owner.get(flow, "k"))!.data], [true, { n: 3 }]);
  hold.resolve("b");
  await world.end();
});

for (const guestDoes of ["changes", "removes"] as const) {
  Deno.test(`a verb whose run somebody else ${guestDoes} between its read and its commit decides anew`, async () => {
    const shared = memoryStore();
    const world = new World(shared);
    const flow = machine("flow").callback("a", ["b"], () => "b").build();
    const between = { now: async () => {} };
    const owner = await world.started({
      definitions: [flow],
      store: {
        limits: shared.limits,
        shards: shared.shards,
        read: (requests) => shared.read(requests),
        close: () => shared.close(),
        async commit(calls) {
          const isCancel = calls.some(({ batches }) =>
            batches.some(({ puts }) => puts.some(({ value }) => value.includes('"kind":"cancel"')))
          );
          if (isCancel) await between.now();
          return await shared.commit(calls);
        },
      },
    });
    const guest = world.engine({ definitions: [flow] });
    const { runId } = await owner.trigger(flow, "k");
    await world.settle();
    between.now = async () => {
      between.now = async () => {};
      if (guestDoes === "changes") return void await guest.pause(flow, "k");
      const batch = new BatchBuilder().delete(keyspace.run.key(runId));
      await shared.commit([{ shard: 0, committer: { id: "hand", callId: "1" }, batches: [batch] }]);
    };
    const answer = await world.during(owner.cancel(flow, "k").catch((error) => error), 1_000);
    if (guestDoes === "changes") {
      const kinds = (await owner.history({ runId })).map(({ kind }) => kind);
      assert.deepEqual([answer.runState, kinds], ["cancelled", ["trigger", "pause", "cancel"]]);
    } else assert.equal(answer.code, "RUN_NOT_FOUND");
    await world.end();
  });
}
