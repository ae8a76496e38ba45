/**
 * The life of an order, as a typed state machine:
 *
 * ```text
 * placed --> paid --> packed --> shipped
 *    \-----> declined
 * ```
 *
 * A handler answers with the status the order moves to. Only the statuses its step lists are accepted: by the compiler
 * first, by the engine second.
 *
 * @module
 */
import { machine, type StepOptions } from "../../mod.ts";
import type { Ledger } from "./ledger.ts";
import { type Order, totalOf } from "./order.ts";

/** What one card may be charged at once, in the smallest unit of the currency. */
const cardLimit = 500_000;

/** Things the warehouse no longer has. An order with one of them is *poison*: packing it fails, every time. */
const discontinued = /^discontinued-/;

/** After three failures in a row the order is set aside for a human, and holds up nobody. */
const packing: StepOptions = {
  pauseAfterErrors: 3,
  retry: { initial: "20ms", max: "100ms", factor: 2, jitter: true },
};

/** The machine that {@linkcode orderMachine} makes. */
export type OrderMachine = ReturnType<typeof orderMachine>;

/**
 * Makes the machine.
 *
 * @param ledger The outside world. Each step hands it `run.stepId`, which stays the same when a step runs again.
 * @returns The machine, for `createEngine` and its verbs.
 */
export function orderMachine(ledger: Ledger) {
  return machine<Order>("orders")
    .step("placed", ["paid", "declined"], async (run) => {
      const refusal = refusalOf(run.data, run.createdAt);
      await ledger.record(run);
      if (refusal) {
        run.data.refusal = refusal;
        return "declined";
      }
      run.data.receipt = `receipt-${run.stepId}`;
      return "paid";
    })
    .step("paid", ["packed"], async (run) => {
      const missing = run.data.items.find((item) => discontinued.test(item.sku));
      if (missing) throw new Error(`The warehouse has no "${missing.sku}"`);
      await ledger.record(run);
      run.data.parcel = `parcel-${run.stepId}`;
      return "packed";
    }, packing)
    .step("packed", ["shipped"], async (run) => {
      await ledger.record(run);
      run.data.tracking = `tracking-${run.stepId}`;
      return "shipped";
    })
    .build();
}

/** Why the bank refuses an order, if it does. It depends on the order alone, so a step that runs again agrees. */
function refusalOf(order: Order, triggeredAt: Date): string | undefined {
  if (!order.card) return;
  const placedIn = (order.placedAt ?? triggeredAt.toISOString()).slice(0, "2026-05".length);
  if (order.card.expires < placedIn) return `the card expired in ${order.card.expires}`;
  if (totalOf(order) > cardLimit) return `${totalOf(order)} is over the card's limit of ${cardLimit}`;
}
