/**
 * The machines of the fleet. Every step tells the ledger when its code begins and, before it returns, that its effect is
 * made; and it leaves its `stepId` in the run's data, so that work that is lost or done twice shows there too.
 *
 * @module
 */
import { type Machine, machine } from "pawl";
import type { StepAnswer, StepRun } from "../../core/machine/run.ts";
import type { Ledger } from "./ledger.ts";

/** What a run is to come to, written into its data by whoever triggers it. */
export type Wish = "good" | "bad";

/** What every run carries. */
export interface Trail {
  /** The question that made the run: the `token` of its `asked` line. */
  readonly token: string;
  readonly wish: Wish;
  /** The steps whose results have landed, in order. */
  landed: string[];
}

/** A machine of the fleet. */
export type FleetMachine = Machine<Trail>;

/** Where the runs of each machine end by their own, by their wish. */
export const ends: Readonly<
  Record<string, Readonly<Record<Wish, readonly [status: string, state: string]>>>
> = {
  order: { good: ["shipped", "completed"], bad: ["placed", "failed"] },
  parcel: { good: ["arrived", "completed"], bad: ["lost", "completed"] },
  round: { good: ["over", "completed"], bad: ["over", "completed"] },
  mail: { good: ["sent", "completed"], bad: ["sent", "completed"] },
  patient: { good: ["done", "completed"], bad: ["done", "completed"] },
};

/** How to start a run from within a step. */
export type FollowUp = (definition: string, run: StepRun<Trail>) => Promise<void>;

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const between = (low: number, high: number) => low + Math.random() * (high - low);

/** Failed attempts come back soon, and a paused run goes on by itself: nothing that is well takes long. */
const options = { pauseRetry: "1s", steps: { retry: { initial: 50, max: 400 } } } as const;

/**
 * @param ledger Where the steps leave their trace.
 * @param followUp Triggers a run of another machine, as steps of real programs do.
 * @returns The machines. All processes of the fleet have the same.
 */
export function machinesOf(ledger: Ledger, followUp: FollowUp): FleetMachine[] {
  type Work<To extends string> = (run: StepRun<Trail, To>) => StepAnswer<To> | Promise<StepAnswer<To>>;
  /** A step that takes a while, fails now and then, and has an effect. */
  const step =
    <To extends string>(low: number, high: number, failing: number, work: Work<To>): Work<To> =>
    async (run) => {
      const { stepId, attempt, key, status } = run;
      ledger.write({ what: "began", stepId, attempt });
      if (high > 0) await sleep(between(low, high));
      if (Math.random() < failing) throw new Error(`Attempt ${attempt} of ${status} failed`);
      const answer = await work(run);
      run.data.landed.push(stepId);
      ledger.write({ what: "effect", stepId, key, status, attempt });
      return answer;
    };

  const order = machine<Trail>("order", options)
    .step("placed", ["paid"], step(0, 0, 0.05, (run) => run.data.wish === "bad" ? run.fail("bad") : "paid"))
    .step("paid", ["packed"], step(50, 300, 0.2, () => "packed"))
    .step("packed", ["labelled"], step(0, 20, 0.1, () => "labelled"), { concurrency: 4 })
    .step(
      "labelled",
      ["shipped"],
      step(5, 50, 0, async (run) => {
        await followUp("mail", run);
        return run.to("shipped");
      }),
    )
    .build();
  const parcel = machine<Trail>("parcel", options)
    .step("sent", ["moving"], step(0, 5, 0, () => "moving"))
    .step(
      "moving",
      ["arrived", "lost"],
      step(10, 100, 0.1, (run) => run.data.wish === "bad" ? "lost" : "arrived"),
      { lag: 300, timeout: "5s" },
    )
    .build();
  const round = machine<Trail>("round", options)
    .step(
      "turning",
      ["waiting"],
      step(0, 30, 0.1, (run) => {
        const turns = run.data.landed.length;
        if (turns === 1 && run.data.wish === "bad") return run.pause("a pause of its own");
        return turns < 4 ? run.repeat() : "waiting";
      }),
    )
    // Left where it is at first; a client or the next pause and its end take it up again.
    .step("waiting", ["over"], step(0, 10, 0, (run) => isSecondTime(run) ? "over" : run.skip()))
    .build();
  const mail = machine<Trail>("mail", options).step("due", ["sent"], step(0, 30, 0.1, () => "sent")).build();
  const patient = machine<Trail>("patient", options)
    .step("waiting", ["waited"], step(400, 400, 0, () => "waited"))
    .step("waited", ["done"], step(0, 0, 0, () => "done"))
    .build();
  return [order, parcel, round, mail, patient] as FleetMachine[];
}

/** The step of this visit has landed before, by a `skip`. */
const isSecondTime = (run: StepRun<Trail>) => run.data.landed.includes(run.stepId);
