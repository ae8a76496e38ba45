import { PawlError } from "../errors.ts";
import { backoffMs } from "../parts/landing.ts";
import { sleep } from "../ports/clock.ts";
import { Activity, type Doing } from "./activity.ts";
import { AttemptSignal } from "./attempt_call.ts";
import {
  type Connector,
  type ConnectorDelivery,
  type ConnectorEvent,
  connectorShardOf,
} from "./connector.ts";
import type { EngineContext } from "./context.ts";
import { boundsOf } from "./lane.ts";
import type { Ready, RunSource } from "./dispatcher.ts";
import type { ProcessMeter } from "./metrics.ts";
import { OpenSource } from "./open_source.ts";
import type { ShardOwnerOptions } from "./owner_options.ts";
import { connectorProcess } from "./process_names.ts";
import type { ShardOwner } from "./shard_owner.ts";
import { runError, withTimeout } from "./step_runner.ts";

/** A source that ends or fails at once is not opened again at once, whatever its options say. */
const reopenMsMin = 100;

/** What an attempt came to; nothing when its event is done and acked, or its owner has ended. */
type Outcome = { readonly failed: unknown } | { readonly notAcked: unknown } | undefined;

/** An event that is to be handled now. */
interface Turn {
  readonly delivery: ConnectorDelivery;
  readonly attempt: number;
  readonly settle: (outcome: Outcome) => void;
}

/**
 * One shard of a connector: handles its events strictly one after another, each until it is done. It shares the
 * dispatcher with the runs, so the engine's bound, its stop and its ticks hold for handlers as they do for steps.
 */
export class ConnectorShard implements RunSource {
  /** Scopes the bounds of connectors. */
  readonly name: string;
  readonly #owner: ShardOwner;
  readonly #options: ShardOwnerOptions;
  readonly #context: EngineContext;
  readonly #connector: Connector;
  readonly #index: number;
  /** Its name in metrics, and that of its cursor. */
  readonly #process: string;
  readonly #meter: ProcessMeter | undefined;
  /** Whether it is at rest, for ticks. */
  readonly activity: Activity;
  #source: OpenSource | undefined;
  #turn: Turn | undefined;
  /** Whether the turn is with the dispatcher: to start, or started. */
  #turnState: "idle" | "queued" | "running" = "idle";
  #attempt: AttemptSignal | undefined;
  /** Openings of the source in a row that led to no ack. */
  #failures = 0;
  /** The event that was handled but could not be acked: given again, it only has to be acked. */
  #handled: string | undefined;

  /**
   * @param owner Whose.
   * @param options The owner's.
   * @param connector Which connector.
   * @param index Which of its shards, from 0.
   */
  constructor(owner: ShardOwner, options: ShardOwnerOptions, connector: Connector, index: number) {
    this.#owner = owner;
    this.#options = options;
    this.#context = options.context;
    this.#connector = connector;
    this.#index = index;
    this.#process = connectorProcess(connector.name, owner.name, index + 1, connector.shards);
    this.#meter = options.context.metrics?.process(owner.name, this.#process);
    this.activity = new Activity(options.context.clock, connector.quietMs);
    this.name = `${owner.name} connectors`;
  }

  /** Receives and handles until {@linkcode end}; whatever fails is tried again. */
  async begin(): Promise<void> {
    while (!this.#owner.over) {
      const ms = await this.#receive();
      if (this.#owner.over) break;
      if (ms === undefined) return this.#enter({ kind: "over" });
      // A source that has ended may have no more for a long time, so nobody has to wake up for it.
      await this.#wait(Math.max(reopenMsMin, ms), this.#failures > 0);
    }
  }

  /** Closes the source, and tells a handler that runs. */
  end(reason: unknown): void {
    this.#source?.close();
    this.#options.dispatcher.leave(this);
    this.#attempt?.abort(reason);
    this.#enter({ kind: "over" });
  }

  /** An event that was held back while its owner was to be passed on. */
  wake(): void {
    if (this.#turn && this.#turnState === "idle") this.#queue();
  }

  /** When it goes on, as far as it knows. */
  get nextDue(): number | undefined {
    if (!this.#turn || this.#turnState === "running") return this.activity.nextDue;
    return this.#options.dispatcher.nextDue(this, 1);
  }

  /** @inheritdoc */
  prepare(): Ready | undefined {
    if (this.#owner.over || this.#owner.resting) {
      this.#turnState = "idle";
      return undefined;
    }
    const { name, policy } = this.#connector;
    return { status: `connector ${name}`, ...boundsOf(policy) };
  }

  /** @inheritdoc */
  async run(): Promise<void> {
    const turn = this.#turn!;
    this.#turnState = "running";
    await this.#owner.attend(this.#runTurn(turn).then(turn.settle));
  }

  /**
   * Opens the source and takes what it gives.
   *
   * @returns How long to wait before it is opened again; `undefined`: it has come to its end.
   */
  async #receive(): Promise<number | undefined> {
    const source = new OpenSource(this.#context.clock, this.#connector.acksCover);
    this.#source = source;
    try {
      await source.open((signal) => this.#open(signal));
      for (let delivery = await this.#next(source); delivery; delivery = await this.#next(source)) {
        await this.#take(source, delivery);
      }
      this.#failures = 0;
      if (this.#connector.isFinite) return undefined;
    } catch (error) {
      this.#log("The source of a connector failed; it is opened again", error, ++this.#failures);
    } finally {
      source.close();
    }
    return this.#backoffMs(Math.max(1, this.#failures));
  }

  #backoffMs(failures: number): number {
    return backoffMs(this.#connector.policy, failures, this.#context.random.float());
  }

  #open(signal: AbortSignal) {
    const { shards } = this.#connector;
    const receiver = { name: this.#process, shard: this.#index, shards, signal };
    return this.#connector.open(receiver, this.#context.engine);
  }

  async #next(source: OpenSource): Promise<ConnectorDelivery | undefined> {
    this.#enter({ kind: "asking", since: this.#context.clock.monotonic() });
    const delivery = await source.next();
    this.#enter({ kind: "working" });
    return delivery;
  }

  async #take(source: OpenSource, delivery: ConnectorDelivery): Promise<void> {
    const event = checkedEvent(delivery);
    if (connectorShardOf(event, this.#connector.shards) !== this.#index) {
      this.#meter?.skipped("filtered out");
      return await source.skip(delivery);
    }
    if (event.id === this.#handled) return await this.#ack(source, delivery);
    await this.#ripen(event);
    for (let attempt = 1; !source.isClosed; attempt++) {
      const outcome = await this.#try(delivery, attempt);
      if (!outcome) return;
      if ("notAcked" in outcome) throw outcome.notAcked;
      this.#log("A connector's handler failed; it is tried again", outcome.failed, attempt, event);
      await this.#wait(this.#backoffMs(attempt));
    }
  }

  /** Waits until an event is old enough. One that comes from the future waits for no longer than the lag. */
  async #ripen({ at }: ConnectorEvent): Promise<void> {
    const { lagMs } = this.#connector.policy;
    if (lagMs === 0 || at === undefined) return;
    const age = Math.max(0, this.#context.clock.now() - Number(at));
    if (age < lagMs) await this.#wait(lagMs - age);
  }

  /** Asks the dispatcher for a turn, and waits for what comes of it. */
  #try(delivery: ConnectorDelivery, attempt: number): Promise<Outcome> {
    if (this.#owner.over) return Promise.resolve(undefined);
    return new Promise<Outcome>((settle) => {
      this.#turn = { delivery, attempt, settle };
      this.#queue();
    }).finally(() => {
      this.#turn = undefined;
      this.#turnState = "idle";
    });
  }

  #queue(): void {
    this.#turnState = "queued";
    this.#options.dispatcher.ready(this, this.#turn!.delivery.event.id);
  }

  /** The ack belongs to the turn: whoever waits for what runs waits for it too. */
  async #runTurn({ delivery, attempt }: Turn): Promise<Outcome> {
    const { event } = delivery;
    const { clock } = this.#context;
    const startedAt = clock.monotonic();
    if (attempt === 1 && event.at !== undefined) {
      const { lagMs, lagAlertMs } = this.#connector.policy;
      this.#meter?.started(clock.now() - Number(event.at) - lagMs, lagAlertMs);
    }
    try {
      await this.#handle(event, attempt);
    } catch (error) {
      this.#meter?.failed();
      if (!await this.#park(event, attempt, error)) return { failed: error };
    }
    try {
      this.#handled = event.id;
      await this.#ack(this.#source!, delivery);
      this.#meter?.done(clock.monotonic() - startedAt);
      return undefined;
    } catch (error) {
      return { notAcked: error };
    }
  }

  async #handle(event: ConnectorEvent, attempt: number): Promise<void> {
    const end = new AttemptSignal();
    this.#attempt = end;
    try {
      const { engine } = this.#context;
      const { timeoutMs } = this.#connector.policy;
      const call = { engine, definition: this.#owner.definition, attempt, signal: end.signal };
      const result = Promise.resolve(this.#connector.handle(call, event));
      await (timeoutMs > 0 ? withTimeout(this.#context, result, timeoutMs, end) : result);
    } finally {
      this.#attempt = undefined;
    }
  }

  /** @returns Whether the event has been put aside. */
  async #park(event: ConnectorEvent, attempt: number, error: unknown): Promise<boolean> {
    const { name, policy } = this.#connector;
    if (policy.pauseAfterErrors === 0 || attempt < policy.pauseAfterErrors || this.#owner.over) return false;
    const { limits, engine } = this.#context;
    try {
      const { id, key = id } = event;
      const failure = runError(error, limits.messageLengthMax);
      const about = { definition: this.#owner.name, connector: name, attempts: attempt, error: failure };
      await this.#connector.park(
        { id, key, type: "parked", data: { ...about, event: asJson(event) } },
        engine,
      );
    } catch (notParked) {
      this.#log("Cannot park an event of a connector", notParked, attempt, event);
      return false;
    }
    this.#log("An event of a connector is parked", error, attempt, event);
    return true;
  }

  async #ack(source: OpenSource, delivery: ConnectorDelivery): Promise<void> {
    await source.ack(delivery);
    this.#handled = undefined;
    this.#failures = 0;
  }

  async #wait(ms: number, isDue = true): Promise<void> {
    this.#enter({ kind: "waiting", until: this.#context.clock.now() + ms, isDue });
    await sleep(this.#context.clock, ms, this.#owner.ended).catch(() => {});
    this.#enter({ kind: "working" });
  }

  #enter(doing: Doing): void {
    this.activity.enter(this.#owner.over ? { kind: "over" } : doing);
  }

  /** What a handler's error says may be user data, and stays out of the log; what a source says is for operators. */
  #log(message: string, error: unknown, attempt: number, event?: ConnectorEvent): void {
    if (this.#owner.over) return;
    const failure = runError(error, this.#context.limits.messageLengthMax);
    this.#context.logger.log("warn", message, {
      definition: this.#owner.name,
      connector: this.#connector.name,
      shard: this.#index,
      ...(event && { eventId: event.id }),
      attempt,
      error: event ? failure.name : `${failure.name}: ${failure.message}`,
      code: failure.code,
    });
  }
}

/** What JSON keeps of an event: a time becomes text. */
function asJson(event: ConnectorEvent): unknown {
  return JSON.parse(JSON.stringify(event));
}

function checkedEvent(delivery: ConnectorDelivery): ConnectorEvent {
  const { id, key } = Object(delivery?.event) as { id?: unknown; key?: unknown };
  if (typeof id === "string" && (key === undefined || typeof key === "string")) return delivery.event;
  throw new PawlError(
    "INVALID_ARGUMENT",
    `Cannot handle event: got id ${String(id)} and key ${
      String(key)
    }, want { event: { id, key? }, ack } with texts`,
  );
}
