import assert from "node:assert/strict";
import { test } from "node:test";
import { testEngine } from "pawl/testing";
import { type Bank, orderMachine } from "./orders.ts";

/** A bank that notes what it is asked for, and does not answer the first time. */
function notingBank() {
  const asked: string[] = [];
  const bank: Bank = {
    charge(_id, cents) {
      asked.push(`charge ${cents}`);
      return asked.length === 1 ? Promise.reject(new Error("no answer")) : Promise.resolve("r-1");
    },
    refund(_id, receipt) {
      asked.push(`refund ${receipt}`);
      return Promise.resolve();
    },
  };
  return { bank, asked };
}

test("an order is charged, though the bank fails at first, and shipped", async () => {
  const { bank, asked } = notingBank();
  const orders = orderMachine(bank);
  await using t = await testEngine({ definitions: [orders] });
  await t.engine.trigger(orders, "o-1", { data: { cents: 500 } });
  await t.triggerCallbackOn(orders, "o-1", "charged", { tracking: "P-7" });
  await t.requireData(orders, "o-1", { cents: 500, receipt: "r-1", tracking: "P-7" }, { status: "shipped" });
  assert.deepEqual(asked, ["charge 500", "charge 500"]);
});

test("an order that nobody ships within a week is refunded", async () => {
  const { bank, asked } = notingBank();
  const orders = orderMachine(bank);
  await using t = await testEngine({ definitions: [orders] });
  await t.engine.trigger(orders, "o-2", { data: { cents: 900 } });
  await t.awaitTimer(orders, "o-2", { fire: true }); // A week later, in a moment.
  const run = await t.awaitStatus(orders, "o-2", "refunded");
  assert.equal(run.runState, "completed");
  assert.deepEqual(asked.slice(2), ["refund r-1"]);
});
