/**
 * The user code of a program in an engine: it does what its script says, in the time of a clock, and notes what hooks see.
 *
 * @module
 */
import type { StepRun } from "../../core/machine/run.ts";
import type { HookKind } from "../../core/parts/chore.ts";
import type { Clock } from "../../core/ports/clock.ts";
import type { Machine, RunView } from "../../mod.ts";
import { type Answer, type Code, machineOf, type Program } from "./program.ts";
import type { Act, Call, Mark, Script, Trail } from "./script.ts";

/** What a hook was called with. */
export interface HookCall {
  readonly at: number;
  readonly program: string;
  readonly kind: HookKind;
  readonly index: number;
  readonly view: RunView<Trail>;
}

/** Data that fits nowhere. */
export const tooLarge = "x".repeat(12_000);

/** What code says that broke off because it was told to. */
export const toldToStop = "told to stop";

/**
 * @param program What is built.
 * @param script What its code does.
 * @param clock In whose time.
 * @param heard Told of each call of a hook.
 * @returns The program's machine.
 */
export function staged(
  program: Program,
  script: Script,
  clock: Clock,
  heard: (call: HookCall) => void,
): Machine<Trail> {
  const code: Code<Trail, Mark> = {
    step: (run, { to }) => act(script, clock, run, { code: "step", to, ...placeOf(run) }),
    callback: (run, { mark }, to, index) =>
      act(script, clock, run, { code: "callback", name: `${index} ${mark}`, to, ...placeOf(run) }),
    timer: (run, { name, to }) =>
      act(script, clock, run, { code: "timer", name, round: roundOf(run), to, ...placeOf(run) }),
    due({ key, data }, now, plan) {
      const draw = script.due(key, plan, data);
      if (draw === "throw") throw new Error(`no time for ${plan.name}`);
      if (draw === "never") return undefined;
      return new Date(draw === "no date" ? NaN : now.getTime() + draw.inMs);
    },
    scrub: (data) => script.scrub(data),
    hook(kind, index, view) {
      heard({ at: clock.now(), program: program.name, kind, index, view });
      const { key, version, runId } = view;
      const { delayMs, throws } = script.hook(kind, index, `${key} ${version}`, `${runId} ${version}`);
      return later(clock, delayMs, () => {
        if (throws) throw new Error(`${kind} hook ${index} fails`);
      });
    },
  };
  return machineOf(program, code);
}

function placeOf({ key, status, stepId, attempt, data }: StepRun<Trail>) {
  return { key, status, visit: Number(stepId.split(":")[1]), attempt, data };
}

/** The id of a timer's step is `run:visit:name:round`. */
function roundOf({ stepId }: StepRun<Trail>): number {
  return Number(stepId.split(":").at(-1));
}

function act(
  script: Script,
  clock: Clock,
  run: StepRun<Trail>,
  call: Call,
): Answer | Promise<Answer> {
  const planned = script.act(call);
  // Only code that asks for its signal is told by it.
  const signal = planned.heeds && call.code !== "callback" ? run.signal : undefined;
  return later(clock, planned.delayMs, () => done(run, planned), signal);
}

function done(run: StepRun<Trail>, { deed, mark }: Act): Answer {
  if (mark !== undefined) run.data.trail.push(mark);
  switch (deed.kind) {
    case "go":
    case "stray":
      return deed.to;
    case "repeat":
      return run.repeat();
    case "skip":
      return run.skip();
    case "pause":
    case "cancel":
    case "fail":
      return run[deed.kind](deed.reason);
    case "rearm":
      return { rearm: deed.ms };
    case "throw":
      throw new Error(deed.message);
    case "large":
      run.data.trail.push(tooLarge);
      return run.repeat();
    case "unjson":
      Object.assign(run.data, { when: new Date(0) });
      return run.repeat();
  }
}

function later<Value>(
  clock: Clock,
  delayMs: number,
  act: () => Value,
  signal?: AbortSignal,
): Value | Promise<Value> {
  if (delayMs === 0) return act();
  return new Promise((resolve, reject) => {
    const cancel = clock.after(delayMs, () => {
      try {
        resolve(act());
      } catch (error) {
        reject(error);
      }
    });
    signal?.addEventListener("abort", () => {
      cancel();
      reject(new Error(toldToStop));
    });
  });
}
