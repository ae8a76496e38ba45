import assert from "node:assert/strict";
import { orders } from "../../examples/connector/orders.ts";
import { testEngine } from "../../core/testing/mod.ts";
import { silentLogger } from "../../mod.ts";

Deno.test("a payment that comes before its order, and each event that comes twice, counts once", async () => {
  await using t = await testEngine({ definitions: [orders], logger: silentLogger });
  const { streams } = t.engine;
  const paid = { id: "b1", key: "cup", type: "paid", data: { order: "cup", cents: 900 } };
  const taken = { id: "s1", key: "cup", type: "taken", data: { cents: 900 } };
  await streams.send("payments", [paid]);
  await t.clock.settle();
  await streams.send("orders-taken", [taken, taken]);
  await streams.send("payments", [paid]);
  const run = await t.awaitStatus(orders, "cup", "paid");
  assert.deepEqual(run.data, { cents: 900, paidBy: "b1" });
  await t.advance("1h");
  assert.equal((await t.engine.list({ definition: "orders" })).items.length, 1);
  assert.deepEqual((await t.engine.history({ runId: run.runId })).map(({ kind }) => kind), [
    "trigger",
    "move",
  ]);
});

Deno.test("a payment of another sum pauses its order where somebody can look at it", async () => {
  await using t = await testEngine({ definitions: [orders] });
  await t.engine.trigger(orders, "cup", { data: { cents: 900 } });
  await t.engine.streams.send("payments", [
    { id: "b1", key: "cup", type: "paid", data: { order: "cup", cents: 1 } },
  ]);
  await t.advance("1m");
  const run = (await t.engine.get(orders, "cup"))!;
  assert.deepEqual([run.status, run.runState, run.reason], ["placed", "paused", "payment b1 is of 1"]);
});
