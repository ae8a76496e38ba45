/**
 * The machines of the simulated world: their user code draws from the seed what it does, and is cut when its host dies.
 *
 * @module
 */
import { machine } from "../../core/machine/builder.ts";
import type { Machine } from "../../core/machine/machine.ts";
import type { StepAnswer, StepRun } from "../../core/machine/run.ts";
import type { Host } from "./host.ts";
import type { StepLedger } from "./step_ledger.ts";
import type { World } from "./world.ts";

/** What a run carries: the steps whose work is in it, so that lost or doubled work shows. */
export interface Trail {
  readonly token: string;
  landed: string[];
}

export type Graph = Readonly<Record<string, readonly [string, ...string[]]>>;

export const graphs: Readonly<Record<string, Graph>> = {
  chain: { a: ["b", "c"], b: ["d"], c: ["d", "b"], d: ["end", "void"] },
  loop: { x: ["y", "done"], y: ["x", "done"] },
};

/** Every status of a graph. */
export function statusesOf(graph: Graph): string[] {
  return [...new Set(Object.entries(graph).flatMap(([from, to]) => [from, ...to]))];
}

export function machinesOf(world: World, host: Host, ledger: StepLedger): Machine<Trail>[] {
  return Object.entries(graphs).map(([name, graph]) => {
    // deno-lint-ignore no-explicit-any -- the graph is data here, so its literal types are not known.
    let builder = machine<Trail>(name, { pauseRetry: "4s" }) as any;
    for (const [from, to] of Object.entries(graph)) {
      const handler = (run: StepRun<Trail>) => {
        ledger.started(host, name, run);
        return act(world, host, run, to);
      };
      builder = builder.step(from, to, handler, {
        retry: { initial: 20, max: 400 },
        ...(from === "b" && { concurrency: 2, pauseAfterErrors: 3 }),
        ...(from === "c" && { lag: 50 }),
        ...(from === "y" && { timeout: 1_000 }),
      });
    }
    return builder.build() as Machine<Trail>;
  });
}

type Answer = StepAnswer<string>;

function act(world: World, host: Host, run: StepRun<Trail>, to: readonly string[]): Answer | Promise<Answer> {
  if (world.chance(0.4)) return decide(world, run, to);
  const delay = world.chance(0.1) && !world.calm ? world.between(100, 3_000) : world.between(0, 20);
  return new Promise((resolve, reject) =>
    host.later(delay, () => {
      try {
        resolve(decide(world, run, to));
      } catch (error) {
        reject(error);
      }
    })
  );
}

const controls = ["", "", "", "", "", "", "", "", "repeat", "repeat", "pause", "skip", "fail", "cancel"];

function decide(world: World, run: StepRun<Trail>, to: readonly string[]): Answer {
  run.data.landed.push(run.stepId);
  if (world.fault("step throws", 0.1)) throw new Error(`error ${world.random.hex(4)}`);
  const answer = (world.calm ? "" : world.pick(controls)) || world.pick(to);
  if (answer === "repeat") return run.repeat();
  if (answer === "pause") return run.pause("the step says so");
  if (answer === "skip") return run.skip();
  if (answer === "fail" && world.chance(0.3)) return run.fail("the step says so");
  if (answer === "cancel" && world.chance(0.3)) return run.cancel("the step says so");
  return to.includes(answer) ? answer : to[0]!;
}
