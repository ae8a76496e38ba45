/**
 * The engine: one object with every verb. It owns nothing until it is started or ticked; verbs work either way.
 *
 * @module
 */
import type { Duration } from "../duration.ts";
import { PawlError } from "../errors.ts";
import type { Admin } from "./admin.ts";
import { awaitRun } from "./await_run.ts";
import type { Definition } from "./behaviour.ts";
import type { CallbackResult } from "./callback.ts";
import { checkStatusOf, cutReason } from "./check_input.ts";
import type { DiagramOptions, DrawDiagram } from "./diagram_options.ts";
import { definitionOf, type EngineContext } from "./context.ts";
import { type FeatureCode, featureOf } from "./feature.ts";
import type { Lock, LockPlace, LockVerbs, ReadWriteLock } from "./lock_verbs.ts";
import type { Integration, IntegrationInUse } from "./integration.ts";
import type { Integrations } from "./integrations.ts";
import type { LockShare } from "./lock_wish.ts";
import type { Locks } from "./locks.ts";
import type { ListPage, ListQuery } from "./list.ts";
import type { TimerPage, TimerQuery } from "./list_timers.ts";
import { findRun, type HistoryQuery, operate, readHistory } from "./operate.ts";
import { type RunView, viewAfter, viewOf } from "./run_view.ts";
import type { PreparedTrigger } from "./prepare_trigger.ts";
import type { ScheduleVerbs } from "./schedule_types.ts";
import { callerOf } from "./trace_origin.ts";
import { RunIds, trigger, type Triggered, type TriggerInput } from "./trigger.ts";
import type {
  AwaitOptions,
  CallbackOptions,
  Engine,
  OperateOptions,
  RunOptions,
  SemaphoreOptions,
  TriggerOptions,
  WatchOptions,
} from "./verbs.ts";
import { watchRun } from "./watch_run.ts";
import type { TickOptions, TickReport } from "./ticks.ts";
import { Work } from "./work.ts";
import type { HistoryRow } from "../parts/history.ts";
import { requestDeletion } from "../parts/disposal.ts";
import { cancel, type ChangeOf, pause, resume } from "../parts/run_change.ts";
import type { RunRecord } from "../parts/run_record.ts";
import type { EngineStreams } from "./stream_reading.ts";

/** An engine with the features that its context has. */
export class PawlEngine implements Engine {
  readonly states = () => this.#work.states();
  readonly #context: EngineContext;
  readonly #work: Work;
  readonly #runIds: RunIds;
  #admin: Admin | undefined;
  #schedules: ScheduleVerbs | undefined;
  #locks: LockVerbs | undefined;

  /**
   * @param parts What its parts share.
   */
  constructor(parts: Omit<EngineContext, "engine">) {
    const context: EngineContext & { locks?: Locks; integrations?: Integrations } = {
      ...parts,
      engine: this,
    };
    const { locks, integrations } = parts.features;
    if (integrations) context.integrations = new integrations(context);
    if (locks) context.locks = new locks.Locks(context);
    this.#context = context;
    this.#work = new Work(context);
    context.locks?.bind(this.#work);
    this.#runIds = new RunIds(this.#context);
  }

  get definitions(): ReadonlyMap<string, Definition> {
    return this.#context.definitions;
  }

  get admin(): Admin {
    return this.#admin ??= this.#feature("admin", "ask engine.admin")(this.#context, this.#work);
  }

  get locks(): LockVerbs {
    const { lockVerbs } = this.#feature("locks", "use engine.locks");
    return this.#locks ??= lockVerbs(this.#context, this.#context.locks!, (verb) => this.#work.require(verb));
  }

  mutex(name: string, place: LockPlace = {}): Lock {
    return this.#lock(name, place);
  }

  semaphore(name: string, permits: number, options: SemaphoreOptions = {}): Lock {
    return this.#lock(name, { permits, ...options });
  }

  readWriteLock(name: string, place: LockPlace = {}): ReadWriteLock {
    return {
      read: this.#lock(name, { mode: "read", ...place }),
      write: this.#lock(name, { mode: "write", ...place }),
    };
  }

  #lock(name: string, share: LockShare & LockPlace): Lock {
    const { lockOf } = this.#feature("locks", "use a lock");
    return lockOf(this.#context, this.#context.locks!, name, share, (verb) => this.#work.require(verb));
  }

  get streams(): EngineStreams {
    return this.#work.streams;
  }

  get schedules(): ScheduleVerbs {
    const verbs = () =>
      this.#feature("schedules", "ask engine.schedules").schedulesOf(this.#context, this.#work);
    return this.#schedules ??= verbs();
  }

  get integrations(): readonly IntegrationInUse[] {
    return this.#context.integrations?.all ?? [];
  }

  use(integration: Integration): IntegrationInUse {
    this.#feature("integrations", "use an integration");
    return this.#context.integrations!.use(this.#work, integration);
  }

  start(): Promise<void> {
    return this.#work.start();
  }

  async tick(options: TickOptions = {}): Promise<TickReport> {
    return await this.#work.tick(options);
  }

  async stop(options: { readonly grace?: Duration } = {}): Promise<void> {
    await this.#work.stop(options.grace);
  }

  async trigger<Data, Status extends string, Start extends string>(
    definition: Definition<Data, Status, Start>,
    key: string,
    ...[options]: readonly [options?: TriggerOptions<Data, Start, Status>]
  ): Promise<Triggered> {
    const known = this.#known("trigger", definition);
    return await trigger(
      this.#context,
      this.#work.ownership,
      this.#runIds,
      known,
      key,
      this.#traced(options, this.trigger),
    );
  }

  async prepareTrigger<Data, Status extends string, Start extends string>(
    definition: Definition<Data, Status, Start>,
    key: string,
    ...[options]: readonly [options?: TriggerOptions<Data, Start, Status>]
  ): Promise<PreparedTrigger> {
    const known = this.#known("prepare trigger", definition);
    return await this.#feature("transactions", "prepare trigger")(
      this.#context,
      this.#runIds,
      known,
      key,
      this.#traced(options, this.prepareTrigger),
    );
  }

  #traced(options: TriggerInput = {}, verb: unknown): TriggerInput {
    const { traceOrigin, limits } = this.#context;
    if (!traceOrigin || options.traceOrigin !== undefined) return options;
    return { ...options, traceOrigin: callerOf(verb, limits.traceOriginLengthMax) };
  }

  async await<Data>(
    definition: Definition<Data>,
    key: string,
    options: AwaitOptions<string> = {},
  ): Promise<RunView<Data>> {
    const { name, behaviour } = this.#known("await", definition);
    if (options.status !== undefined) checkStatusOf(name, behaviour.statuses, options.status);
    this.#work.listen();
    const run = { definition: name, key, runId: options.runId };
    const record = await awaitRun(this.#context, this.#work.ownership, run, options);
    return viewOf<Data>(this.#context, record);
  }

  async get<Data>(
    definition: Definition<Data>,
    key: string,
    options: RunOptions = {},
  ): Promise<RunView<Data> | undefined> {
    const { name } = this.#known("get", definition);
    const held = await findRun(this.#context, { definition: name, key, runId: options.runId });
    return held && viewOf<Data>(this.#context, held.record);
  }

  async list(query: ListQuery = {}): Promise<ListPage> {
    this.#work.require("list");
    return await this.#feature("lists", "list").runs(this.#context, query);
  }

  async timers(query: TimerQuery = {}): Promise<TimerPage> {
    this.#work.require("list timers");
    return await this.#feature("lists", "list timers").timers(this.#context, query);
  }

  async history(query: HistoryQuery): Promise<HistoryRow[]> {
    this.#work.require("history");
    return await readHistory(this.#context, query);
  }

  watch(
    definition: Definition,
    key: string,
    options: WatchOptions = {},
  ): AsyncGenerator<HistoryRow, void, undefined> {
    const { name } = this.#known("watch", definition);
    const run = { definition: name, key, runId: options.runId };
    return watchRun(this.#context, run, options, () => this.#work.listen());
  }

  async pause(definition: Definition, key: string, options: OperateOptions = {}): Promise<RunView> {
    const { behaviour } = this.#known("pause", definition);
    return await this.#operate(
      "pause",
      definition,
      key,
      options,
      pause(behaviour, this.#reason(options, "paused by an operator")),
    );
  }

  async resume(definition: Definition, key: string, options: RunOptions = {}): Promise<RunView> {
    const { behaviour } = this.#known("resume", definition);
    return await this.#operate("resume", definition, key, options, resume(behaviour, "operator"));
  }

  async cancel(definition: Definition, key: string, options: OperateOptions = {}): Promise<RunView> {
    const { behaviour } = this.#known("cancel", definition);
    return await this.#operate(
      "cancel",
      definition,
      key,
      options,
      cancel(behaviour, this.#reason(options, "cancelled by an operator")),
    );
  }

  async deleteData(definition: Definition, key: string, options: OperateOptions = {}): Promise<RunView> {
    this.#known("delete data of", definition);
    this.#feature("deletion", "delete data");
    const change = requestDeletion(this.#reason(options, "deletion requested by an operator"));
    return await this.#operate("delete data of", definition, key, options, change);
  }

  async callback(
    definition: Definition,
    key: string,
    status: string,
    ...[payload, options]: readonly [payload?: unknown, options?: CallbackOptions]
  ): Promise<CallbackResult> {
    const known = this.#known("call back", definition);
    const target = { status, payload };
    const callback = this.#feature("callbacks", "call back");
    return await callback(this.#context, this.#work.ownership, known, key, target, options ?? {});
  }

  diagram(definition: Definition, options: DiagramOptions = {}): string {
    const { name, behaviour } = definitionOf(this.#context, definition?.name);
    const draw: DrawDiagram = (...drawn) => this.#feature("diagrams", "draw diagram")(...drawn);
    if (behaviour.diagram) return behaviour.diagram(options, draw);
    throw new PawlError(
      "UNSUPPORTED",
      `Cannot draw diagram of "${name}": its behaviour has no diagram(); draw a machine, or give it one`,
    );
  }

  async #operate(
    verb: string,
    definition: Definition,
    key: string,
    options: RunOptions,
    changeOf: ChangeOf,
  ): Promise<RunView> {
    const name = { definition: definition.name, key, runId: options.runId };
    const record: RunRecord = await operate(this.#context, this.#work.ownership, verb, name, changeOf);
    return viewAfter(this.#context, record);
  }

  #reason(options: OperateOptions, otherwise: string): string {
    return cutReason(options.reason, this.#context.limits.messageLengthMax, otherwise);
  }

  #feature<Name extends keyof FeatureCode>(name: Name, verb: string): FeatureCode[Name] {
    return featureOf(this.#context.features, name, verb);
  }

  #known(verb: string, definition: Definition): Definition {
    this.#work.require(verb);
    return definitionOf(this.#context, definition?.name);
  }
}
