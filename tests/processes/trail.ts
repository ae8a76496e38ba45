/**
 * What every run of the fleet carries, and how its user code leaves traces: in the ledger, and in the data, so that work
 * that is lost or done twice shows in one of the two.
 *
 * @module
 */
import type { HookHandler } from "pawl";
import type { StepAnswer, StepRun, TimeoutAnswer } from "../../core/machine/run.ts";
import type { Lane, Ledger } from "./ledger.ts";

/** What a run is to come to, written into its data by whoever triggers it. */
export type Wish = "good" | "bad";

/** What every run carries. */
export interface Trail {
  /** The question that made the run: the `token` of its `asked` line. */
  readonly token: string;
  readonly wish: Wish;
  /** The steps whose results have landed, in order. */
  landed: string[];
  /** The timers that have fired, in order. */
  fired: string[];
  /** The callbacks that were applied, in order, by the tokens of their payloads. */
  called: string[];
  /** What must be gone when the data is deleted. User code quotes it wherever it can. */
  secret: string;
}

/** What callbacks are given. */
export interface Payment {
  readonly token: string;
}

/** What a run begins with: the same for the same question, however often it is asked. */
export function trailOf(token: string, wish: Wish): Trail {
  return { token, wish, landed: [], fired: [], called: [], secret: secretOf(token) };
}

/** The secret of a run; found in any text by {@linkcode secrets}. */
export function secretOf(token: string): string {
  return `<secret of ${token}>`;
}

/** Finds secrets; the first group is the token of the run. */
export const secrets = /<secret of ([^<>]+)>/g;

/** What is left of the data. Fails now and then, and says too much then. */
export async function scrub({ secret, ...rest }: Trail): Promise<Trail> {
  await sleep(between(0, 20));
  if (Math.random() < 0.2) throw new Error(`Cannot scrub ${secret}`);
  return { ...rest, secret: "" };
}

export const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
export const between = (low: number, high: number) => low + Math.random() * (high - low);

/** How long user code takes, in milliseconds, and how often it fails. */
type Pace = readonly [low: number, high: number, failing: number];

/** User code that leaves traces. */
export interface Traced {
  /** A step that takes a while, fails now and then, and has an effect. */
  step<To extends string>(
    pace: Pace,
    work: (run: StepRun<Trail, To>) => StepAnswer<To> | Promise<StepAnswer<To>>,
  ): (run: StepRun<Trail, To>) => Promise<StepAnswer<To>>;
  /** The same, of a timer. */
  timer<To extends string>(
    pace: Pace,
    work: (run: StepRun<Trail, To>) => TimeoutAnswer<To>,
  ): (run: StepRun<Trail, To>) => Promise<TimeoutAnswer<To>>;
  /** The same, of a callback. */
  callback<To extends string>(
    pace: Pace,
    work: (run: StepRun<Trail, To>) => StepAnswer<To>,
  ): (run: StepRun<Trail, To>, payload: Payment) => Promise<StepAnswer<To>>;
  /** A hook, of a machine, kind and name. */
  hook(definition: string, kind: string, name: string): HookHandler<Trail>;
}

/**
 * @param ledger Where traces are left.
 * @returns Wrappers of user code.
 */
export function traced(ledger: Ledger): Traced {
  const trace = async <To extends string, Answer>(
    lane: Lane,
    [low, high, failing]: Pace,
    run: StepRun<Trail, To>,
    work: () => Answer | Promise<Answer>,
    leave: (data: Trail) => void,
    token?: string,
  ): Promise<Answer> => {
    const { stepId, attempt, key, status } = run;
    ledger.write({ what: "began", lane, stepId, attempt });
    if (high > 0) await sleep(between(low, high));
    if (Math.random() < failing) {
      throw new Error(`Attempt ${attempt} of ${status} failed with ${run.data.secret}`);
    }
    const answer = await work();
    leave(run.data);
    ledger.write({
      what: "effect",
      lane,
      stepId,
      key,
      status,
      attempt,
      ...(token !== undefined && { token }),
    });
    return answer;
  };
  return {
    step: (pace, work) => (run) =>
      trace("step", pace, run, () => work(run), ({ landed }) => landed.push(run.stepId)),
    timer: (pace, work) => (run) =>
      trace("timer", pace, run, () => work(run), ({ fired }) => fired.push(run.stepId)),
    callback: (pace, work) => (run, { token }) =>
      trace("callback", pace, run, () => work(run), ({ called }) => called.push(token), token),
    hook: (definition, kind, name) => async ({ runId, version, runState, data }) => {
      const line = { what: "hook", definition, runId, version, kind, name } as const;
      const seen = { state: runState, landed: data.landed };
      ledger.write({ ...line, phase: "began", ...seen });
      await sleep(between(0, 30));
      if (Math.random() < 0.2) throw new Error(`Hook ${name} failed with ${data.secret}`);
      ledger.write({ ...line, phase: "ended", ...seen });
    },
  };
}
