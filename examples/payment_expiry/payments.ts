/**
 * A payment that somebody must make in time: reminders by one timer, the end by another, the payment by a callback.
 *
 * @module
 */
import { type Duration, machine } from "pawl";

/** What a run carries. */
export interface Payment {
  readonly cents: number;
  reminders: number;
  receipt?: string;
}

/** What the machine is made of; a test, or a demo, may be in more of a hurry. */
export interface PaymentOptions {
  /** Time between reminders; default 25 min. */
  readonly remindEvery?: Duration;
  /** Time for the payment; default 1 h. */
  readonly expireAfter?: Duration;
  /** Reminds whoever is to pay; `id` is the same when the same reminder is sent again. */
  remind(key: string, id: string): Promise<void>;
}

/**
 * Makes the machine.
 *
 * @param options Its times, and how to remind.
 * @returns The machine.
 */
export function paymentMachine({ remindEvery = "25m", expireAfter = "1h", remind }: PaymentOptions) {
  return machine<Payment>("payments")
    .callback("pending", ["paid"], (run, receipt: string) => {
      run.data.receipt = receipt;
      return "paid";
    })
    // Leads nowhere: it only comes again, until the run has left the status.
    .timeout("pending", [], { after: remindEvery }, async (run) => {
      await remind(run.key, run.stepId);
      run.data.reminders++;
      return { rearm: remindEvery };
    }, { name: "remind" })
    .timeout("pending", ["expired"], { after: expireAfter }, () => "expired", { name: "expire" })
    .build();
}
