import assert from "node:assert/strict";
import { paymentMachine } from "../../examples/payment_expiry/payments.ts";
import { testEngine } from "../../core/testing/mod.ts";

function inHours() {
  const reminded: string[] = [];
  const remind = (key: string, id: string) => Promise.resolve(void reminded.push(`${key} ${id}`));
  return { payments: paymentMachine({ remind }), reminded };
}

Deno.test("a payment expires after an hour and two reminders, not before", async () => {
  const { payments, reminded } = inHours();
  await using t = await testEngine({ definitions: [payments] });
  await t.engine.trigger(payments, "bob", { data: { cents: 5, reminders: 0 } });
  await t.advance("59m");
  assert.equal((await t.engine.get(payments, "bob"))!.status, "pending");
  await t.advance("1m");
  const run = (await t.engine.get(payments, "bob"))!;
  assert.deepEqual([run.status, run.runState, run.data.reminders], ["expired", "completed", 2]);
  assert.equal(new Set(reminded).size, 2);
});

Deno.test("a payment that comes in time ends all its timers", async () => {
  const { payments, reminded } = inHours();
  await using t = await testEngine({ definitions: [payments] });
  await t.engine.trigger(payments, "ann", { data: { cents: 5, reminders: 0 } });
  await t.awaitTimer(payments, "ann", { name: "remind", fire: true });
  await t.triggerCallbackOn(payments, "ann", "pending", "receipt 17");
  await t.advance("2h");
  const run = (await t.engine.get(payments, "ann"))!;
  assert.deepEqual([run.status, run.data], ["paid", { cents: 5, reminders: 1, receipt: "receipt 17" }]);
  assert.equal(reminded.length, 1);
});
