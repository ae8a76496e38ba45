/**
 * A machine as data: what builds it, what asks of its runs, and what judges them. Properties and the simulator draw such
 * programs; user code is given by whoever runs one.
 *
 * @module
 */
import type { StepOptions } from "../../core/engine/step_options.ts";
import { machine } from "../../core/machine/builder.ts";
import type { ConnectorHandler, ConnectorOptions, ConnectorSource } from "../../core/machine/connector.ts";
import type { HookHandler, HookOptions, Machine, TimeoutOptions } from "../../core/machine/machine.ts";
import type { EnteringRun, StepAnswer, StepRun } from "../../core/machine/run.ts";
import type { HookKind } from "../../core/parts/chore.ts";
import type { StreamEvent } from "../../core/ports/event_streamer.ts";

/** A step: where it may lead, and how it is tried. */
export interface StepPlan {
  readonly to: readonly [string, ...string[]];
  readonly options?: StepOptions;
}

/** When a timer is due: a while after the status was entered, at a time after `epoch` (both in ms), or as code says. */
export type DuePlan = { readonly after: number } | { readonly at: number } | "drawn";

/** A timeout of a status. */
export interface TimerPlan {
  readonly name: string;
  readonly to: readonly string[];
  readonly due: DuePlan;
  readonly options?: Omit<TimeoutOptions, "name">;
}

/** What may take a run from a status, and where. */
export interface Place {
  readonly step?: StepPlan;
  /** Where each callback may lead, in the order they are asked. */
  readonly callbacks?: readonly (readonly string[])[];
  readonly timers?: readonly TimerPlan[];
}

/** The statuses that lead somewhere, the first of them where runs start unless nothing leads to another. */
export type Graph = Readonly<Record<string, Place>>;

/** A machine as data. */
export interface Program {
  readonly name: string;
  readonly graph: Graph;
  /** After how many ms a paused run is resumed; `false`: never. */
  readonly pauseRetryMs: number | false;
  /** How long finished runs are kept; absent: for ever. */
  readonly keepFinishedMs?: number;
  /** `deleteData` leaves what its code makes of the data; otherwise nothing is left. */
  readonly scrubs: boolean;
  /** Its transitions are told to streams. */
  readonly stream: boolean;
  /** Its hooks, in order. */
  readonly hooks: Readonly<Partial<Record<HookKind, readonly HookOptions[]>>>;
}

/** What user code may answer. */
export type Answer = StepAnswer<string> | { readonly rearm: number };

/** The user code of a program, for all of its places. */
export interface Code<Data, Payload> {
  step(run: StepRun<Data>, plan: StepPlan): Answer | Promise<Answer>;
  /** @param index Which of the status's callbacks it is. */
  callback(
    run: StepRun<Data>,
    payload: Payload,
    to: readonly string[],
    index: number,
  ): Answer | Promise<Answer>;
  timer(run: StepRun<Data>, plan: TimerPlan): Answer | Promise<Answer>;
  /** When a timer that is `"drawn"` is due. */
  due(run: EnteringRun<Data>, now: Date, plan: TimerPlan): Date | undefined;
  scrub(data: Data): Data | Promise<Data>;
  /** @param index Which hook of its kind it is. */
  hook(kind: HookKind, index: number, ...args: Parameters<HookHandler<Data>>): unknown;
}

/** The verbs of a program's machine as its connector has them; the graph is data, so its types are not known. */
export interface ConnectorVerbs {
  trigger(
    key: string,
    options: { readonly data: unknown; readonly idempotencyKey: string },
  ): Promise<{ readonly runId: string }>;
  callback(
    key: string,
    status: string,
    payload: unknown,
    options: { readonly idempotencyKey: string },
  ): Promise<unknown>;
}

/** A connector of a program: where its events come from, and what is done with them. */
export interface ProgramConnector {
  readonly name: string;
  readonly source: ConnectorSource<StreamEvent>;
  readonly handler: ConnectorHandler<ConnectorVerbs, StreamEvent>;
  readonly options: ConnectorOptions;
}

/** What `{ at }` counts from, in ms since 1970: when simulated worlds begin. */
export const epoch = 1_700_000_000_000;

/** The machine of a program with this user code, and maybe a connector. */
export function machineOf<Data, Payload>(
  program: Program,
  code: Code<Data, Payload>,
  connector?: ProgramConnector,
): Machine<Data> {
  const { name, graph, pauseRetryMs, keepFinishedMs, scrubs, stream, hooks } = program;
  const options = {
    pauseRetry: pauseRetryMs,
    stream,
    ...(keepFinishedMs !== undefined && { keepFinished: keepFinishedMs }),
    ...(scrubs && { scrub: (data: Data) => code.scrub(data) }),
  };
  // deno-lint-ignore no-explicit-any -- the graph is data here, so its literal types are not known.
  const builder = machine<Data>(name, options) as any;
  for (const [from, place] of Object.entries(graph)) addPlace(builder, code, from, place);
  for (const [kind, list] of Object.entries(hooks) as [HookKind, readonly HookOptions[]][]) {
    const verb = `on${kind[0]!.toUpperCase()}${kind.slice(1)}`;
    list.forEach((hook, index) =>
      builder[verb]((...args: Parameters<HookHandler<Data>>) => code.hook(kind, index, ...args), hook)
    );
  }
  if (connector) builder.connector(connector.name, connector.source, connector.handler, connector.options);
  return builder.build() as Machine<Data>;
}

// deno-lint-ignore no-explicit-any -- as above.
function addPlace<Data, Payload>(builder: any, code: Code<Data, Payload>, from: string, place: Place): void {
  const { step, callbacks = [], timers = [] } = place;
  if (step) builder.step(from, step.to, (run: StepRun<Data>) => code.step(run, step), step.options);
  callbacks.forEach((to, index) =>
    builder.callback(
      from,
      to,
      (run: StepRun<Data>, payload: Payload) => code.callback(run, payload, to, index),
    )
  );
  for (const timer of timers) {
    const { name, to, due, options } = timer;
    const at = due === "drawn"
      ? (run: EnteringRun<Data>, now: Date) => code.due(run, now, timer)
      : "at" in due
      ? { at: new Date(epoch + due.at) }
      : due;
    builder.timeout(from, to, at, (run: StepRun<Data>) => code.timer(run, timer), { name, ...options });
  }
}

/** Every status of a graph. */
export function statusesOf(graph: Graph): string[] {
  return [...new Set(Object.keys(graph).flatMap((from) => [from, ...leadsTo(graph, from)]))];
}

/** Where a status may lead, by whatever. */
export function leadsTo(graph: Graph, status: string): string[] {
  const { step, callbacks = [], timers = [] } = graph[status] ?? {};
  return [...step?.to ?? [], ...callbacks.flat(), ...timers.flatMap(({ to }) => to)];
}

/** Where the code of one kind may lead; `name` is the timer's. */
export function edgesOf(graph: Graph, status: string, by: string, name?: string): readonly string[] {
  const { step, callbacks = [], timers = [] } = graph[status] ?? {};
  if (by === "timer") return timers.find((timer) => timer.name === name)?.to ?? [];
  return by === "callback" ? callbacks.flat() : step?.to ?? [];
}

/** How many transitions it takes at least from a status to the end of a run; a status that is not there has no way. */
export type Distances = ReadonlyMap<string, number>;

/** How far the statuses of a graph are from its ends. */
export function distancesOf(graph: Graph): Distances {
  const statuses = statusesOf(graph);
  const distances = new Map(
    statuses.filter((each) => leadsTo(graph, each).length === 0).map((each) => [each, 0]),
  );
  for (let found = true; found;) {
    found = false;
    for (const status of statuses) {
      const nearest = Math.min(...leadsTo(graph, status).map((each) => distances.get(each) ?? Infinity)) + 1;
      if (nearest >= (distances.get(status) ?? Infinity)) continue;
      distances.set(status, nearest);
      found = true;
    }
  }
  return distances;
}
