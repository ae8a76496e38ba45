/**
 * Server-sent events: a stream that is pulled, so that what a slow reader has not taken waits at its source.
 *
 * @module
 */
import type { Api } from "./options.ts";
import { problemOf, RateLimitedError } from "./problem.ts";

/** What is sent. */
export interface ServerEvent {
  /** Its kind. */
  readonly event: string;
  /** What the reader gives back when it comes again. */
  readonly id?: string;
  /** Any JSON. */
  readonly data: unknown;
}

/** How long a reader that lost the stream waits before it comes again. */
const retryMs = 1_000;

const encoder = new TextEncoder();

/** JSON text has no line breaks, so an event needs no escaping; ids are checked where they are made. */
function textOf({ event, id, data }: ServerEvent): string {
  return `event: ${event}\n${id === undefined ? "" : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`;
}

/**
 * Answers with events, for as long as somebody reads them. The last one is `end` when the source has ended, or `problem` when it failed.
 *
 * @param api Its bounds and clock.
 * @param source Makes the events until its signal is aborted.
 * @returns The answer.
 * @throws {RateLimitedError} When there are too many streams.
 */
export function eventStream(
  api: Api,
  source: (signal: AbortSignal) => AsyncIterable<ServerEvent>,
): Response {
  const { streamsMax } = api.limits;
  if (api.streams.open >= streamsMax) {
    throw new RateLimitedError(`Cannot open a stream: ${streamsMax} are open; come again later`, 5_000);
  }
  const pulled = new PulledEvents(api, source);
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(encoder.encode(`retry: ${retryMs}\n\n`)),
    async pull(controller) {
      const text = await pulled.next();
      if (text !== undefined) return controller.enqueue(encoder.encode(text));
      pulled.end();
      controller.close();
    },
    cancel: () => pulled.end(),
  }, { highWaterMark: 0 });
  return new Response(body, {
    headers: { "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no" },
  });
}

/** The text of one event after another, and signs of life while there is none. */
class PulledEvents {
  readonly #api: Api;
  readonly #abort = new AbortController();
  readonly #events: AsyncIterator<ServerEvent>;
  #isPending = false;
  #arrived: string[] = [];
  #wake: (() => void) | undefined;
  #isOver = false;
  #hasEnded = false;

  constructor(api: Api, source: (signal: AbortSignal) => AsyncIterable<ServerEvent>) {
    this.#api = api;
    api.streams.open++;
    this.#events = source(this.#abort.signal)[Symbol.asyncIterator]();
  }

  /** The next text; `undefined`: there is nothing more. */
  async next(): Promise<string | undefined> {
    if (this.#arrived.length === 0 && !this.#isOver) await this.#pull();
    return this.#arrived.shift() ?? (this.#isOver ? undefined : ": still here\n\n");
  }

  /** Once, whoever says so first. */
  end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#isOver = true;
    this.#api.streams.open--;
    this.#abort.abort();
    this.#wake?.();
  }

  /** Resolves when something has arrived, or nothing for so long that the reader might think us dead. */
  async #pull(): Promise<void> {
    const cancel = this.#api.clock.after(this.#api.limits.heartbeatMs, () => this.#wake?.());
    const woken = new Promise<void>((resolve) => this.#wake = resolve);
    // One request for the next event outlives many signs of life.
    if (!this.#isPending) this.#ask();
    await woken;
    cancel();
  }

  #ask(): void {
    this.#isPending = true;
    this.#events.next().then(
      ({ done, value }) => this.#arrive(done ? { event: "end", data: {} } : value, done),
      (error) => this.#arrive({ event: "problem", data: problemOf(error) }, true),
    );
  }

  #arrive(event: ServerEvent, isLast = false): void {
    this.#isPending = false;
    if (this.#hasEnded) return;
    this.#arrived.push(textOf(event));
    this.#isOver = isLast;
    this.#wake?.();
  }
}
