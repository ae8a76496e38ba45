/**
 * Two payments, one in time, with an hour cut to a second: `deno run -A examples/payment_expiry/main.ts`.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- It prints what happens.
import { createEngine } from "pawl";
import { memoryStore } from "pawl/adapters/memory";
import { paymentMachine } from "./payments.ts";

const payments = paymentMachine({
  remindEvery: "400ms",
  expireAfter: "1s",
  remind: (key) => Promise.resolve(console.log(`Dear ${key}, please pay`)),
});
const store = memoryStore();
const engine = createEngine({ store, definitions: [payments] });
await engine.start();

await engine.trigger(payments, "ann", { data: { cents: 4_200, reminders: 0 } });
await engine.trigger(payments, "bob", { data: { cents: 700, reminders: 0 } });
await engine.callback(payments, "ann", "pending", "receipt 17", { idempotencyKey: "webhook 1" });

for (const key of ["ann", "bob"]) {
  const { status, data } = await engine.await(payments, key);
  console.log(`${key}: ${status} after ${data.reminders} reminders`);
}

await engine.stop();
await store.close();
