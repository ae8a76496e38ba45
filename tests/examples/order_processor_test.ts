import assert from "node:assert/strict";
import { orderProcessor } from "../../examples/order_processor/order_processor.ts";
import { RecordedServices } from "../../examples/order_processor/services.ts";
import { testEngine } from "../../core/testing/mod.ts";
import { silentLogger } from "../../mod.ts";

async function inShop() {
  const services = new RecordedServices();
  const orders = orderProcessor(services);
  const t = await testEngine({ definitions: [orders], logger: silentLogger });
  const order = (key: string, sku: string, cents: number) =>
    t.engine.trigger(orders, key, { data: { sku, cents } });
  return { ...t, services, orders, order };
}

Deno.test("an order is paid, packed and delivered, though its carrier fails twice", async () => {
  await using t = await inShop();
  t.services.carrierFailures = 2;
  const { runId } = await t.order("k", "kettle", 3_500);
  await t.triggerCallbackOn(t.orders, "k", "billed", { id: "p1", cents: 3_500 });
  const run = await t.awaitStatus(t.orders, "k", "delivered");
  assert.equal(run.data.payment, "p1");
  assert.ok(
    run.data.invoice?.startsWith(`invoice-${runId}`) && run.data.parcel?.startsWith(`parcel-${runId}`),
  );
  await t.advance(0);
  assert.deepEqual(t.services.done, [
    "reserve kettle",
    "bill 3500",
    "invoice",
    "pick kettle",
    "ship",
    "tell: k is delivered",
  ]);
  const statuses = (await t.snapshots(runId)).map(({ status }) => status);
  assert.deepEqual([...new Set(statuses)], [
    ...["placed", "checked", "reserved", "billed", "paid", "invoiced", "picked", "shipped", "delivered"],
  ]);
});

Deno.test("an order that is not paid in three days expires, with a reminder a day, and gives its goods back", async () => {
  await using t = await inShop();
  await t.order("c", "cup", 900);
  const run = await t.awaitStatus(t.orders, "c", "expired");
  await t.advance(0);
  assert.equal(Number(run.updatedAt) - Number(run.createdAt), 3 * 86_400_000);
  assert.deepEqual(t.services.done.slice(2).filter((line) => !/to be paid/.test(line)), [
    "release cup",
    "tell: c is expired",
  ]);
});

Deno.test("an order out of stock waits for an operator, and gives back what it had when it is cancelled", async () => {
  await using t = await inShop();
  t.services.missing.add("teapot");
  await t.order("t", "teapot", 2_000);
  await t.advance("2h");
  const run = (await t.engine.get(t.orders, "t"))!;
  assert.deepEqual([run.runState, run.status, run.attempt], ["paused", "checked", 3]);
  t.services.missing.clear();
  await t.engine.resume(t.orders, "t");
  await t.awaitTimer(t.orders, "t", { name: "remind", fire: true });
  await t.engine.cancel(t.orders, "t");
  await t.advance("10d");
  assert.deepEqual((await t.engine.get(t.orders, "t"))!.runState, "cancelled");
  assert.deepEqual(t.services.done.slice(1).sort(), [
    "bill 2000",
    "release teapot",
    "reserve teapot",
    "tell: t is cancelled",
    "tell: t is to be paid",
  ]);
});

Deno.test("an order that is paid with another sum is paused, and is delivered once the rest is settled", async () => {
  await using t = await inShop();
  await t.order("k", "kettle", 3_500);
  const wrong = await t.triggerCallbackOn(t.orders, "k", "billed", { id: "p1", cents: 1 });
  assert.equal(wrong.runState, "paused");
  await t.engine.resume(t.orders, "k");
  await t.triggerCallbackOn(t.orders, "k", "billed", { id: "p2", cents: 3_500 });
  await t.awaitStatus(t.orders, "k", "delivered");
});
