import { durationMs } from "../duration.ts";
import type {
  Behaviour,
  EnteringCall,
  Hook,
  StepCall,
  StepResult,
  TimerWish,
  Transition,
} from "../engine/behaviour.ts";
import type { Connector } from "../engine/connector.ts";
import type { DataRules } from "../engine/data_rules.ts";
import { type OptionLayer, stepPolicy } from "../engine/step_options.ts";
import { PawlError } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { HookKind } from "../parts/chore.ts";
import type { ConnectorPart } from "./connector.ts";
import { startOf } from "./graph.ts";
import {
  type CallbackHandler,
  type EnteringRun,
  MachineControl,
  MachineRun,
  type StepHandler,
  type TimeoutAt,
  type TimeoutHandler,
} from "./run.ts";

/** A step as the builder gathered it. */
export interface Step {
  /** Where it may lead. */
  readonly to: readonly string[];
  /** User code. */
  readonly handler: StepHandler<unknown, string>;
  /** Its own options. */
  readonly options: OptionLayer;
}

/** A callback as the builder gathered it. */
export interface Callback {
  readonly to: readonly string[];
  readonly handler: CallbackHandler<unknown, string, unknown>;
}

/** When a timer is due: after that many milliseconds, at a time, or as a function says. */
export type DueTime =
  | { readonly afterMs: number }
  | { readonly atMs: number }
  | Extract<TimeoutAt<unknown>, (...args: never[]) => unknown>;

/** A timeout as the builder gathered it. */
export interface Timeout {
  /** Unique among the timeouts of its status. */
  readonly name: string;
  readonly to: readonly string[];
  readonly at: DueTime;
  readonly handler: TimeoutHandler<unknown, string>;
  readonly options: OptionLayer;
}

/** A hook as the builder gathered it. */
export interface HookPart extends Omit<Hook, "policy"> {
  readonly options: OptionLayer;
}

/** All that the builder gathered. */
export interface MachineParts {
  readonly name: string;
  /** Options for all of it, the lowest layer first. */
  readonly layers: readonly OptionLayer[];
  readonly transitions: readonly Transition[];
  readonly steps: ReadonlyMap<string, Step>;
  readonly callbacks: ReadonlyMap<string, readonly Callback[]>;
  readonly timeouts: ReadonlyMap<string, readonly Timeout[]>;
  readonly hooks: ReadonlyMap<HookKind, readonly HookPart[]>;
  readonly connectors: readonly ConnectorPart[];
  /** What it says of its data. */
  readonly data: DataRules;
  readonly pauseRetryMs: number | undefined;
  readonly keepFinishedMs: number | undefined;
  readonly scrub: ((data: unknown) => unknown) | undefined;
  readonly stream: boolean;
}

const noHooks: readonly Hook[] = [];

/**
 * A machine as the engine knows it.
 *
 * @param parts What the builder gathered.
 * @param limits Those of the engine that carries it; absent: none does yet.
 * @returns Its behaviour.
 * @throws {PawlError} `INVALID_ARGUMENT` naming the options that contradict each other.
 */
export function machineBehaviour(parts: MachineParts, limits?: Limits): Behaviour {
  const { name, transitions, steps, callbacks, timeouts, scrub, layers } = parts;
  const edges = edgesOf(transitions);
  const policyOf = ({ options }: { readonly options: OptionLayer }) =>
    stepPolicy(options.from, [...layers, options], limits);
  const policies = new Map([...steps].map(([from, step]) => [from, policyOf(step)]));
  const timerPolicies = new Map(
    [...timeouts].map(([from, list]) => [from, new Map(list.map((each) => [each.name, policyOf(each)]))]),
  );
  const hooks = new Map(
    [...parts.hooks].map((
      [kind, list],
    ) => [kind, list.map((each): Hook => ({ ...each, policy: policyOf(each) }))]),
  );
  const connectors = parts.connectors.map((each): Connector => ({ ...each, policy: policyOf(each) }));
  const start = startOf(transitions);
  const statuses = new Set(transitions.flatMap(({ from, to }) => [from, ...to]));
  return {
    start,
    kind: "machine",
    statuses,
    edges,
    transitions,
    pauseRetryMs: parts.pauseRetryMs,
    keepFinishedMs: parts.keepFinishedMs,
    data: parts.data,
    policy: (status) => policies.get(status),
    isTerminal: (status) => !edges.has(status),
    withDefaults: (defaults, limits) => machineBehaviour({ ...parts, layers: [defaults, ...layers] }, limits),
    run(call) {
      const step = steps.get(call.status)!;
      return answered(step.handler(new MachineRun(call)), (answer) => readStep(name, step, call, answer));
    },
    ...(callbacks.size > 0 && {
      accepts: (status) => callbacks.has(status),
      receive: (call, payload) => receive(name, callbacks.get(call.status)!, call, payload),
    }),
    ...(timeouts.size > 0 && {
      timerPolicy: (status, timer) => timerPolicies.get(status)?.get(timer),
      timers: (status, call, now) => timersOf(timeouts.get(status), call, now),
      fire(call, timer) {
        const timeout = timeoutOf(timeouts, call.status, timer)!;
        const answer = timeout.handler(new MachineRun(call));
        return answered(answer, (value) => readTimeout(name, timeout, call, value));
      },
    }),
    ...(hooks.size > 0 && { hooks: (kind) => hooks.get(kind) ?? noHooks }),
    ...(connectors.length > 0 && { connectors }),
    stream: parts.stream,
    ...(scrub && { scrub }),
    diagram: (options, draw) => draw({ name, start, statuses, transitions }, options),
  };
}

function edgesOf(transitions: readonly Transition[]): ReadonlyMap<string, readonly string[]> {
  const edges = new Map<string, readonly string[]>();
  for (const { from, to } of transitions) {
    edges.set(from, [...new Set([...edges.get(from) ?? [], ...to])]);
  }
  return edges;
}

function answered(
  answer: unknown,
  read: (answer: unknown) => StepResult,
): StepResult | Promise<StepResult> {
  return isThenable(answer) ? Promise.resolve(answer).then(read) : read(answer);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}

/** A status its edges do not allow is a failed attempt: it is retried, counted, and pauses like any other error. */
function readStep(machine: string, { to }: Step, { status }: StepCall, answer: unknown): StepResult {
  return readAnswer(answer, to) ?? refuse(`Step "${status}" of "${machine}"`, to, answer);
}

function readAnswer(answer: unknown, to: readonly string[]): StepResult | undefined {
  if (answer instanceof MachineControl) return answer.result;
  if (typeof answer === "string" && to.includes(answer)) return { kind: "move", to: answer };
  return undefined;
}

function refuse(who: string, to: readonly string[], answer: unknown): never {
  const statuses = to.map((status) => `"${status}", `).join("");
  throw new PawlError(
    "INVALID_TRANSITION",
    `${who} answered ${JSON.stringify(answer) ?? String(answer)}; ` +
      `it may answer ${statuses}or a control such as run.pause(reason)`,
  );
}

/** Callbacks are asked in order; the first that does not skip decides. */
function receive(
  machine: string,
  callbacks: readonly Callback[],
  call: StepCall,
  payload: () => unknown,
): StepResult | Promise<StepResult> {
  const [first, ...others] = callbacks;
  if (!first) return { kind: "skip" };
  const result = answered(
    first.handler(new MachineRun(call), payload()),
    (answer) =>
      readAnswer(answer, first.to) ??
        refuse(`A callback of "${call.status}" of "${machine}"`, first.to, answer),
  );
  const next = (seen: StepResult) => seen.kind === "skip" ? receive(machine, others, call, payload) : seen;
  return result instanceof Promise ? result.then(next) : next(result);
}

function timeoutOf(
  timeouts: ReadonlyMap<string, readonly Timeout[]>,
  status: string,
  name: string,
): Timeout | undefined {
  return timeouts.get(status)?.find((timeout) => timeout.name === name);
}

const noWishes: readonly TimerWish[] = [];

function timersOf(
  timeouts: readonly Timeout[] | undefined,
  call: EnteringCall,
  now: number,
): readonly TimerWish[] {
  if (!timeouts) return noWishes;
  const wishes: TimerWish[] = [];
  for (const { name, at } of timeouts) {
    const due = dueOf(at, call, now);
    if (due !== undefined) wishes.push({ name, at: due });
  }
  return wishes;
}

function dueOf(at: DueTime, call: EnteringCall, now: number): number | undefined {
  if (typeof at !== "function") return "afterMs" in at ? now + at.afterMs : at.atMs;
  const { runId, key, createdAt } = call;
  const run: EnteringRun = { runId, key, createdAt, data: call.readData() };
  const due = at(run, new Date(now));
  return due === undefined ? undefined : Number(due);
}

function readTimeout(
  machine: string,
  { name, to }: Timeout,
  { status }: StepCall,
  answer: unknown,
): StepResult {
  const { rearm } = Object(answer) as { rearm?: unknown };
  if (rearm !== undefined) return { kind: "rearm", afterMs: durationMs(rearm as number, "rearm") };
  return readAnswer(answer, to) ??
    refuse(`Timeout "${name}" of "${status}" of "${machine}"`, to, answer);
}
