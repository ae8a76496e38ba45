/**
 * Commits that land while every answer about them is lost, their settlements' answers too.
 *
 * @module
 */
import assert from "node:assert/strict";
import { memoryStore } from "../../adapters/memory/mod.ts";
import { type CommitCall, machine, OutcomeUnknownError, type Store } from "../../mod.ts";
import { gate, testOnStores } from "./stores.ts";

/** A store whose answers to commits are lost while it is deaf, though all of them land. */
function deafStore(inner: Store) {
  const deaf = { to: (_call: CommitCall) => false, lost: 0 };
  const store: Store = {
    limits: inner.limits,
    shards: inner.shards,
    close: () => inner.close(),
    read: (requests) => inner.read(requests),
    async commit(calls) {
      const results = await inner.commit(calls);
      if (!calls.some(deaf.to)) return results;
      deaf.lost++;
      throw new OutcomeUnknownError("the answer was lost");
    },
  };
  return { store, deaf };
}

const tellsOf = (kind: string) => ({ batches }: CommitCall) =>
  batches.length === 0 ||
  batches.some(({ puts }) => puts.some(({ value }) => value.includes(`"kind":"${kind}"`)));

const memory = {
  name: "memory with outcome rows",
  open() {
    const store = memoryStore({ keepOutcomes: true });
    return Promise.resolve({ store, close: () => store.close() });
  },
};

testOnStores("the hooks of a verb that landed unheard run at once, without a bell", async (world) => {
  const seen: string[] = [];
  const flow = machine("flow").callback("a", ["b"], () => "b")
    .onPause((run) => void seen.push(run.runState)).build();
  const { store, deaf } = deafStore(world.store);
  const engine = await world.started({ definitions: [flow], store, limits: { settlesMax: 2 }, poll: "1h" });
  await engine.trigger(flow, "k");
  deaf.to = tellsOf("pause");
  const paused = await world.during(engine.pause(flow, "k"), 10_000);
  deaf.to = () => false;
  assert.equal(paused.runState, "paused");
  assert.ok(deaf.lost >= 3, `${deaf.lost} answers were lost`);
  await world.advance(10_000);
  assert.deepEqual(seen, ["paused"]);
}, [memory]);

testOnStores("a trigger that landed unheard at its owner is begun all the same", async (world) => {
  const flow = machine("flow").step("a", ["b"], () => "b").build();
  const { store, deaf } = deafStore(world.store);
  const engine = await world.started({ definitions: [flow], store, limits: { settlesMax: 2 } });
  deaf.to = tellsOf("trigger");
  const refusal = engine.trigger(flow, "k").catch((error) => error);
  assert.equal((await world.during(refusal, 10_000)).code, "OUTCOME_UNKNOWN");
  deaf.to = () => false;
  await world.advance(60_000);
  assert.equal((await engine.get(flow, "k"))!.runState, "completed");
}, [memory]);

testOnStores(
  "who awaits a run hears within a poll of a verb that nobody knows to have landed",
  async (world) => {
    const flow = machine("flow").step("a", ["b"], () => gate<"b">().promise).build();
    const { store, deaf } = deafStore(world.store);
    const network = { isDown: false };
    const engine = await world.started({
      definitions: [flow],
      store: {
        ...store,
        async read(requests) {
          if (network.isDown && deaf.lost > 0) throw new Error("no network");
          return await world.store.read(requests);
        },
      },
      limits: { settlesMax: 2 },
    });
    await engine.trigger(flow, "k");
    const end = engine.await(flow, "k");
    await world.advance(5_000);
    deaf.to = tellsOf("cancel");
    network.isDown = true;
    const refusal = engine.cancel(flow, "k").catch((error) => error);
    const { code } = await world.during(refusal, 10_000);
    deaf.to = () => false;
    network.isDown = false;
    assert.equal(
      code,
      "OUTCOME_UNKNOWN",
      "and not that the network is down, as if nothing could have happened",
    );
    assert.equal((await world.during(end, 2_000)).runState, "cancelled");
  },
  [memory],
);
