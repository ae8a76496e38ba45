/**
 * Orders that a shop sends, and payments that a bank sends, each through a connector.
 *
 * @module
 */
import { machine } from "pawl";

/** What a run carries. */
export interface Order {
  readonly cents: number;
  paidBy?: string;
}

/** A payment, as the bank tells of it. */
export interface Payment {
  readonly order: string;
  readonly cents: number;
}

/** The machine. It reads two topics of its engine's own streams; `streamer` would name another. */
export const orders = machine<Order>("orders")
  .callback("placed", ["paid"], (run, payment: { id: string; cents: number }) => {
    if (payment.cents !== run.data.cents) return run.pause(`payment ${payment.id} is of ${payment.cents}`);
    run.data.paidBy = payment.id;
    return "paid";
  })
  .connector("shop", { stream: "orders-taken" }, async (api, { id, key, data }) => {
    // An event may come more than once; its id makes one run of it.
    await api.trigger(key, { data: data as Order, idempotencyKey: id });
  })
  .connector("bank", { stream: "payments" }, async (api, { id, data }) => {
    const { order, cents } = data as Payment;
    // A payment that is faster than its order: there is no run yet, so this throws, and the event is tried again.
    await api.callback(order, "placed", { id, cents }, { idempotencyKey: id });
  }, { shards: 4, retry: { initial: "50ms" }, parkAfterErrors: 6 })
  .build();
