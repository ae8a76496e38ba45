/**
 * Orders of a shop: charged, sent or given back in time, and told of by mail.
 *
 * @module
 */
import { type Duration, durationMs, machine } from "pawl";

/** What a run carries. */
export interface Order {
  readonly cents: number;
  readonly email: string;
  /** How long the shop has to send it; default 7 days. */
  readonly shipWithin?: Duration;
  /** The parcel, once it is sent. */
  tracking?: string;
}

/** The outside world. The same `id` twice is the same request: it has to be answered, and done once. */
export interface Shop {
  /** Takes the money; `false`: there is none. */
  charge(id: string, key: string, cents: number): Promise<boolean>;
  /** Gives it back. */
  refund(id: string, key: string): Promise<void>;
  /** Writes to the customer. */
  mail(id: string, key: string, text: string): Promise<void>;
}

const shipBy = ({ data }: { readonly data: Order }, now: Date) =>
  new Date(now.getTime() + durationMs(data.shipWithin ?? "7d"));

/**
 * Makes the machine.
 *
 * @param shop The outside world.
 * @returns The machine.
 */
export function orderMachine(shop: Shop) {
  const retry = { initial: "500ms", max: "1m" } as const;
  return machine<Order>("orders", { steps: { retry } })
    .step("placed", ["charged", "declined"], async (run) => {
      return await shop.charge(run.stepId, run.key, run.data.cents) ? "charged" : "declined";
    })
    .callback("charged", ["shipped"], (run, parcel: { tracking: string }) => {
      run.data.tracking = parcel.tracking;
      return "shipped";
    })
    .timeout("charged", ["late"], shipBy, () => "late")
    .step("late", ["refunded"], async (run) => {
      await shop.refund(run.stepId, run.key);
      return "refunded";
    })
    .step("shipped", ["told"], async (run) => {
      await shop.mail(run.stepId, run.key, `Dear ${run.data.email}, your parcel is ${run.data.tracking}.`);
      return "told";
    })
    .build();
}
