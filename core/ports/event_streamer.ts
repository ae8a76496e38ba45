/**
 * Ordered, named sequences of events with durable cursors: what luno/workflow calls an event streamer.
 *
 * 1. Events of one sender keep their order within a topic, and so do the events of one key, whoever sends them one after
 *    another. A `send` that rejects may have sent a front of its events; sending them again is safe, as ids tell repeats.
 * 2. A receiver's name is its cursor. A new name's place is fixed, durably, when `receive` resolves; a known name goes on
 *    where it was acked last, whatever `from` says.
 * 3. Acks are cumulative: one covers every event that the same receiver was given before. The cursor never moves back.
 * 4. What is not acked is given again to the next receiver of the name, so each event comes at least once.
 * 5. Names are independent: each gets every event. Two open receivers of one name share its cursor and are no way to
 *    share work: each event comes to at least one of them, and it may come to both.
 * 6. A topic is any text, compared as it stands: case, spaces and accents count.
 *
 * A streamer that keeps nothing gives each event to the receivers that are open when it is sent; 2 to 4 are void then.
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
  /**
   * Moves the receiver's cursor past this event and all it was given before, durably. What is not acked is delivered
   * again to the next receiver of that name. May be repeated, and may come after the receiver has ended.
   */
  ack(): Promise<void>;
}

/**
 * A source of events: ends by `return()` of its iterator, or by the signal it was opened with; then nothing of it is left
 * running. It has one iterator, however often that is asked for.
 */
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
   * Appends events to a topic, in order. What is given wrong is refused before anything is sent.
   *
   * @param topic Where.
   * @param events In order.
   * @returns Resolves when they are as durable as the streamer makes them.
   * @throws {PawlError} `INVALID_ARGUMENT`, `NOT_JSON` or `PAYLOAD_TOO_LARGE`, or what the place they go to says.
   */
  send(topic: string, events: readonly NewEvent[]): Promise<void>;
  /**
   * Opens a receiver. Its place is fixed when this resolves: what is sent from then on is delivered.
   *
   * @param topic Where from.
   * @param name Its cursor: a receiver of the same name goes on where the last one acked.
   * @param options Where a new name begins.
   * @returns The events, one after another.
   * @throws {PawlError} `INVALID_ARGUMENT`, or what the place they come from says.
   */
  receive(topic: string, name: string, options?: ReceiveOptions): Promise<Deliveries>;
}
