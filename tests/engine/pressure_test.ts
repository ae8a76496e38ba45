import assert from "node:assert/strict";
import { memoryStore } from "../../adapters/memory/mod.ts";
import { machine } from "../../mod.ts";
import { gate, World } from "./stores.ts";

Deno.test("only so many steps start while the store does not take their results", async () => {
  const shared = memoryStore();
  const world = new World(shared);
  const started = { steps: 0 };
  const flow = machine("flow").step("a", ["b"], () => (started.steps++, "b")).build();
  const answers = { gate: undefined as ReturnType<typeof gate<void>> | undefined };
  const engine = world.engine({
    definitions: [flow],
    limits: { groupBatchesMax: 4 },
    store: {
      limits: shared.limits,
      shards: shared.shards,
      async commit(calls) {
        const isStep = calls.some(({ batches }) =>
          batches.some(({ puts }) => puts.some(({ value }) => value.includes('"by":"step"')))
        );
        if (isStep) await answers.gate?.promise;
        return await shared.commit(calls);
      },
      read: (requests) => shared.read(requests),
      close: () => shared.close(),
    },
  });
  const keys = Array.from({ length: 100 }, (_, index) => `k${index}`);
  for (const key of keys) await engine.trigger(flow, key);
  answers.gate = gate<void>();
  await world.during(engine.start());
  await world.advance(1_000);
  assert.equal(started.steps, 64);

  answers.gate.resolve();
  await world.advance(1_000);
  assert.equal(started.steps, 100);
  for (const key of keys) assert.equal((await engine.get(flow, key))!.status, "b", key);
  await world.end();
});

Deno.test("a step that waits for something outside holds up no other, however many wait", async () => {
  const world = new World(memoryStore());
  const hold = gate<"b">();
  const flow = machine("flow").step("a", ["b"], (run) => run.key === "last" ? "b" : hold.promise).build();
  const engine = await world.started({ definitions: [flow], limits: { groupBatchesMax: 4 } });
  for (let index = 0; index < 100; index++) await engine.trigger(flow, `k${index}`);
  await engine.trigger(flow, "last");
  assert.equal((await world.during(engine.await(flow, "last"), 1_000)).status, "b");
  hold.resolve("b");
  assert.equal((await world.during(engine.await(flow, "k0"), 1_000)).status, "b");
  await world.end();
});
