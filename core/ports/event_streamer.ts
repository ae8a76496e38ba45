/**
 * Ordered, named sequences of events with durable cursors: what luno/workflow calls an event streamer.
 *
 * @module
 */

/** What a sender gives. */
export interface NewEvent {
  /** Unique within its topic: a receiver that has seen it before may drop it. */
  readonly id: string;
  /** What it is about; events of one key keep their order. */
  readonly key: string;
  /** What happened. */
  readonly type: string;
  /** What goes with it: must survive JSON. */
  readonly data?: unknown;
  /** Short texts beside the data. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** An event as a receiver gets it. */
export interface StreamEvent extends NewEvent {
  /** Where it was sent to. */
  readonly topic: string;
  /** When it was sent, by the sender's clock. */
  readonly at: Date;
}

/** An event on its way to a receiver. */
export interface Delivery {
  /** The event. */
  readonly event: StreamEvent;
  /** Moves the receiver's cursor past this event, durably. What is not acked is delivered again to the next receiver of that name. */
  ack(): Promise<void>;
}

/** A source of events: ends by `return()` of its iterator, or by the signal it was opened with. */
export type Deliveries = AsyncIterable<Delivery>;

/** Where a receiver of a new name begins. */
export interface ReceiveOptions {
  /** With the oldest event that is kept (default), or with what is sent after `receive` has resolved. */
  readonly from?: "start" | "latest";
  /** Ends the receiver: its iterator ends without an error. */
  readonly signal?: AbortSignal;
}

/** A place to send events to and to receive them from. Proved by `streamerConformance` of `pawl/testing`. */
export interface EventStreamer {
  /**
   * Appends events to a topic, in order.
   *
   * @param topic Where.
   * @param events In order.
   * @returns Resolves when they are as durable as the streamer makes them.
   */
  send(topic: string, events: readonly NewEvent[]): Promise<void>;
  /**
   * Opens a receiver. Its place is fixed when this resolves: what is sent from then on is delivered.
   *
   * @param topic Where from.
   * @param name Its cursor: a receiver of the same name goes on where the last one acked.
   * @param options Where a new name begins.
   * @returns The events, one after another.
   */
  receive(topic: string, name: string, options?: ReceiveOptions): Promise<Deliveries>;
}
