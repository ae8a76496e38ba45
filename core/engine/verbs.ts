/**
 * The verbs of an engine: what they take, give and throw.
 *
 * @module
 */
import type { Duration } from "../duration.ts";
import type { HistoryRow } from "../parts/history.ts";
import type { EngineStreams } from "./stream_reading.ts";
import type { Admin } from "./admin.ts";
import type { Definition } from "./behaviour.ts";
import type { CallbackResult } from "./callback.ts";
import type { DiagramOptions } from "./diagram_options.ts";
import type { Integration, IntegrationInUse } from "./integration.ts";
import type { Lock, LockPlace, LockVerbs, ReadWriteLock } from "./lock_verbs.ts";
import type { ListPage, ListQuery } from "./list.ts";
import type { TimerPage, TimerQuery } from "./list_timers.ts";
import type { ProcessState } from "./metrics.ts";
import type { HistoryQuery } from "./operate.ts";
import type { PolicyOverride } from "./policy_override.ts";
import type { PreparedTrigger } from "./prepare_trigger.ts";
import type { RunView } from "./run_view.ts";
import type { ScheduleVerbs } from "./schedule_types.ts";
import type { Triggered } from "./trigger.ts";
import type { TickOptions, TickReport } from "./ticks.ts";

/** What `trigger` takes. `data` may be left out only where the definition's data may be `undefined`. */
export type TriggerOptions<Data, Start extends string, Status extends string = string> =
  & {
    /** Where to start; default: the definition's first status. */
    readonly startAt?: Start;
    /** Makes the call safe to repeat: same key and input give the same run, even after it ended. */
    readonly idempotencyKey?: string;
    /** Where the run comes from, for whoever looks at it later; cut to `limits.traceOriginLengthMax`. */
    readonly traceOrigin?: string;
    /** Goes over the policies of the run's steps, for as long as it lives, where its integration allows that. */
    readonly policy?: PolicyOverride<Status>;
  }
  & (undefined extends Data ? { readonly data?: Data } : { readonly data: Data });

/** Which run of a key. */
export interface RunOptions {
  /** This run, not the latest of the key. Webhooks and operators' tools always give it. */
  readonly runId?: string;
}

/** What operators' verbs take. */
export interface OperateOptions extends RunOptions {
  /** Why; kept on the run and in its history. */
  readonly reason?: string;
}

/** What `callback` takes. */
export interface CallbackOptions extends RunOptions {
  /** Makes the call safe to repeat once it was applied: same key and input give the same answer. */
  readonly idempotencyKey?: string;
  /** Ends the call before it is committed, by rejecting with its reason; the callbacks see it as `run.signal`. */
  readonly signal?: AbortSignal;
}

/** What `await` takes. */
export interface AwaitOptions<Status extends string> extends RunOptions {
  /** Met when the run is, or has been, at this status. Without it: when the run has ended in any way. */
  readonly status?: Status;
  /** Ends the wait by rejecting with its reason. */
  readonly signal?: AbortSignal;
  /** Ends the wait with `AWAIT_TIMEOUT`. */
  readonly timeout?: Duration;
}

/** What `watch` takes. */
export interface WatchOptions extends RunOptions {
  /** Only rows after this position: where an earlier watch was left. */
  readonly after?: number;
  /** Ends the watch by throwing its reason. */
  readonly signal?: AbortSignal;
}

/** How a semaphore is used. */
export interface SemaphoreOptions extends LockPlace {
  /** How many of its permits a hold takes; default 1. */
  readonly weight?: number;
}

/** A durable workflow engine on one store. */
export interface Engine {
  /** What it carries, by name. */
  readonly definitions: ReadonlyMap<string, Definition>;
  /**
   * Takes an integration with its definitions, before the engine works. Its `init` runs as the engine starts.
   *
   * @param integration What `integration()` gave.
   * @returns The integration as this engine uses it, which can be asked whether it is ready.
   * @throws {PawlError} `INVALID_ARGUMENT` once the engine has begun to work, for a name that is taken, or a definition that
   * it carries already; `UNSUPPORTED`.
   */
  use(integration: Integration): IntegrationInUse;
  /** The integrations in use, in their order. */
  readonly integrations: readonly IntegrationInUse[];
  /**
   * Owns shards and works in the background until {@linkcode Engine.stop}. Resolves once started.
   *
   * @throws {PawlError} `INTEGRATION_FAILED` when an integration's `init` does; nothing was started.
   */
  start(): Promise<void>;
  /**
   * Works off what is due within the budget (default 5,000 ms), then gives everything back: for cron and serverless. Any
   * number of ticks may go on at once; they share what they own.
   *
   * @param options `budgetMs`: how long steps may be started.
   * @returns How much was done, what other engines hold, and when there is something to do next.
   */
  tick(options?: TickOptions): Promise<TickReport>;
  /**
   * Lets running steps land (at most `grace`, default 5 s), then tells them to stop and releases all shards.
   *
   * @param options `grace`: how long steps may still land.
   * @throws {PawlError} `INTEGRATION_FAILED` when an integration's `close` does; the engine is stopped all the same.
   */
  stop(options?: { readonly grace?: Duration }): Promise<void>;
  /**
   * Creates a run, unless the key has an unfinished one: one atomic write, durable when this resolves.
   *
   * @param definition The machine.
   * @param key Whose run it is: a key has one unfinished run at most.
   * @param options `data`, `startAt`, `idempotencyKey`, `traceOrigin`, `policy`. Needed unless data may be `undefined`.
   * @returns The run's id, and whether this call made it, or an earlier one with the same `idempotencyKey`.
   * @throws {RunInProgressError} When the key has an unfinished run.
   * @throws {InvalidDataError} When the definition's schema refuses the data.
   * @throws {PawlError} `UNKNOWN_DEFINITION`, `UNKNOWN_STATUS`, `INVALID_ARGUMENT`, `NOT_JSON`, `PAYLOAD_TOO_LARGE`,
   * `SCHEMA_FAILED`, `POLICY_NOT_ALLOWED` or `IDEMPOTENCY_MISMATCH`; nothing was written.
   *
   * @example
   * ```ts
   * import assert from "node:assert/strict";
   * import { createEngine, machine } from "pawl";
   * import { memoryStore } from "pawl/adapters/memory";
   * const orders = machine<{ cents: number }>("orders").step("placed", ["paid"], () => "paid").build();
   * const engine = createEngine({ store: memoryStore(), definitions: [orders] });
   * const { runId } = await engine.trigger(orders, "order-1", { data: { cents: 100 }, idempotencyKey: "click-7" });
   * const again = await engine.trigger(orders, "order-1", { data: { cents: 100 }, idempotencyKey: "click-7" });
   * assert.equal(again.runId, runId);
   * ```
   */
  trigger<Data, Status extends string, Start extends string>(
    definition: Definition<Data, Status, Start>,
    key: string,
    ...options: undefined extends Data
      ? [options?: TriggerOptions<NoInfer<Data>, NoInfer<Start>, NoInfer<Status>>]
      : [options: TriggerOptions<NoInfer<Data>, NoInfer<Start>, NoInfer<Status>>]
  ): Promise<Triggered>;
  /**
   * Checks all that {@linkcode Engine.trigger} checks, and gives statements that create the run when you commit them
   * in a transaction of your own, with rows of your own: all of it happens, or nothing. Needs a libSQL store.
   *
   * @param definition The machine.
   * @param key Whose run it is.
   * @param options As for `trigger`.
   * @returns The run's id, and the statements.
   * @throws {RunInProgressError} When the key has an unfinished run.
   * @throws {PawlError} What `trigger` throws, or `UNSUPPORTED` by a store without SQL; nothing was written.
   */
  prepareTrigger<Data, Status extends string, Start extends string>(
    definition: Definition<Data, Status, Start>,
    key: string,
    ...options: undefined extends Data
      ? [options?: TriggerOptions<NoInfer<Data>, NoInfer<Start>, NoInfer<Status>>]
      : [options: TriggerOptions<NoInfer<Data>, NoInfer<Start>, NoInfer<Status>>]
  ): Promise<PreparedTrigger>;
  /**
   * Waits until the run is or has been at a status, or has ended; binds to the latest run of the key at the call.
   *
   * @param definition The machine.
   * @param key The run's key.
   * @param options `status`, `runId`, `timeout`, `signal`.
   * @returns The run as it is now, which may be past the status.
   * @throws {RunEndedError} When it ended without reaching the status.
   * @throws {PawlError} `RUN_NOT_FOUND`, `AWAIT_TIMEOUT`, `ENGINE_STOPPED`; or the signal's reason.
   */
  await<Data, Status extends string, Start extends string>(
    definition: Definition<Data, Status, Start>,
    key: string,
    options?: AwaitOptions<NoInfer<Status>>,
  ): Promise<RunView<Data>>;
  /**
   * The latest run of a key, or the given one.
   *
   * @param definition The machine.
   * @param key The run's key.
   * @param options `runId`.
   * @returns The run; `undefined` when there is none.
   */
  get<Data, Status extends string, Start extends string>(
    definition: Definition<Data, Status, Start>,
    key: string,
    options?: RunOptions,
  ): Promise<RunView<Data> | undefined>;
  /**
   * One page of the runs that match.
   *
   * @param query Definition, state, key, status, page size, and the cursor of the page before.
   * @returns The runs, and the cursor of the next page if there is one.
   *
   * @example
   * ```ts
   * import assert from "node:assert/strict";
   * import { createEngine, machine } from "pawl";
   * import { memoryStore } from "pawl/adapters/memory";
   * const job = machine("job").step("new", ["done"], () => "done").build();
   * const engine = createEngine({ store: memoryStore(), definitions: [job] });
   * await engine.trigger(job, "k");
   * const { items } = await engine.list({ definition: "job" });
   * assert.deepEqual(items.map((run) => run.key), ["k"]);
   * ```
   */
  list(query?: ListQuery): Promise<ListPage>;
  /**
   * One page of the timers that runs wait for.
   *
   * @param query Definition, status, page size, and the cursor of the page before.
   * @returns The timers, and the cursor of the next page if there is one.
   */
  timers(query?: TimerQuery): Promise<TimerPage>;
  /**
   * What happened to a run.
   *
   * @param query `runId`, and how much of it.
   * @returns Rows, oldest first.
   */
  history(query: HistoryQuery): Promise<HistoryRow[]>;
  /**
   * What happens to a run, as it happens: its history so far, then each row as it is written, by whichever engine. It ends
   * when the run has. Rows wait in the store until they are asked for, so a slow reader costs no memory and misses nothing.
   *
   * @param definition The definition.
   * @param key The run's key; without `runId` it is the latest run of the key at the first row.
   * @param options `runId`, `after`, `signal`.
   * @returns The rows.
   * @throws {PawlError} `RUN_NOT_FOUND`, also when it is removed meanwhile; `ENGINE_STOPPED`; or the signal's reason.
   */
  watch(definition: Definition, key: string, options?: WatchOptions): AsyncIterable<HistoryRow>;
  /**
   * Stops a run between steps. A step that is running may still land; the run then stays paused at the next status.
   *
   * @param definition The machine.
   * @param key The run's key.
   * @param options `runId`, `reason`.
   * @returns The run as it is after that.
   * @throws {RunStateError} When the run is not initiated or running.
   */
  pause(definition: Definition, key: string, options?: OperateOptions): Promise<RunView>;
  /**
   * Lets a paused run go on.
   *
   * @param definition The machine.
   * @param key The run's key.
   * @param options `runId`.
   * @returns The run as it is after that.
   * @throws {RunStateError} When it is not paused.
   */
  resume(definition: Definition, key: string, options?: RunOptions): Promise<RunView>;
  /**
   * Ends a run where it is; a step that is still running is discarded.
   *
   * @param definition The machine.
   * @param key The run's key.
   * @param options `runId`, `reason`.
   * @returns The run as it is after that.
   * @throws {RunStateError} When it has ended.
   */
  cancel(definition: Definition, key: string, options?: OperateOptions): Promise<RunView>;
  /** Events in the engine's own store: topics of your own, and those of the definitions with `stream: true`. */
  readonly streams: EngineStreams;
  /**
   * Erases the data of a finished run: from its record, history and hooks, by the engine that owns it. The run is
   * `deletion-requested` until that is done, then `deleted`.
   *
   * @param definition The machine.
   * @param key The run's key.
   * @param options `runId`, `reason`.
   * @returns The run as it is after that.
   * @throws {RunStateError} When the run has not ended; cancel it first.
   */
  deleteData(definition: Definition, key: string, options?: OperateOptions): Promise<RunView>;
  /**
   * Hands a payload to a run that waits at a status: runs the status's callbacks here and now, and commits what they
   * answer before it resolves.
   *
   * @param definition The machine.
   * @param key The run's key.
   * @param status The status it must be at.
   * @param payload What the callbacks get; must survive JSON.
   * @param options `runId`, `idempotencyKey`, `signal`.
   * @returns What happened: `applied: false`, with the reason, when the run is elsewhere, stopped or finished.
   * @throws {PawlError} `NO_CALLBACK` when the status has none, `UNKNOWN_STATUS`, `RUN_NOT_FOUND`,
   * `IDEMPOTENCY_MISMATCH`; or what a callback throws: then nothing was written.
   *
   * @example
   * ```ts
   * import assert from "node:assert/strict";
   * import { createEngine, machine } from "pawl";
   * import { memoryStore } from "pawl/adapters/memory";
   * const bills = machine<{ by?: string }>("bills")
   *   .callback("sent", ["paid"], (run, by: string) => {
   *     run.data.by = by;
   *     return "paid";
   *   })
   *   .build();
   * const engine = createEngine({ store: memoryStore(), definitions: [bills] });
   * const { runId } = await engine.trigger(bills, "b-1", { data: {} });
   * const { applied, status } = await engine.callback(bills, "b-1", "sent", "Ann", { runId });
   * assert.deepEqual([applied, status], [true, "paid"]);
   * ```
   */
  callback<
    Data,
    Status extends string,
    Start extends string,
    Payloads,
    const At extends keyof Payloads & string,
  >(
    definition: Definition<Data, Status, Start, Payloads>,
    key: string,
    status: At,
    ...payload: undefined extends Payloads[At] ? [payload?: Payloads[At], options?: CallbackOptions]
      : [payload: Payloads[At], options?: CallbackOptions]
  ): Promise<CallbackResult>;
  /**
   * Draws a definition as Mermaid text (`stateDiagram-v2`). It needs no store, and works on a stopped engine too.
   *
   * @param definition The machine.
   * @param options `direction`.
   * @returns Mermaid text.
   * @throws {PawlError} `UNKNOWN_DEFINITION`, `INVALID_ARGUMENT` for a direction that is none, or `UNSUPPORTED` by a
   * definition that has no graph.
   */
  diagram(definition: Definition, options?: DiagramOptions): string;
  /**
   * A lock for code outside of runs; a step has its option `lock`. Nothing happens until it is acquired.
   *
   * @param name Its name.
   * @param place `namespace`.
   * @returns The lock.
   * @throws {PawlError} `INVALID_ARGUMENT`.
   */
  mutex(name: string, place?: LockPlace): Lock;
  /**
   * A lock of so many permits from its next request on: with fewer than are taken, none is granted until enough are back.
   *
   * @param name Its name.
   * @param permits How many there are.
   * @param options `namespace`, and `weight`: how many of the permits a hold takes.
   * @returns The lock.
   * @throws {PawlError} `INVALID_ARGUMENT`.
   */
  semaphore(name: string, permits: number, options?: SemaphoreOptions): Lock;
  /**
   * A lock that readers share.
   *
   * @param name Its name.
   * @param place `namespace`.
   * @returns Its two sides, to read and to write.
   * @throws {PawlError} `INVALID_ARGUMENT`.
   */
  readWriteLock(name: string, place?: LockPlace): ReadWriteLock;
  /** Several locks at once, and what operators need. */
  readonly locks: LockVerbs;
  /** What each process of this engine is doing, by its name, such as `orders-paid-consumer-1-of-1`. */
  states(): Readonly<Record<string, ProcessState>>;
  /** What starts runs again and again: see {@linkcode ScheduleVerbs}. */
  readonly schedules: ScheduleVerbs;
  /** For operators. */
  readonly admin: Admin;
}
