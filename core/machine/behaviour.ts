import type { Behaviour, StepCall, StepResult } from "../engine/behaviour.ts";
import { PawlError } from "../errors.ts";
import type { DataRules } from "../engine/data_rules.ts";
import { type OptionLayer, stepPolicy } from "../engine/step_options.ts";
import type { Limits } from "../limits.ts";
import { startOf } from "./graph.ts";
import { MachineControl, MachineRun, type StepAnswer, type StepRun } from "./run.ts";

/** A step as the builder gathered it. */
export interface Step {
  /** Where it may lead. */
  readonly to: readonly string[];
  /** User code. */
  readonly handler: (run: StepRun) => StepAnswer<string> | Promise<StepAnswer<string>>;
  /** Its own options. */
  readonly options: OptionLayer;
}

/** What holds for all of a machine. */
export interface MachineSettings {
  /** Its name, for errors. */
  readonly name: string;
  /** Options for its steps, the lowest layer first. */
  readonly layers: readonly OptionLayer[];
  /** When paused runs are resumed. */
  readonly pauseRetryMs: number | undefined;
  /** What it says of its data. */
  readonly data: DataRules;
}

/**
 * A machine as the engine knows it.
 *
 * @param machine What holds for all of it.
 * @param steps By status, in order of declaration.
 * @param limits Those of the engine that carries it; absent: none does yet.
 * @returns Its behaviour.
 * @throws {PawlError} `INVALID_ARGUMENT` naming the options that contradict each other.
 */
export function machineBehaviour(
  machine: MachineSettings,
  steps: ReadonlyMap<string, Step>,
  limits?: Limits,
): Behaviour {
  const { name, layers, pauseRetryMs, data } = machine;
  const policies = new Map([...steps].map(([from, { options }]) => {
    return [from, stepPolicy(options.from, [...layers, options], limits)];
  }));
  const statuses = new Set<string>();
  for (const [from, step] of steps) [from, ...step.to].forEach((status) => statuses.add(status));
  return {
    start: startOf(steps),
    statuses,
    edges: new Map([...steps].map(([from, step]) => [from, step.to])),
    pauseRetryMs,
    data,
    policy: (status) => policies.get(status),
    withDefaults: (defaults, limits) =>
      machineBehaviour({ ...machine, layers: [defaults, ...layers] }, steps, limits),
    isTerminal: (status) => !steps.has(status),
    run(call) {
      const step = steps.get(call.status)!;
      const answer = step.handler(new MachineRun(call));
      return isThenable(answer)
        ? Promise.resolve(answer).then((value) => readAnswer(name, step, call, value))
        : readAnswer(name, step, call, answer);
    },
  };
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
