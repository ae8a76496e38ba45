/**
 * Events from a shop and from a bank, one twice and one too early: `deno run -A examples/connector/main.ts`.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- It prints what happens.
import { createEngine, type NewEvent, silentLogger } from "pawl";
import { memoryStore } from "pawl/adapters/memory";
import { type Order, orders, type Payment } from "./orders.ts";

const store = memoryStore();
const engine = createEngine({ store, definitions: [orders], logger: silentLogger });
await engine.start();

const taken = (id: string, key: string, data: Order): NewEvent => ({ id, key, type: "taken", data });
const paid = (id: string, data: Payment): NewEvent => ({ id, key: data.order, type: "paid", data });
const first = taken("shop-1", "kettle", { cents: 3_500 });

await engine.streams.send("payments", [
  paid("bank-1", { order: "kettle", cents: 3_500 }), // before its order
  paid("bank-2", { order: "nobody's", cents: 100 }), // of no order at all
]);
await engine.streams.send("orders-taken", [first, taken("shop-2", "cup", { cents: 900 }), first]);
await engine.streams.send("payments", [paid("bank-3", { order: "cup", cents: 900 })]);

for await (const { event, ack } of await engine.streams.receive("parked.orders.bank", "clerk")) {
  const { attempts, error } = event.data as { attempts: number; error: Error };
  console.log(`Parked after ${attempts} attempts: ${error.message}`);
  await ack();
  break;
}
for (const key of ["kettle", "cup"]) {
  const { status, data } = await engine.await(orders, key);
  console.log(`${key}: ${status} by ${data.paidBy}`);
}
const { items } = await engine.list({ definition: "orders" });
console.log(`${items.length} runs`);

await engine.stop();
await store.close();
