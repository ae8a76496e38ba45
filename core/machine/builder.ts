/**
 * `machine()`: a typed state machine. Statuses are inferred from the steps; a handler can only answer with a status
 * its step lists, checked by the compiler first and by the engine second.
 *
 * @module
 */
import { type Duration, durationMs } from "../duration.ts";
import { checkOptionNames } from "../engine/check_input.ts";
import type { Definition, Transition } from "../engine/behaviour.ts";
import type { ConnectorEvent } from "../engine/connector.ts";
import type { RunView } from "../engine/run_view.ts";
import type { DataRules } from "../engine/data_rules.ts";
import { checkStepOptions, type OptionLayer, type StepOptions, stepPolicy } from "../engine/step_options.ts";
import { PawlError } from "../errors.ts";
import type { HookKind } from "../parts/chore.ts";
import {
  type Callback,
  type DueTime,
  type HookPart,
  machineBehaviour,
  type Step,
  type Timeout,
} from "./behaviour.ts";
import {
  type ConnectorHandler,
  type ConnectorOptions,
  connectorOptions,
  type ConnectorPart,
  connectorPart,
  type ConnectorSource,
} from "./connector.ts";
import { checkConnectorName, checkGraph, checkMachineName, checkStatus } from "./graph.ts";
import { machineData } from "./data.ts";
import type { HookHandler, HookOptions, MachineBuilder, MachineOptions, TimeoutOptions } from "./machine.ts";
import type { TimeoutAt } from "./run.ts";

const optionNames: Readonly<Record<keyof MachineOptions, true>> = {
  pauseRetry: true,
  steps: true,
  schema: true,
  version: true,
  migrate: true,
  keepFinished: true,
  stream: true,
  scrub: true,
};

/** What of the options of a step means something for a timeout, and for a hook. */
const timeoutOptions = [
  "concurrency",
  "rateLimit",
  "pauseAfterErrors",
  "retry",
  "timeout",
  "needs",
  "lagAlert",
];
const hookOptions = timeoutOptions;

/** A hook that hangs would keep its shard from being passed on. */
const hookTimeout = "5m";

/**
 * Begins a state machine.
 *
 * @typeParam Data What a run carries; it must survive JSON. Left out, it is what the schema gives.
 * @param name Unique within a store; the name stored runs are found by.
 * @param options Defaults for its steps and for paused runs.
 * @returns A builder.
 *
 * @example
 * ```ts
 * import { machine } from "pawl";
 * const orders = machine<{ cents: number; receipt?: string }>("orders")
 *   .step("placed", ["paid", "declined"], (run) => {
 *     if (run.data.cents > 100_000) return "declined";
 *     run.data.receipt = `receipt for ${run.stepId}`;
 *     return "paid";
 *   })
 *   .step("paid", ["shipped"], () => "shipped")
 *   .build();
 * console.assert(orders.name === "orders");
 * ```
 */
export function machine<Data = undefined>(
  name: string,
  options: MachineOptions<Data> = {},
): MachineBuilder<Data> {
  checkMachineName(name);
  checkOptionNames(`machine "${name}"`, options, optionNames);
  return new Builder(name, options as MachineOptions<unknown>) as unknown as MachineBuilder<Data>;
}

/** The builder without its types. */
class Builder {
  readonly #name: string;
  readonly #defaults: OptionLayer;
  readonly #data: DataRules;
  readonly #stream: boolean;
  readonly #scrub: MachineOptions<unknown>["scrub"];
  readonly #pauseRetryMs: number | undefined;
  readonly #keepFinishedMs: number | undefined;
  readonly #transitions: Transition[] = [];
  readonly #steps = new Map<string, Step>();
  readonly #callbacks = new Map<string, Callback[]>();
  readonly #timeouts = new Map<string, Timeout[]>();
  readonly #hooks = new Map<HookKind, HookPart[]>();
  readonly #connectors = new Map<string, ConnectorPart>();

  constructor(name: string, options: MachineOptions<unknown>) {
    this.#name = name;
    this.#defaults = { from: `machine("${name}", { steps })`, options: options.steps };
    checkStepOptions(this.#defaults);
    this.#data = machineData(name, options);
    this.#scrub = options.scrub;
    this.#stream = options.stream ?? false;
    const { pauseRetry = "1h", keepFinished } = options;
    this.#pauseRetryMs = pauseRetry === false ? undefined : durationMs(pauseRetry, "pauseRetry");
    this.#keepFinishedMs = keepFinished === undefined ? undefined : durationMs(keepFinished, "keepFinished");
  }

  step(from: string, to: readonly string[], handler: Step["handler"], own?: StepOptions): this {
    if (this.#steps.has(from)) throw this.#refused(`step`, `status "${from}" has one already`);
    this.#edges("step", from, to, handler);
    const options = this.#layer(`step "${from}"`, own);
    this.#steps.set(from, { to: [...new Set(to)], handler, options });
    return this;
  }

  callback(from: string, to: readonly string[], handler: Callback["handler"]): this {
    this.#edges("callback", from, to, handler);
    addTo(this.#callbacks, from, { to: [...to], handler });
    return this;
  }

  timeout(
    from: string,
    to: readonly string[],
    at: TimeoutAt<unknown>,
    handler: Timeout["handler"],
    { name, ...own }: TimeoutOptions = {},
  ): this {
    const known = (this.#timeouts.get(from) ?? []).map((each) => each.name);
    if (name !== undefined && known.includes(name)) {
      throw this.#refused("timeout", `status "${from}" has one named "${name}" already`);
    }
    const due = this.#dueTime(from, at);
    this.#edges("timeout", from, to, handler, labelOf(at));
    const unique = name ?? numbered(to.join(" or ") || "timeout", known);
    const options = this.#layer(`timeout "${unique}" of "${from}"`, own, timeoutOptions);
    addTo(this.#timeouts, from, { name: unique, to: [...to], at: due, handler, options });
    return this;
  }

  connector(
    name: string,
    source: ConnectorSource<ConnectorEvent>,
    handler: ConnectorHandler<unknown, ConnectorEvent>,
    options: ConnectorOptions = {},
  ): this {
    checkConnectorName(this.#name, name);
    if (this.#connectors.has(name)) throw this.#refused("connector", `there is one named "${name}" already`);
    const layer = (own: StepOptions) => this.#layer(`connector "${name}"`, own, connectorOptions);
    this.#connectors.set(name, connectorPart(this.#name, name, { source, handler, options }, layer));
    return this;
  }

  onComplete(handler: HookHandler<unknown>, options?: HookOptions): this {
    return this.#hook("complete", handler, options);
  }
  onPause(handler: HookHandler<unknown>, options?: HookOptions): this {
    return this.#hook("pause", handler, options);
  }
  onResume(handler: HookHandler<unknown>, options?: HookOptions): this {
    return this.#hook("resume", handler, options);
  }
  onCancel(handler: HookHandler<unknown>, options?: HookOptions): this {
    return this.#hook("cancel", handler, options);
  }
  onFail(handler: HookHandler<unknown>, options?: HookOptions): this {
    return this.#hook("fail", handler, options);
  }
  onDelete(handler: HookHandler<unknown>, options?: HookOptions): this {
    return this.#hook("delete", handler, options);
  }

  build(): Definition {
    checkGraph(this.#name, this.#transitions);
    const behaviour = machineBehaviour({
      name: this.#name,
      layers: [this.#defaults],
      transitions: [...this.#transitions],
      steps: new Map(this.#steps),
      callbacks: new Map(this.#callbacks),
      timeouts: new Map(this.#timeouts),
      hooks: new Map(this.#hooks),
      connectors: [...this.#connectors.values()],
      data: this.#data,
      pauseRetryMs: this.#pauseRetryMs,
      keepFinishedMs: this.#keepFinishedMs,
      scrub: this.#scrub,
      stream: this.#stream,
    });
    return { name: this.#name, behaviour };
  }

  #hook(kind: HookKind, handler: HookHandler<unknown>, { name, ...own }: HookOptions = {}): this {
    const known = (this.#hooks.get(kind) ?? []).map((each) => each.name);
    const what = `${kind} hook`;
    if (typeof handler !== "function") throw this.#refused(what, "its handler is no function");
    if (name !== undefined && known.includes(name)) throw this.#refused(what, `there is one named "${name}"`);
    const { parkAfterErrors = 10, timeout = hookTimeout, ...rest } = own;
    const unique = name ?? numbered(String(known.length + 1), known);
    const options = this.#layer(what, { ...rest, timeout, pauseAfterErrors: parkAfterErrors }, hookOptions);
    const run = (view: RunView, signal: AbortSignal) => handler(view, { signal });
    addTo(this.#hooks, kind, { name: unique, options, run });
    return this;
  }

  #edges(
    by: Transition["by"],
    from: string,
    to: readonly string[],
    handler: unknown,
    label?: string,
  ): void {
    checkStatus(this.#name, from);
    to.forEach((each) => checkStatus(this.#name, each));
    if (typeof handler !== "function") throw this.#refused(`${by} "${from}"`, "its handler is no function");
    this.#transitions.push({ from, to: [...new Set(to)], by, ...(label !== undefined && { label }) });
  }

  #dueTime(from: string, at: TimeoutAt<unknown>): DueTime {
    if (typeof at === "function") return at;
    const { after, at: date } = Object(at) as { after?: Duration; at?: unknown };
    if (after !== undefined) return { afterMs: durationMs(after, `after of a timeout of "${from}"`) };
    if (date instanceof Date && !Number.isNaN(date.getTime())) return { atMs: date.getTime() };
    throw this.#refused(
      "timeout",
      `its time at "${from}" is none; give { after }, { at: Date } or a function`,
    );
  }

  /** Options are read once here, so that what is wrong with them is said where they are written. */
  #layer(what: string, options: StepOptions | undefined, usable?: readonly string[]): OptionLayer {
    const layer = { from: `${what} of "${this.#name}"`, options };
    checkStepOptions(layer, usable);
    stepPolicy(layer.from, [this.#defaults, layer]);
    return layer;
  }

  #refused(what: string, why: string): PawlError {
    return new PawlError("INVALID_GRAPH", `Cannot add ${what} to "${this.#name}": ${why}`);
  }
}

function addTo<Key, Item>(map: Map<Key, Item[]>, key: Key, item: Item): void {
  map.set(key, [...map.get(key) ?? [], item]);
}

/** What a diagram says of a timeout whose time is always the same. */
function labelOf(at: TimeoutAt<unknown>): string | undefined {
  if (typeof at === "function" || !("after" in at)) return undefined;
  return typeof at.after === "number" ? `after ${at.after} ms` : `after ${at.after}`;
}

/** The name, or the name with the first number that makes it new. */
function numbered(name: string, known: readonly string[]): string {
  if (!known.includes(name)) return name;
  let number = 2;
  while (known.includes(`${name} ${number}`)) number++;
  return `${name} ${number}`;
}
