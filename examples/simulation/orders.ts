/**
 * An order that is charged and shipped, written against two services that are handed in: the real ones in production,
 * fakes under test.
 *
 * @module
 */
import { type Machine, machine } from "pawl";

/** What an order carries. */
export interface Order {
  readonly cents: number;
  receipt?: string;
}

/** The services that an order needs. Both may be called again for the same step, and must answer the same then. */
export interface Services {
  /** Charges once per id. */
  charge(id: string, cents: number): Promise<string>;
  /** Sends once per id. */
  ship(id: string): Promise<void>;
}

/** The machine. */
export function ordersWith({ charge, ship }: Services): Machine<Order> {
  return machine<Order>("orders")
    .step("placed", ["paid"], async (run) => {
      run.data.receipt = await charge(run.stepId, run.data.cents);
      return "paid";
    }, { retry: { initial: "20ms", max: "200ms" } })
    .step("paid", ["shipped"], async (run) => {
      await ship(run.stepId);
      return "shipped";
    }, { retry: { initial: "20ms", max: "200ms" } })
    .build();
}
