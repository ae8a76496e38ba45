/** One order from beginning to end: `npm start`, or `npm start order-2` for another one. */
import process from "node:process";
import { createEngine } from "pawl";
import { libsqlStore } from "pawl/adapters/libsql";
import { pretendBank } from "./bank.ts";
import { orderMachine } from "./orders.ts";

const key = process.argv[2] ?? "order-1";
const orders = orderMachine(pretendBank);
const store = libsqlStore({ url: "file:orders.db" });
// The term is how long the work of a process that was killed waits for the next one.
const engine = createEngine({ store, definitions: [orders], lease: { term: "2s" } });
await engine.start();

// With its idempotency key it may be asked for again, and is one order.
const { created } = await engine.trigger(orders, key, { data: { cents: 4_200 }, idempotencyKey: key });
console.log(created ? `${key} is placed.` : `${key} is there already, and goes on where it was.`);
console.log("The bank fails at first. Kill this program meanwhile, if you like, and start it again.");

const { data } = await engine.await(orders, key, { status: "charged" });
console.log(`${key} has been charged, and there is a ${data.receipt}.`);

// A callback comes from elsewhere, such as a webhook. An order that has moved on does not take it.
await engine.callback(orders, key, "charged", { tracking: "parcel-1" });
const run = await engine.await(orders, key);
console.log(`${key} is ${run.status}. What it went through:`);
for (const { at, kind, to, error } of await engine.history({ runId: run.runId })) {
  console.log(`  ${at.toISOString()}  ${kind} ${error?.message ?? to}`);
}

await engine.stop();
await store.close();
