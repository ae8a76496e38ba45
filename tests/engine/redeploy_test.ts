import assert from "node:assert/strict";
import { memoryStore } from "../../adapters/memory/mod.ts";
import { keyspace } from "../../core/store/keyspace.ts";
import { testEngine, virtualClock } from "../../core/testing/mod.ts";
import { machine } from "../../mod.ts";

Deno.test("a run that is due at a status which a redeploy made an end is completed, and the engine goes on", async () => {
  const store = memoryStore();
  const clock = virtualClock();
  const before = machine("flow")
    .step("a", ["b"], () => "b")
    .step("b", ["c"], () => "c", { lag: "1h" })
    .build();
  const old = await testEngine({ definitions: [before], store, clock });
  const { runId } = await old.engine.trigger(before, "k");
  await old.advance(0);
  assert.equal((await old.engine.get(before, "k"))!.status, "b");
  await old.stop();

  const after = machine("flow").step("a", ["b"], () => "b").build();
  const { engine, advance, stop } = await testEngine({ definitions: [after], store, clock });
  await advance("2h");
  const run = (await engine.get(after, "k"))!;
  assert.deepEqual([run.status, run.runState], ["b", "completed"]);
  const last = (await engine.history({ runId })).at(-1)!;
  assert.deepEqual([last.kind, last.by], ["skip", "engine"]);
  assert.match(last.reason!, /"b" has no step in the deployed code/);
  await engine.trigger(after, "k2");
  await advance(0);
  assert.equal((await engine.get(after, "k2"))!.runState, "completed");
  assert.equal((await engine.tick()).running, 0);
  await stop();
  await store.close();
});

Deno.test("admin.engines() forgets an engine that is long dead", async () => {
  const store = memoryStore();
  const clock = virtualClock();
  const ghost = { expiresAt: clock.now() - 1, termMs: 1_000, since: 0 };
  await store.commit([{
    shard: 0,
    committer: { id: "ghost", callId: "1" },
    batches: [{
      checks: [],
      puts: [{ key: keyspace.presence.key("ghost"), value: JSON.stringify(ghost) }],
      deletes: [],
    }],
  }]);
  const flow = machine("flow").step("a", ["b"], () => "b").build();
  const lease = { term: "10s" };
  const { engine, advance, stop } = await testEngine({ definitions: [flow], store, clock, lease });
  assert.equal((await engine.admin.engines()).length, 2);
  await advance("1m");
  const engines = await engine.admin.engines();
  assert.deepEqual(engines.map((each) => each.engineId), [engine.admin.engineId]);
  await stop();
  await store.close();
});
