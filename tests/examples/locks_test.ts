import assert from "node:assert/strict";
import { createClient } from "@libsql/client";
import { paymentMachine } from "../../examples/locks/accounts.ts";
import { sqlAccounts } from "../../examples/locks/sql_accounts.ts";
import { testEngine } from "../../core/testing/mod.ts";

Deno.test("payments to one account are booked one after another, and nothing that comes late is booked over them", async () => {
  const db = createClient({ url: ":memory:" });
  const accounts = await sqlAccounts(db, ["ann"]);
  let wake = () => {};
  const isSlow = new Promise<void>((resolve) => wake = resolve);
  let calls = 0;
  const payments = paymentMachine({
    ...accounts,
    async book(...booking) {
      // The first one stands still just before it writes.
      if (++calls === 1) await isSlow;
      return await accounts.book(...booking);
    },
  });
  await using t = await testEngine({ definitions: [payments] });
  for (const key of ["a", "b", "c"]) {
    await t.engine.trigger(payments, key, { data: { account: "ann", cents: 100 } });
  }
  await t.advance("1s");
  assert.equal(await accounts.balance("ann"), 0);
  await t.engine.locks.forceRelease("ann", { namespace: "accounts" });
  await t.awaitStatus(payments, "b", "booked");
  await t.awaitStatus(payments, "c", "booked");
  wake();
  await t.awaitStatus(payments, "a", "booked");
  await t.advance("1s");
  assert.equal(await accounts.balance("ann"), 300);
  assert.equal(calls, 4);
  db.close();
});
