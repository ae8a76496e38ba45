/**
 * An order from the click to the door: eight steps, a payment that must come in time, and hooks.
 *
 * ```text
 * placed -> checked -> reserved -> billed ..payment..> paid -> invoiced -> picked -> shipped -> delivered
 *    \-> refused                     \...too late...> overdue -> expired
 * ```
 *
 * @module
 */
import { type Duration, machine, type RunView } from "pawl";
import type { Services } from "./services.ts";

/** What a run carries. */
export interface Order {
  readonly sku: string;
  readonly cents: number;
  reminders?: number;
  payment?: string;
  invoice?: string;
  parcel?: string;
}

/** The times of an order; a test, or a demo, may be in more of a hurry. */
export interface OrderTimes {
  /** Time between reminders to pay; default 1 d. */
  readonly remindEvery?: Duration;
  /** Time for the payment; default 3 d. */
  readonly payWithin?: Duration;
  /** How long a parcel travels; default 2 d. */
  readonly travel?: Duration;
  /** Wait before a failed step is tried again; default 1 min, doubled up to an hour. */
  readonly retryAfter?: Duration;
}

/** The machine that {@linkcode orderProcessor} makes. */
export type OrderProcessor = ReturnType<typeof orderProcessor>;

/**
 * Makes the machine. Every step hands `run.stepId` to the outside world, so that a step that runs again does nothing
 * twice there.
 *
 * @param services The outside world.
 * @param times How long things take.
 * @returns The machine.
 */
export function orderProcessor(services: Services, times: OrderTimes = {}) {
  const { remindEvery = "1d", payWithin = "3d", travel = "2d", retryAfter = "1m" } = times;
  const tell = (text: string) => (run: RunView<Order>) =>
    services.tell(`${run.runId}:${run.version}`, `${run.key} ${text}`);

  return machine<Order>("orders", {
    pauseRetry: false, // A paused order waits for a human.
    steps: { pauseAfterErrors: 3, retry: { initial: retryAfter, max: "1h" } },
  })
    .step("placed", ["checked", "refused"], (run) => run.data.cents > 0 ? "checked" : "refused")
    .step("checked", ["reserved"], async (run) => {
      await services.reserve(run.stepId, run.data.sku);
      return "reserved";
    })
    .step("reserved", ["billed"], async (run) => {
      await services.bill(run.stepId, run.data.cents);
      return "billed";
    })
    .callback("billed", ["paid"], (run, payment: { id: string; cents: number }) => {
      if (payment.cents !== run.data.cents) return run.pause(`${payment.id} is of ${payment.cents}`);
      run.data.payment = payment.id;
      return "paid";
    })
    .timeout("billed", [], { after: remindEvery }, async (run) => {
      run.data.reminders = (run.data.reminders ?? 0) + 1;
      await services.tell(run.stepId, `${run.key} is to be paid`);
      return { rearm: remindEvery };
    }, { name: "remind" })
    .timeout("billed", ["overdue"], { after: payWithin }, () => "overdue", { name: "overdue" })
    .step("overdue", ["expired"], async (run) => {
      await services.release(run.stepId, run.data.sku);
      return "expired";
    })
    .step("paid", ["invoiced"], async (run) => {
      run.data.invoice = await services.invoice(run.stepId);
      return "invoiced";
    })
    .step("invoiced", ["picked"], async (run) => {
      await services.pick(run.stepId, run.data.sku);
      return "picked";
    })
    .step("picked", ["shipped"], async (run) => {
      run.data.parcel = await services.ship(run.stepId);
      return "shipped";
    })
    .step("shipped", ["delivered"], () => "delivered", { lag: travel })
    .onComplete((run) => tell(`is ${run.status}`)(run))
    .onPause((run) => tell(`is looked at: ${run.reason}`)(run))
    .onCancel(tell("is cancelled"), { name: "tell" })
    .onCancel((run) => services.release(`${run.runId}:${run.version}`, run.data.sku), { name: "release" })
    .build();
}
