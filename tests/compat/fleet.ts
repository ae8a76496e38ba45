/**
 * What the stores of releases are full of: one definition per thing that a store can hold, and what becomes of each. The
 * code of a release wrote them, the code of today goes on with them; so what a definition does here never changes.
 *
 * @module
 */
import { every, machine } from "pawl";
import { cron } from "pawl/plugins/cron";
import { type TestEngine, testEngine, type VirtualClock } from "pawl/testing";
import { silentLogger, type Store } from "../../mod.ts";
import { attendedStore } from "../engine/stores.ts";

/** The world outside, as far as it decides what happens. */
export const world = { isMailDown: true, isBankDown: true };

const orders = machine<{ cents: number; reminders: number }>("orders", { stream: true, pauseRetry: false })
  .step("placed", ["billed"], () => "billed")
  .callback("billed", ["paid"], (_run, _payment: { id: string }) => "paid")
  .timeout("billed", [], { after: "3d" }, (run) => {
    run.data.reminders++;
    return { rearm: "3d" };
  }, { name: "remind" })
  .timeout("billed", ["expired"], { after: "30d" }, () => "expired", { name: "expire" })
  .step("paid", ["shipped"], () => "shipped", { lag: "1d" })
  .onComplete((run) => {
    if (world.isMailDown) throw new Error(`no mail for ${run.key}`);
  }, { name: "mail", parkAfterErrors: 2, retry: { initial: "1s", jitter: false } })
  .build();

const verdicts = machine<{ verdict: "pause" | "cancel" | "fail" | "done" | "skip" }>("verdicts", {
  pauseRetry: false,
})
  .step("asked", ["done"], (run) => {
    if (run.data.verdict === "pause") return run.pause("to be looked at");
    if (run.data.verdict === "cancel") return run.cancel("not wanted");
    if (run.data.verdict === "fail") return run.fail("not possible");
    return run.data.verdict === "skip" ? run.skip() : "done";
  })
  .build();

const transfers = machine<{ account: string }>("transfers")
  .step("asked", ["booked"], () => {
    if (world.isBankDown) throw new Error("the bank is down");
    return "booked";
  }, { lock: (run) => run.data.account, retry: { initial: "12h", max: "12h", jitter: false } })
  .build();

const visits = machine<{ name: string; ward: string }>("visits", {
  keepFinished: "90d",
  scrub: ({ ward }) => ({ name: "", ward }),
})
  .step("booked", ["over"], () => "over")
  .build();

const reports = machine<{ shop: string }>("reports")
  .callback("due", ["written"], () => "written")
  .build();

/** As it was first. */
const people1 = machine<{ name: string }>("people")
  .step("new", ["greeted"], () => "greeted", { lag: "60d" })
  .step("checked", ["greeted"], () => "greeted", { lag: "1h" })
  .build();

/** As it is later: of its runs at "checked" code without that status makes stalled ones. */
const people2 = machine<{ first: string; last: string }>("people", {
  version: 2,
  migrate: (data: { name: string }) => {
    const [first = "", last = ""] = data.name.split(" ");
    return { first, last };
  },
})
  .step("new", ["greeted"], () => "greeted", { lag: "60d" })
  .step("checked", ["greeted"], () => "greeted", { lag: "1h" })
  .build();

/** As code that was rolled back has it. */
const people0 = machine<{ name: string }>("people")
  .step("new", ["greeted"], () => "greeted", { lag: "60d" })
  .build();

/** All that an engine of today carries. */
export const machines = { orders, verdicts, transfers, visits, reports, people: people2 };

/** What the first release of the people's code carries. */
export const firstPeople = people1;

/** Which people an engine knows. */
export type Era = "first" | "rolled back" | "today";

/** What engines read and write as time goes in days. */
const calm = { poll: "1d", lease: { term: "2d" } } as const;

/** An engine of the fleet. */
export function fleetEngine(
  store: Store,
  clock: VirtualClock,
  era: Era = "today",
  work = true,
): Promise<TestEngine> {
  const people = { first: people1, "rolled back": people0, today: people2 }[era];
  const definitions = [orders, verdicts, transfers, visits, reports, people];
  // IndexedDB answers by the event loop, for which virtual time must wait.
  return testEngine({
    store: attendedStore(store, clock),
    clock,
    definitions,
    work,
    recurrences: [cron],
    logger: silentLogger,
    ...calm,
  });
}

/** The schedules of the fleet; asked for again by each engine, as a program does at its start. */
export async function createSchedules({ engine }: TestEngine): Promise<void> {
  const common = { target: reports, data: { shop: "main street" } } as const;
  const daily = every("1d", { phase: "2h" });
  await engine.schedules.create({
    ...common,
    id: "ender",
    recurrence: daily,
    key: "ender",
    overlap: "terminateOther",
  });
  await engine.schedules.create({
    ...common,
    id: "weekly",
    recurrence: cron("30 2 * * mon", { timeZone: "Europe/London" }),
    key: "weekly-{scheduledFor}",
    overlap: "allowAll",
  });
  await engine.schedules.create({ ...common, id: "resting", recurrence: daily, key: "resting" });
}
