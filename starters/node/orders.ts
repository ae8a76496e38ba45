/** What an order goes through. */
import { machine } from "pawl";

/** What a run carries: any JSON. */
export interface Order {
  readonly cents: number;
  receipt?: string;
  tracking?: string;
}

/** The world outside. Whoever asks again with the same `id` gets the same answer, and pays once. */
export interface Bank {
  charge(id: string, cents: number): Promise<string>;
  refund(id: string, receipt: string): Promise<void>;
}

export function orderMachine(bank: Bank) {
  return machine<Order>("orders")
    // A step that throws is tried again: after 2 s, 4 s, 8 s ... A status that it does not list is a compile error.
    .step("placed", ["charged"], async (run) => {
      run.data.receipt = await bank.charge(run.stepId, run.data.cents);
      return "charged"; // Saved together with the receipt.
    }, { retry: { initial: "2s", max: "1m" } })
    // There it waits for whoever ships it ...
    .callback("charged", ["shipped"], (run, parcel: { tracking: string }) => {
      run.data.tracking = parcel.tracking;
      return "shipped";
    })
    // ... for a week at most. No process has to live that long.
    .timeout("charged", ["late"], { after: "7d" }, () => "late")
    .step("late", ["refunded"], async (run) => {
      await bank.refund(run.stepId, run.data.receipt!);
      return "refunded";
    })
    .build();
}
