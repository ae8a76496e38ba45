import assert from "node:assert/strict";
import { createEngine, machine } from "../../mod.ts";
import { memoryStore } from "pawl/adapters/memory";

const job = machine("job").step("begun", ["done"], () => "done").build();

Deno.test("trigger() is STORE_FULL while the store admits no new runs, and nothing else is refused", async () => {
  let hasRoom = true;
  const store = Object.assign(memoryStore(), { admits: () => hasRoom });
  const engine = createEngine({ store, definitions: [job] });
  const first = await engine.trigger(job, "a", { idempotencyKey: "i" });
  hasRoom = false;
  const full = { code: "STORE_FULL", message: /"job" for key "b".*new runs are refused until there is room/ };
  await assert.rejects(engine.trigger(job, "b"), full);
  await assert.rejects(engine.trigger(job, "b", { idempotencyKey: "i" }), full);
  // What is there is told as ever.
  assert.deepEqual(await engine.trigger(job, "a", { idempotencyKey: "i" }), { ...first, created: false });
  await assert.rejects(engine.trigger(job, "a"), { code: "RUN_IN_PROGRESS" });
  await engine.start();
  assert.equal((await engine.await(job, "a")).status, "done");
  await assert.rejects(engine.trigger(job, "a"), { code: "STORE_FULL" });
  assert.equal(await engine.get(job, "b"), undefined);
  hasRoom = true;
  await engine.trigger(job, "b", { idempotencyKey: "i" });
  await engine.stop();
  await store.close();
});
