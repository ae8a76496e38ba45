/**
 * Payments to accounts that live in another database: one at a time per account, and nobody who comes late overwrites what
 * came after him.
 *
 * @module
 */
import { machine } from "pawl";

/** What a run carries. */
export interface Payment {
  readonly account: string;
  readonly cents: number;
}

/** The database with the accounts. It knows nothing of runs or locks. */
export interface Accounts {
  /** What is on it. */
  balance(account: string): Promise<number>;
  /** Whether this payment is booked already: a step may run again. */
  isBooked(account: string, payment: string): Promise<boolean>;
  /** Books a payment under a token, unless something was booked under a greater one. */
  book(account: string, payment: string, balance: number, token: number): Promise<boolean>;
}

/**
 * @param accounts Where the money is.
 * @returns The machine of payments.
 */
export function paymentMachine(accounts: Accounts) {
  return machine<Payment>("payments")
    .step("ordered", ["booked"], async (run) => {
      const { account, cents } = run.data;
      if (await accounts.isBooked(account, run.stepId)) return "booked";
      const balance = await accounts.balance(account);
      const isBooked = await accounts.book(account, run.stepId, balance + cents, run.lock!.token);
      // Its lock was taken away while it worked; what it answers now would be refused anyway.
      if (!isBooked) throw new Error(`token ${run.lock!.token} is of the past`);
      return "booked";
    }, { lock: (run) => ({ name: run.data.account, namespace: "accounts" }), retry: { initial: "100ms" } })
    .build();
}
