/**
 * A read that fails, at the one moment at which nobody would ask again.
 *
 * @module
 */
import assert from "node:assert/strict";
import { keyspace } from "../../core/store/keyspace.ts";
import { type CommitCall, machine, PawlError, type ReadRequest, type Store } from "../../mod.ts";
import { testInMemory, type World } from "./stores.ts";

const flow = machine("flow").step("a", ["b"], () => "b").build();
const slow = machine("slow").step("a", ["b"], () => "b", { lag: "1m" }).build();

/** The world's store, of which an index can be made unreadable. */
function failingStore({ store: inner }: World) {
  const bad = { prefix: "", reads: undefined as number[] | undefined, count: 0, failed: 0 };
  const isBad = (request: ReadRequest) =>
    bad.prefix !== "" && request.ops.some((op) => "start" in op && op.start.startsWith(bad.prefix));
  const store: Store = {
    limits: inner.limits,
    shards: inner.shards,
    close: () => Promise.resolve(),
    commit: (calls: readonly CommitCall[]) => inner.commit(calls),
    async read(requests) {
      const isStruck = requests.some(isBad) && (bad.reads === undefined || bad.reads.includes(++bad.count));
      if (isStruck) {
        bad.failed++;
        throw new PawlError("STORE_FAILED", "Cannot read: the disk coughs");
      }
      return await inner.read(requests);
    },
  };
  return { store, bad };
}

testInMemory(
  "what a bell told of is begun, though the index could not be read when it rang",
  async (world) => {
    const { store, bad } = failingStore(world);
    await world.started({ definitions: [flow], store });
    const guest = world.engine({ definitions: [flow], work: false });
    bad.prefix = keyspace.work.range("flow").start;
    await world.during(guest.trigger(flow, "k"));
    await world.advance(5_000);
    assert.equal((await guest.get(flow, "k"))!.runState, "initiated");
    bad.prefix = "";
    await world.advance(1_000);
    assert.equal((await guest.get(flow, "k"))!.runState, "completed");
  },
);

testInMemory("a shard whose index could not be read when it was taken is worked on later", async (world) => {
  const { store, bad } = failingStore(world);
  const first = await world.started({ definitions: [slow] });
  const second = await world.started({ definitions: [slow], store });
  // Its owner's own, so that no bell has rung.
  await first.trigger(slow, "k");
  // The look that finds the shard free reads the index, and so does the owner that follows from it.
  bad.prefix = keyspace.work.range("slow").start;
  bad.reads = [2];
  await world.during(first.stop(), 1_000);
  await world.advance(120_000);
  assert.equal(bad.failed, 1);
  assert.equal((await second.get(slow, "k"))!.runState, "completed");
});

testInMemory(
  "a removal that is held up half-way does not forget which run a trigger has made",
  async (world) => {
    const { store, bad } = failingStore(world);
    const short = machine("short", { keepFinished: "1m" }).step("a", ["b"], () => "b").build();
    const engine = await world.started({ definitions: [short], store });
    const first = await engine.trigger(short, "k", { idempotencyKey: "i" });
    await world.advance(1_000);
    bad.prefix = keyspace.history.range(first.runId).start;
    await world.advance(90_000);
    assert.ok(bad.failed > 0, "the removal has begun, and cannot go on");
    assert.equal((await engine.trigger(short, "k", { idempotencyKey: "i" })).runId, first.runId);
    bad.prefix = "";
    await world.advance(90_000);
    const second = await engine.trigger(short, "k", { idempotencyKey: "i" });
    assert.ok(second.created && second.runId !== first.runId);
  },
);
