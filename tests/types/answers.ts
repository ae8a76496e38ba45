/**
 * What handlers may answer, as the compiler sees it; `deno task npm:check` shows this file to older ones, too.
 *
 * @module
 */
import { machine, type StepHandler } from "pawl";

declare const either: StepHandler<{ cents: number }, "paid">;

const begun = () => machine<{ cents: number }>("orders");

/** Never run. */
export const machines = [
  begun().step("placed", ["paid"], () => "paid"),
  begun().step("placed", ["paid"], async () => await Promise.resolve("paid")),
  // deno-lint-ignore require-await
  begun().step("placed", ["paid"], async () => "paid"),
  begun().step("placed", ["paid"], async (run) => {
    run.data.cents = await Promise.resolve(1);
    return "paid";
  }),
  begun().step("placed", ["paid", "declined"], (run) => run.data.cents > 1 ? "paid" : "declined"),
  // deno-lint-ignore require-await
  begun().step("placed", ["paid"], async (run) => run.data.cents > 1 ? run.pause("dear") : "paid"),
  begun().step("placed", ["paid"], either),
  begun().callback("placed", ["paid"], async (run, payment: { cents: number }) => {
    run.data.cents = await Promise.resolve(payment.cents);
    return "paid";
  }),
  begun().timeout("placed", ["late"], { after: "1d" }, async (run) => {
    await Promise.resolve(run.key);
    return "late";
  }),
  // deno-lint-ignore require-await
  begun().timeout("placed", ["late"], { after: "1d" }, async () => ({ rearm: "1h" })),
  // @ts-expect-error: a status that is not listed
  begun().step("placed", ["paid"], () => "payed"),
  // @ts-expect-error: the same, asynchronously
  begun().step("placed", ["paid"], async () => await Promise.resolve("payed" as const)),
  // @ts-expect-error: the same, of a timeout
  begun().timeout("placed", ["late"], { after: "1d" }, () => "later"),
];
