/**
 * The machines of the simulated world: their user code draws from the seed what it does, and is cut when its host dies.
 *
 * @module
 */
import { type Machine, machine } from "../../core/machine/builder.ts";
import type { StepAnswer, StepRun } from "../../core/machine/run.ts";
import type { Host } from "./host.ts";
import type { World } from "./world.ts";

/** What a run carries: the marks of the steps that landed, so that a lost or doubled landing shows. */
export interface Trail {
  readonly token: string;
  landed: string[];
}

/** Called as user code begins and ends. */
export interface Ledger {
  started(host: Host, run: StepRun<Trail>): void;
  answered(host: Host, run: StepRun<Trail>, answer: string): void;
}

export type Graph = Readonly<Record<string, readonly [string, ...string[]]>>;

export const graphs: Readonly<Record<string, Graph>> = {
  chain: { a: ["b", "c"], b: ["d"], c: ["d", "b"], d: ["end", "void"] },
  loop: { x: ["y", "done"], y: ["x", "done"] },
};

export function machinesOf(world: World, host: Host, ledger: Ledger): Machine<Trail>[] {
  return Object.entries(graphs).map(([name, graph]) => {
    // deno-lint-ignore no-explicit-any -- the graph is data here, so its literal types are not known.
    let builder = machine<Trail>(name, { pauseRetry: "4s" }) as any;
    for (const [from, to] of Object.entries(graph)) {
      builder = builder.step(from, to, (run: StepRun<Trail>) => act(world, host, ledger, run, to), {
        retry: { initial: 20, max: 400 },
        ...(from === "b" && { concurrency: 2, pauseAfterErrors: 3 }),
        ...(from === "c" && { lag: 50 }),
      });
    }
    return builder.build() as Machine<Trail>;
  });
}

function act(
  world: World,
  host: Host,
  ledger: Ledger,
  run: StepRun<Trail>,
  to: readonly string[],
): StepAnswer<string> | Promise<StepAnswer<string>> {
  ledger.started(host, run);
  const finish = () => decide(world, host, ledger, run, to);
  if (world.chance(0.4)) return finish();
  const delay = world.chance(0.1) && !world.calm ? world.between(100, 3_000) : world.between(0, 20);
  return new Promise((resolve, reject) =>
    host.later(delay, () => {
      try {
        resolve(finish());
      } catch (error) {
        reject(error);
      }
    })
  );
}

function decide(
  world: World,
  host: Host,
  ledger: Ledger,
  run: StepRun<Trail>,
  to: readonly string[],
): StepAnswer<string> {
  run.data.landed.push(run.stepId);
  if (world.fault("step throws", 0.1)) throw new Error(`error ${world.random.hex(4)}`);
  const control = world.calm ? "" : world.pick(["", "", "", "", "", "", "", "repeat", "pause", "fail"]);
  const answer = control || world.pick(to);
  if (!["pause", "fail"].includes(answer)) ledger.answered(host, run, answer);
  if (answer === "repeat") return run.repeat();
  if (answer === "pause") return run.pause("the step says so");
  if (answer === "fail") return world.chance(0.3) ? run.fail("the step says so") : run.to(to[0]!);
  return answer;
}
