/**
 * Forty payments to two accounts of another database, all at once: `deno run -A examples/locks/main.ts`.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- It prints what happens.
import { createClient } from "@libsql/client";
import { createEngine } from "pawl";
import { memoryStore } from "pawl/adapters/memory";
import { paymentMachine } from "./accounts.ts";
import { sqlAccounts } from "./sql_accounts.ts";

const db = createClient({ url: ":memory:" });
const accounts = await sqlAccounts(db, ["ann", "bob"]);
const payments = paymentMachine(accounts);
const store = memoryStore();
const engine = createEngine({ store, definitions: [payments] });
await engine.start();

const keys = Array.from({ length: 40 }, (_, index) => `payment ${index}`);
for (const [index, key] of keys.entries()) {
  const account = index % 2 === 0 ? "ann" : "bob";
  await engine.trigger(payments, key, { data: { account, cents: 100 } });
}
await Promise.all(keys.map((key) => engine.await(payments, key)));

for (const account of ["ann", "bob"]) {
  const lock = await engine.locks.inspect(account, { namespace: "accounts" });
  console.log(
    `${account} has ${await accounts.balance(account)} cents, after ${lock!.lastToken} bookings in turn`,
  );
}
await engine.stop();
await store.close();
db.close();
