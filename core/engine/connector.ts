/**
 * What the engine knows of a connector: a source of events from outside, split over shards, and the code that hands each
 * event to the runs of a definition.
 *
 * @module
 */
import { hash32 } from "../hash.ts";
import type { StepPolicy } from "../parts/run_change.ts";
import type { NewEvent } from "../ports/event_streamer.ts";
import type { Definition } from "./behaviour.ts";
import type { Engine } from "./verbs.ts";

/** The least that an event must have. */
export interface ConnectorEvent {
  /** Unique within its source; it stays the same when the event comes again. */
  readonly id: string;
  /** Events of one key are handled in order; default: the id. */
  readonly key?: string;
  /** When it happened: what `lag` counts from. Without it an event has no lag. */
  readonly at?: Date;
}

/** An event on its way to a connector. */
export interface ConnectorDelivery<Event extends ConnectorEvent = ConnectorEvent> {
  /** The event. */
  readonly event: Event;
  /** Says that it is done with: it does not come again. */
  ack(): unknown;
}

/** Who receives from the source of a connector. */
export interface ConnectorReceiver {
  /** Names the durable cursor: the next receiver of this shard, in whichever engine, has the same name. */
  readonly name: string;
  /** Which shard of the connector: 0 and up. */
  readonly shard: number;
  /** How many there are. Every shard must be given every event; it passes over those of the others. */
  readonly shards: number;
  /** Aborted when nothing more is to be received. */
  readonly signal: AbortSignal;
}

/** One attempt to handle an event, as the engine hands it to a connector. */
export interface ConnectorCall {
  /** The engine that runs it. */
  readonly engine: Engine;
  /** Whose connector it is. */
  readonly definition: Definition;
  /** 1 for the first attempt since this engine has been given the event. */
  readonly attempt: number;
  /** Aborted when the attempt times out, the engine stops, or its lease is lost. */
  readonly signal: AbortSignal;
}

/** A connector of a definition. */
export interface Connector {
  /** Unique among the connectors of its definition; names its cursors. */
  readonly name: string;
  /** Receivers that share its events by their keys. */
  readonly shards: number;
  /** Retries, lag, timeout, rate; `pauseAfterErrors` are the failures after which an event is parked. */
  readonly policy: StepPolicy;
  /** How long its source must be silent within a tick to be taken for empty. */
  readonly quietMs: number;
  /** Whether a source that has ended stays closed. */
  readonly isFinite: boolean;
  /** Whether an ack covers all that the receiver was given before. */
  readonly acksCover: boolean;
  /** Opens the source. */
  open(
    receiver: ConnectorReceiver,
    engine: Engine,
  ): AsyncIterable<ConnectorDelivery> | Promise<AsyncIterable<ConnectorDelivery>>;
  /** Handles an event. What it throws is a failed attempt. */
  handle(call: ConnectorCall, event: ConnectorEvent): unknown;
  /** Puts an event aside that has failed too often. */
  park(parked: NewEvent, engine: Engine): Promise<void>;
}

/** The shard of the connector that handles an event: by the key, so that events of one key keep their order. */
export function connectorShardOf({ key, id }: ConnectorEvent, shards: number): number {
  return hash32(key ?? id) % shards;
}

/** The shard of the store whose owner runs a shard of a connector: those of one connector spread evenly. */
export function storeShardOf(connector: string, index: number, storeShards: number): number {
  return (hash32(connector) % storeShards + index) % storeShards;
}

/** Which shards of which connectors of a definition run at a shard of the store. */
export function connectorsAt(
  { behaviour }: Definition,
  shard: number,
  storeShards: number,
): readonly { readonly connector: Connector; readonly index: number }[] {
  return (behaviour.connectors ?? []).flatMap((connector) =>
    Array.from({ length: connector.shards }, (_, index) => ({ connector, index }))
      .filter(({ index }) => storeShardOf(connector.name, index, storeShards) === shard)
  );
}
