/**
 * Four orders and what may happen to them: `deno run -A examples/order_processor/main.ts`.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- It prints what happens.
import { createEngine, silentLogger } from "pawl";
import { memoryStore } from "pawl/adapters/memory";
import { orderProcessor } from "./order_processor.ts";
import { RecordedServices } from "./services.ts";

const paused = Promise.withResolvers<void>();
const services = new RecordedServices((line) => {
  console.log(`  ${line}`);
  if (line.includes("is looked at")) paused.resolve();
});
services.missing.add("teapot");
services.carrierFailures = 2;
const orders = orderProcessor(services, {
  remindEvery: "700ms",
  payWithin: "2s",
  travel: "50ms",
  retryAfter: "20ms",
});
const store = memoryStore();
const engine = createEngine({ store, definitions: [orders], logger: silentLogger });
await engine.start();

const order = (key: string, sku: string, cents: number) =>
  engine.trigger(orders, key, { data: { sku, cents } });
const end = async (key: string) => {
  const { runState, status, data } = await engine.await(orders, key);
  console.log(`${key}: ${runState} at "${status}" ${JSON.stringify(Object.keys(data))}`);
};

console.log("Paid, and shipped by a carrier that fails twice:");
await order("kettle", "kettle", 3_500);
await engine.await(orders, "kettle", { status: "billed" });
await engine.callback(orders, "kettle", "billed", { id: "payment-1", cents: 3_500 });
await end("kettle");

console.log("Never paid:");
await order("cup", "cup", 900);
await end("cup");

console.log("Out of stock, paused after three errors, resumed by an operator, cancelled by the customer:");
await order("teapot", "teapot", 2_000);
await paused.promise;
services.missing.clear();
await engine.resume(orders, "teapot");
await engine.await(orders, "teapot", { status: "billed" });
await engine.cancel(orders, "teapot", { reason: "the customer has found another" });
await end("teapot");

console.log("Free of charge, and so refused:");
await order("gift", "spoon", 0);
await end("gift");

await engine.stop();
await store.close();
