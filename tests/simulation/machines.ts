/**
 * The machines of the simulated world: their user code draws from the seed what it does, and is cut when its host dies.
 *
 * @module
 */
import { machine } from "../../core/machine/builder.ts";
import type { Machine } from "../../core/machine/machine.ts";
import type { EnteringRun, StepAnswer, StepRun, TimeoutAt } from "../../core/machine/run.ts";
import type { HookKind } from "../../core/parts/chore.ts";
import { type Graph, graphs, hooks, keepFinishedMs, pauseRetryMs, type Place } from "./graphs.ts";
import type { HookLedger } from "./hook_ledger.ts";
import type { Host } from "./host.ts";
import type { StepLedger } from "./step_ledger.ts";
import type { World } from "./world.ts";

/** What a run carries: the code whose work is in it, so that lost or doubled work shows. */
export interface Trail {
  readonly token: string;
  /** Must be nowhere once the run's data is deleted; gone from what `scrub` leaves. */
  readonly secret?: string;
  landed: string[];
}

/** What callbacks are called with: what they leave in the trail. */
export interface Mark {
  readonly mark: string;
}

/** Who notes what user code sees. */
export interface Ledgers {
  readonly steps: StepLedger;
  readonly hooks: HookLedger;
}

/** User code of one host. */
interface Stage {
  readonly world: World;
  readonly host: Host;
  readonly ledgers: Ledgers;
}

type Code = "step" | "callback" | "timer";
type Answer = StepAnswer<string> | { readonly rearm: number };

export function machinesOf(world: World, host: Host, ledgers: Ledgers): Machine<Trail>[] {
  const stage = { world, host, ledgers };
  return Object.entries(graphs).map(([name, graph]) => built(stage, name, graph));
}

function built(stage: Stage, name: string, graph: Graph): Machine<Trail> {
  const keepFinished = keepFinishedMs[name];
  const options = {
    pauseRetry: pauseRetryMs,
    ...(keepFinished !== undefined && { keepFinished }),
    ...(name !== "chain" && { scrub: (data: Trail) => scrub(stage.world, data) }),
  };
  // deno-lint-ignore no-explicit-any -- the graph is data here, so its literal types are not known.
  let builder = machine<Trail>(name, options) as any;
  for (const [from, place] of Object.entries(graph)) builder = withPlace(stage, builder, name, from, place);
  for (const [kind, names] of Object.entries(hooks) as [HookKind, readonly string[]][]) {
    const verb = `on${kind[0]!.toUpperCase()}${kind.slice(1)}`;
    names.forEach((hook, index) => {
      builder = builder[verb](stage.ledgers.hooks.handler(stage.host, kind, index), {
        name: hook,
        retry: { initial: 20, max: 200 },
        parkAfterErrors: 3,
        ...(kind === "complete" && { timeout: 400, concurrency: 2 }),
      });
    });
  }
  return builder.build() as Machine<Trail>;
}

// deno-lint-ignore no-explicit-any -- as above.
function withPlace(stage: Stage, builder: any, name: string, from: string, place: Place): any {
  const { step, callback, timers = {} } = place;
  if (step) {
    const handler = (run: StepRun<Trail>) => {
      stage.ledgers.steps.started(stage.host, name, run);
      return act(stage, run, "step", step, run.stepId);
    };
    builder = builder.step(from, step, handler, {
      retry: { initial: 20, max: 400 },
      ...(from === "b" && { concurrency: 2, pauseAfterErrors: 3 }),
      ...(from === "c" && { lag: 50 }),
      ...(from === "y" && { timeout: 1_000 }),
    });
  }
  if (callback) {
    const handler = (run: StepRun<Trail>, { mark }: Mark) => act(stage, run, "callback", callback, mark);
    builder = builder.callback(from, callback, handler);
  }
  for (const [timer, to] of Object.entries(timers)) {
    const handler = (run: StepRun<Trail>) => {
      stage.ledgers.steps.started(stage.host, name, run);
      return act(stage, run, "timer", to, run.stepId);
    };
    builder = builder.timeout(from, to, timeOf(stage.world, timer), handler, {
      name: timer,
      retry: { initial: 20, max: 300 },
      ...(timer === "nudge" && { pauseAfterErrors: 2 }),
      ...(timer === "hurry" && { concurrency: 1 }),
      ...(timer === "expire" && { timeout: 500 }),
    });
  }
  return builder;
}

function timeOf(world: World, timer: string): TimeoutAt<Trail> {
  if (timer === "remind") return { after: 120 };
  if (timer === "nudge") return { after: 30 };
  if (timer === "tick") return { after: 0 };
  if (timer === "noon") return { at: new Date(1_700_000_000_000 + 3_000) };
  return ({ data }: EnteringRun<Trail>, now: Date) => {
    if (world.fault("time throws", 0.03)) throw new Error(`no time for ${data.secret}`);
    if (world.chance(0.3)) return undefined;
    return new Date(now.getTime() + Math.floor(world.between(-50, timer === "hurry" ? 1_500 : 900)));
  };
}

function scrub(world: World, { token, landed }: Trail): Trail | Promise<Trail> {
  if (world.fault("scrub throws", 0.1)) throw new Error(`cannot scrub what ${landed.join()} left`);
  return { token, landed: [] };
}

function act(
  stage: Stage,
  run: StepRun<Trail>,
  code: Code,
  to: readonly string[],
  mark: string,
): Answer | Promise<Answer> {
  const { world, host } = stage;
  if (world.chance(0.4)) return decide(stage, run, code, to, mark);
  const delay = world.chance(0.15) && !world.calm ? world.between(100, 3_000) : world.between(0, 20);
  return new Promise((resolve, reject) =>
    host.later(delay, () => {
      try {
        resolve(decide(stage, run, code, to, mark));
      } catch (error) {
        reject(error);
      }
    })
  );
}

const controls = ["", "", "", "", "", "", "", "", "repeat", "repeat", "pause", "skip", "fail", "cancel"];

function decide(
  { world, ledgers }: Stage,
  run: StepRun<Trail>,
  code: Code,
  to: readonly string[],
  mark: string,
): Answer {
  const { runId } = run;
  if (code !== "callback" && world.chance(0.15)) ledgers.steps.untouched(runId, mark);
  else run.data.landed.push(mark);
  if (world.fault(`${code} throws`, code === "timer" ? 0.25 : 0.15)) {
    throw new Error(`error ${world.random.hex(4)} with ${run.data.secret}`);
  }
  if (code === "timer" && !world.calm && world.chance(0.35)) return { rearm: world.between(0, 300) | 0 };
  // Most calls of the outside world leave the run where it is: they come in numbers, while its step runs.
  if (code === "callback" && !world.calm && world.chance(0.4)) {
    return world.chance(0.5) ? run.skip() : run.repeat();
  }
  const answer = (world.calm ? "" : world.pick(controls)) || (to.length > 0 ? world.pick(to) : "skip");
  if (answer === "repeat") return run.repeat();
  if (answer === "pause") return run.pause("the code says so");
  if (answer === "skip") return run.skip();
  if (answer === "fail" && world.chance(0.3)) return run.fail("the code says so");
  if (answer === "cancel" && world.chance(0.3)) return run.cancel("the code says so");
  return to.includes(answer) ? answer : to[0] ?? run.skip();
}
