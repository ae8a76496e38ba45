/**
 * The machines of the demo: one that mostly goes well, one that waits for people, one that breaks, one with a lock, one for
 * schedules.
 *
 * @module
 */
import { machine } from "pawl";
import { between, isUnlucky, pretendToWork } from "./pace.ts";

/** What an order carries. */
export interface Order {
  readonly customer: { readonly name: string; readonly email: string; readonly city: string };
  readonly items: readonly { readonly sku: string; readonly quantity: number; readonly cents: number }[];
  receipt?: string;
  tracking?: { carrier: string; code: string };
  refusal?: string;
}

/** Orders: some are declined, and for some the carrier has to be asked more than once. */
export const orders = machine<Order>("orders", { stream: true })
  .step("placed", ["paid", "declined"], async (run) => {
    await pretendToWork(between(200, 1_500), run.signal);
    if (isUnlucky(`${run.key} pays`, 8)) {
      run.data.refusal = "the card is over its limit";
      return "declined";
    }
    run.data.receipt = `receipt-${run.stepId}`;
    return "paid";
  })
  .step("paid", ["packed"], async (run) => {
    await pretendToWork(between(500, 4_000), run.signal);
    return "packed";
  }, { lag: "2s" })
  .step("packed", ["shipped", "returned"], async (run) => {
    await pretendToWork(between(200, 900), run.signal);
    if (run.attempt < 3 && isUnlucky(`${run.key} ships`, 30)) {
      throw new TypeError("the carrier answered 503: try again later");
    }
    if (isUnlucky(`${run.key} returns`, 5)) return "returned";
    run.data.tracking = { carrier: "north post", code: `NP-${between(100_000, 999_999)}` };
    return "shipped";
  }, { retry: { initial: "2s", max: "20s" } })
  .step("returned", ["refunded"], () => "refunded", { lag: "5s" })
  .onComplete((run) => {
    if (isUnlucky(`${run.key} is told`, 4)) throw new Error("the mail server knows no such address");
  }, { name: "tell-customer", parkAfterErrors: 2, retry: { initial: "1s" } })
  .build();

/** Sign-ups wait for a click in a mail, and for a clerk where something is odd. */
export const signUps = machine<{ email: string; plan: "free" | "team"; reminders: number; by?: string }>(
  "sign-ups",
)
  .step("new", ["confirming"], async (run) => {
    await pretendToWork(between(50, 300), run.signal);
    return "confirming";
  })
  .callback("confirming", ["confirmed", "in review"], (run, payload: { by: string; isOdd?: boolean }) => {
    run.data.by = payload.by;
    return payload.isOdd ? "in review" : "confirmed";
  })
  .timeout("confirming", [], { after: "1m" }, (run) => {
    run.data.reminders++;
    return { rearm: "1m" };
  }, { name: "remind" })
  .timeout("confirming", ["expired"], { after: "10m" }, () => "expired", { name: "expire" })
  .callback("in review", ["confirmed", "rejected"], (_run, accepted: boolean) => {
    return accepted ? "confirmed" : "rejected";
  })
  .build();

/** Imports of files: a third are broken, and are paused for somebody to look. */
export const imports = machine<{ file: string; rows: number; done: number }>("imports")
  .step("queued", ["parsing"], () => "parsing", { lag: "1s" })
  .step("parsing", ["parsing", "stored"], async (run) => {
    await pretendToWork(between(300, 900), run.signal);
    if (isUnlucky(run.key, 30)) throw new SyntaxError(`line ${between(2, 900)}: got "," want a number`);
    run.data.done = Math.min(run.data.rows, run.data.done + 400);
    return run.data.done < run.data.rows ? run.repeat() : "stored";
  }, { pauseAfterErrors: 3, retry: { initial: "500ms", max: "2s" } })
  .build();

/** Deployments: one at a time for each repository. */
export const deployments = machine<{ repository: string; commit: string }>("deployments")
  .step("asked", ["built"], async (run) => {
    await pretendToWork(between(2_000, 7_000), run.signal);
    return "built";
  }, { lock: (run) => ({ name: run.data.repository, namespace: "repositories" }) })
  .step("built", ["live"], async (run) => {
    await pretendToWork(between(1_000, 3_000), run.signal);
    if (isUnlucky(run.key, 12)) return run.fail("the new version answers no health check");
    return "live";
  }, { lock: { name: "cluster", permits: 2 } })
  .build();

/** Reports, which schedules start. */
export const reports = machine<{ shop: string }>("reports")
  .step("due", ["written"], async (run) => {
    await pretendToWork(between(500, 3_000), run.signal);
    return "written";
  })
  .build();

/** What no engine of the demo carries any more. */
export const legacyInvoices = machine<{ number: number }>("legacy-invoices")
  .step("drafted", ["sent"], () => "sent")
  .build();

/** What the engines of the demo carry. */
export const definitions = [orders, signUps, imports, deployments, reports] as const;
