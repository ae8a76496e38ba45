import type { Behaviour, StepCall, StepResult } from "../engine/behaviour.ts";
import { PawlError } from "../errors.ts";
import type { StepPolicy } from "../parts/run_change.ts";
import { diagramOf, type DiagramTransition } from "./diagram.ts";
import { startOf } from "./graph.ts";
import { MachineControl, MachineRun, type StepAnswer, type StepRun } from "./run.ts";

/** A step as the builder gathered it. */
export interface Step {
  /** Where it may lead. */
  readonly to: readonly string[];
  /** User code. */
  readonly handler: (run: StepRun) => StepAnswer<string> | Promise<StepAnswer<string>>;
  /** How it is retried. */
  readonly policy: StepPolicy;
}

/**
 * A machine as the engine knows it.
 *
 * @param name The machine's name, for errors.
 * @param steps By status, in order of declaration.
 * @param pauseRetryMs When paused runs are resumed.
 * @returns Its behaviour.
 */
export function machineBehaviour(
  name: string,
  steps: ReadonlyMap<string, Step>,
  pauseRetryMs: number | undefined,
): Behaviour {
  const statuses = new Set<string>();
  for (const [from, step] of steps) [from, ...step.to].forEach((status) => statuses.add(status));
  const start = startOf(steps);
  return {
    start,
    statuses,
    edges: new Map([...steps].map(([from, step]) => [from, step.to])),
    pauseRetryMs,
    policy: (status) => steps.get(status)?.policy,
    isTerminal: (status) => !steps.has(status),
    run(call) {
      const step = steps.get(call.status)!;
      const answer = step.handler(new MachineRun(call));
      return isThenable(answer)
        ? Promise.resolve(answer).then((value) => readAnswer(name, step, call, value))
        : readAnswer(name, step, call, answer);
    },
    diagram: (options) => diagramOf({ name, start, statuses, transitions: transitionsOf(steps) }, options),
  };
}

function transitionsOf(steps: ReadonlyMap<string, Step>): DiagramTransition[] {
  return [...steps].map(([from, { to }]) => ({ from, to, by: "step" }));
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}

/** A status its edges do not allow is a failed attempt: it is retried, counted, and pauses like any other error. */
function readAnswer(name: string, step: Step, call: StepCall, answer: unknown): StepResult {
  if (answer instanceof MachineControl) return answer.result;
  if (typeof answer === "string" && step.to.includes(answer)) return { kind: "move", to: answer };
  throw new PawlError(
    "INVALID_TRANSITION",
    `Step "${call.status}" of "${name}" answered ${JSON.stringify(answer) ?? String(answer)}; ` +
      `it may answer ${
        step.to.map((status) => `"${status}"`).join(", ")
      } or a control such as run.pause(reason)`,
  );
}
