/**
 * Connectors of a machine: what they may be given, and the face of the engine that their handlers get.
 *
 * @module
 */
import { type Duration, durationMs } from "../duration.ts";
import type { Definition } from "../engine/behaviour.ts";
import type { CallbackResult } from "../engine/callback.ts";
import type {
  Connector,
  ConnectorCall,
  ConnectorDelivery,
  ConnectorEvent,
  ConnectorReceiver,
} from "../engine/connector.ts";
import type {
  AwaitOptions,
  CallbackOptions,
  Engine,
  OperateOptions,
  RunOptions,
  TriggerOptions,
} from "../engine/verbs.ts";
import type { RunView } from "../engine/run_view.ts";
import type { OptionLayer, StepOptions } from "../engine/step_options.ts";
import type { Triggered } from "../engine/trigger.ts";
import { PawlError } from "../errors.ts";
import type { EventStreamer } from "../ports/event_streamer.ts";

/** A topic of a streamer. */
export interface TopicSource {
  /** The topic. */
  readonly stream: string;
  /** Where it is; default: `engine.streams`. */
  readonly streamer?: EventStreamer;
  /** Where the connector begins at its first start: with the oldest event that is kept (default), or with new ones. */
  readonly from?: "start" | "latest";
}

/**
 * Where the events of a connector come from: a topic; a function that opens a receiver for a shard, again whenever one
 * has ended; or deliveries themselves, which live as long as their process and cannot be shared by shards.
 */
export type ConnectorSource<Event extends ConnectorEvent> =
  | TopicSource
  | ((
    receiver: ConnectorReceiver,
  ) => AsyncIterable<ConnectorDelivery<Event>> | Promise<AsyncIterable<ConnectorDelivery<Event>>>)
  | AsyncIterable<ConnectorDelivery<Event>>;

/** Options of a connector. */
export interface ConnectorOptions
  extends Pick<StepOptions, "lag" | "lagAlert" | "rateLimit" | "retry" | "timeout"> {
  /** Receivers that share its events by their keys, over the engines that own shards of the store; default 1. */
  readonly shards?: number;
  /**
   * Failed attempts after which an event is sent to `parkTo` and passed over; default 0: never, it is tried until it is
   * done, and holds up what comes behind it in its shard.
   */
  readonly parkAfterErrors?: number;
  /** Where parked events go; default: the topic `parked.MACHINE.NAME` of the source's streamer. */
  readonly parkTo?: Pick<TopicSource, "stream" | "streamer">;
  /** A source that ends is done with, and not opened again; default false. */
  readonly finite?: boolean;
  /** How long the source must be silent within `engine.tick()` to be taken for empty; default 500 ms. */
  readonly quiet?: Duration;
}

/**
 * User code of a connector: hands an event to the runs of its machine. It is run at least once for each event, so give
 * `idempotencyKey: event.id` to the verbs. Throwing is a failed attempt: the event is tried again.
 */
export type ConnectorHandler<Api, Event> = (api: Api, event: Event) => unknown;

/** The engine as the handler of a connector sees it: its verbs, bound to the connector's machine. */
export interface ConnectorApi<Data, Status extends string, Start extends string, Payloads> {
  /** The whole engine, for runs of other machines. */
  readonly engine: Engine;
  /** 1 for the first attempt since this engine has been given the event. */
  readonly attempt: number;
  /** Aborted when the attempt times out, the engine stops, or its lease is lost. */
  readonly signal: AbortSignal;
  /** {@linkcode Engine.trigger} of the machine. */
  trigger(
    key: string,
    ...options: undefined extends Data ? [options?: TriggerOptions<Data, Start>]
      : [options: TriggerOptions<Data, Start>]
  ): Promise<Triggered>;
  /** {@linkcode Engine.callback} of the machine; it ends with the attempt. */
  callback<const At extends keyof Payloads & string>(
    key: string,
    status: At,
    ...payload: undefined extends Payloads[At] ? [payload?: Payloads[At], options?: CallbackOptions]
      : [payload: Payloads[At], options?: CallbackOptions]
  ): Promise<CallbackResult>;
  /** {@linkcode Engine.await} of the machine; it ends with the attempt. The connector's shard waits too. */
  await(key: string, options?: AwaitOptions<Status>): Promise<RunView<Data>>;
  /** {@linkcode Engine.get} of the machine. */
  get(key: string, options?: RunOptions): Promise<RunView<Data> | undefined>;
  /** {@linkcode Engine.pause} of the machine. */
  pause(key: string, options?: OperateOptions): Promise<RunView>;
  /** {@linkcode Engine.resume} of the machine. */
  resume(key: string, options?: RunOptions): Promise<RunView>;
  /** {@linkcode Engine.cancel} of the machine. */
  cancel(key: string, options?: OperateOptions): Promise<RunView>;
  /** {@linkcode Engine.deleteData} of the machine. */
  deleteData(key: string, options?: OperateOptions): Promise<RunView>;
}

type AnyPayloads = Readonly<Record<string, unknown>>;

/** The face of the engine for one call; its types are the builder's affair. */
function connectorApi({ engine, definition, attempt, signal }: ConnectorCall): unknown {
  const named = definition as Definition<unknown, string, string, AnyPayloads>;
  const api: ConnectorApi<unknown, string, string, AnyPayloads> = {
    engine,
    attempt,
    signal,
    trigger: (key, options) => engine.trigger(definition, key, options),
    callback: (key, status, payload, options) =>
      engine.callback(named, key, status, payload, { signal, ...options }),
    await: (key, options) => engine.await(definition, key, { signal, ...options }),
    get: (key, options) => engine.get(definition, key, options),
    pause: (key, options) => engine.pause(definition, key, options),
    resume: (key, options) => engine.resume(definition, key, options),
    cancel: (key, options) => engine.cancel(definition, key, options),
    deleteData: (key, options) => engine.deleteData(definition, key, options),
  };
  return api;
}

/** A connector as the builder gathered it. */
export interface ConnectorPart extends Omit<Connector, "policy"> {
  readonly options: OptionLayer;
}

/** What of the options of a step means something for a connector. */
export const connectorOptions = ["lag", "lagAlert", "rateLimit", "retry", "timeout"];

/** Every shard is a receiver of its own, which reads all events: more shards cost more than they bring. */
const shardsMax = 1_024;
const quietDefaultMs = 500;

/**
 * Checks what a connector is made of.
 *
 * @param machine Whose.
 * @param name Its name.
 * @param source Where its events come from.
 * @param handler User code.
 * @param options Its options.
 * @param layer Checks the options that steps have too.
 * @returns The connector, without its policy.
 * @throws {PawlError} `INVALID_GRAPH`, `INVALID_ARGUMENT` or `INVALID_DURATION`.
 */
export function connectorPart(
  machine: string,
  name: string,
  { source, handler, options }: {
    readonly source: ConnectorSource<ConnectorEvent>;
    readonly handler: ConnectorHandler<unknown, ConnectorEvent>;
    readonly options: ConnectorOptions;
  },
  layer: (own: StepOptions) => OptionLayer,
): ConnectorPart {
  const { shards = 1, parkAfterErrors = 0, parkTo, finite = false, quiet, ...own } = options;
  const refused = (why: string) =>
    new PawlError("INVALID_GRAPH", `Cannot add connector "${name}" to "${machine}": ${why}`);
  if (typeof handler !== "function") throw refused("its handler is no function");
  if (!Number.isInteger(shards) || shards < 1 || shards > shardsMax) {
    throw refused(`its shards are ${shards}, want a whole number from 1 to ${shardsMax}`);
  }
  if (!Number.isSafeInteger(parkAfterErrors) || parkAfterErrors < 0) {
    throw refused(`its parkAfterErrors is ${parkAfterErrors}, want a whole number of 0 or more`);
  }
  if (parkTo !== undefined && (typeof parkTo?.stream !== "string" || parkTo.stream === "")) {
    throw refused("its parkTo names no topic; give { stream }");
  }
  const topic = isTopic(source) ? source : undefined;
  const open = openerOf(source);
  if (!open) throw refused("its source is none; give { stream }, a function, or an async iterable");
  if (shards > 1 && !topic && typeof source !== "function") {
    throw refused(
      `deliveries cannot be shared by ${shards} shards; give a function that opens a receiver for each`,
    );
  }
  const { from } = layer(own);
  // What holds for all steps of a machine is not meant for its connectors where it would delay or bound them.
  const lasting = {
    lag: 0,
    rateLimit: false as const,
    ...own,
    concurrency: 0,
    pauseAfterErrors: parkAfterErrors,
  };
  return {
    name,
    shards,
    options: { from, options: lasting },
    quietMs: Math.max(1, durationMs(quiet ?? quietDefaultMs, `quiet of connector "${name}" of "${machine}"`)),
    isFinite: finite,
    acksCover: topic !== undefined,
    open,
    handle: (call, event) => handler(connectorApi(call), event),
    park(parked, engine) {
      const streamer = parkTo?.streamer ?? topic?.streamer ?? engine.streams;
      return streamer.send(parkTo?.stream ?? `parked.${machine}.${name}`, [parked]);
    },
  };
}

function isTopic(source: unknown): source is TopicSource {
  const { stream } = Object(source) as { stream?: unknown };
  return typeof source === "object" && typeof stream === "string" && stream !== "";
}

function openerOf(source: ConnectorSource<ConnectorEvent>): Connector["open"] | undefined {
  if (typeof source === "function") return source;
  if (isTopic(source)) {
    const { stream, streamer, from = "start" } = source;
    return ({ name, signal }, engine) => (streamer ?? engine.streams).receive(stream, name, { from, signal });
  }
  return typeof source?.[Symbol.asyncIterator] === "function" ? () => source : undefined;
}
