/**
 * Machines that are the same in every world: what a machine can be, in three. Random ones are drawn beside them.
 *
 * @module
 */
import type { HookOptions } from "../../core/machine/machine.ts";
import type { StepOptions } from "../../core/engine/step_options.ts";
import type { Place, Program, StepPlan, TimerPlan } from "../programs/program.ts";

const pauseRetryMs = 4_000;

const hook: HookOptions = { retry: { initial: 20, max: 200 }, parkAfterErrors: 3 };

const hooks: Program["hooks"] = {
  complete: [
    { ...hook, name: "first", timeout: 400, concurrency: 2 },
    { ...hook, name: "second", timeout: 400, concurrency: 2 },
  ],
  pause: [{ ...hook, name: "only" }],
  resume: [{ ...hook, name: "only" }],
  cancel: [{ ...hook, name: "only" }],
  fail: [{ ...hook, name: "only" }],
  delete: [{ ...hook, name: "only" }],
};

function step(to: readonly [string, ...string[]], options: StepOptions = {}): { readonly step: StepPlan } {
  return { step: { to, options: { retry: { initial: 20, max: 400 }, ...options } } };
}

/** What is behind each name of a timer, at whatever status. */
const timerPlans: Readonly<Record<string, Pick<TimerPlan, "due" | "options">>> = {
  remind: { due: { after: 120 } },
  nudge: { due: { after: 30 }, options: { pauseAfterErrors: 2 } },
  tick: { due: { after: 0 } },
  noon: { due: { at: 3_000 } },
  hurry: { due: "drawn", options: { concurrency: 1 } },
  expire: { due: "drawn", options: { timeout: 500 } },
};

function timers(to: Readonly<Record<string, readonly string[]>>): Pick<Place, "timers"> {
  return {
    timers: Object.entries(to).map(([name, statuses]) => {
      const { due, options } = timerPlans[name]!;
      return { name, to: statuses, due, options: { retry: { initial: 20, max: 300 }, ...options } };
    }),
  };
}

/** The machines. */
export const fixedPrograms: readonly Program[] = [
  {
    name: "chain",
    pauseRetryMs,
    scrubs: false,
    stream: false,
    hooks,
    graph: {
      a: step(["b", "c"]),
      b: step(["d"], { concurrency: 2, pauseAfterErrors: 3 }),
      c: step(["d", "b"], { lag: 50 }),
      d: step(["end", "void"]),
    },
  },
  {
    name: "loop",
    pauseRetryMs,
    keepFinishedMs: 1_500,
    scrubs: true,
    stream: true,
    hooks,
    graph: {
      x: step(["y", "done"]),
      y: { ...step(["x", "done"], { timeout: 1_000 }), ...timers({ hurry: ["done"], tick: [] }) },
    },
  },
  {
    name: "mail",
    pauseRetryMs,
    keepFinishedMs: 4_500,
    scrubs: true,
    stream: true,
    hooks,
    graph: {
      draft: { ...step(["wait", "sent"]), ...timers({ hurry: ["sent"] }) },
      wait: {
        callbacks: [["draft", "sent", "wait"]],
        ...timers({ remind: [], expire: ["lost"], noon: ["draft", "lost"] }),
      },
      sent: {
        ...step(["done", "wait"]),
        callbacks: [["done", "draft"]],
        ...timers({ nudge: [], tick: [], hurry: ["lost"] }),
      },
    },
  },
];
