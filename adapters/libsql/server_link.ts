import type { Cancel, Clock } from "../../core/ports/clock.ts";
import type { Random } from "../../core/ports/random.ts";
import { storeError } from "../sql/errors.ts";
import type { Ask, LibsqlClient, Link, Rows } from "./link.ts";
import { awayError, lostError, type Peer, serverError, wasAnswered } from "./server_errors.ts";

/** What a link to a server needs to know. */
export interface ServerLinkOptions {
  /** The client that was handed in, or how to make one whose requests end with the signal. */
  readonly client: LibsqlClient | ((signal: AbortSignal) => Promise<LibsqlClient>);
  /** Who is at the other end, for messages. */
  readonly peer: Peer;
  /** Milliseconds that one request may take, connecting included. */
  readonly requestTimeoutMs: number;
  readonly clock: Clock;
  readonly random: Random;
}

/** Pause after the first knock in vain, and the longest: what comes back is found again within a second or so. */
const pauseMsMin = 25;
const pauseMsMax = 1_000;

/** A client with what ends it; a link makes a new one when it no longer trusts the old. */
interface Line {
  readonly client: LibsqlClient;
  readonly abort: AbortController | undefined;
}

/**
 * The way to a server. A request whose answer does not come, or not in time, is lost, and the line with it. From then on
 * the link knocks with a harmless read before anything is sent: a write that meets a server which is away has surely
 * not been sent, and is not called unknown. That an error says "connection refused" would prove nothing, as `fetch` may
 * have sent the request before on a connection that broke.
 */
export class ServerLink implements Link {
  readonly #options: ServerLinkOptions;
  #line: Line | undefined;
  #dialling: Promise<Line> | undefined;
  #knocking: Promise<void> | undefined;
  /** Why the server is taken to be away; `undefined`: it is there, as far as is known. */
  #away: { readonly why: unknown; readonly tries: number; readonly until: number } | undefined;
  #stuck = false;
  #closed = false;
  /** The end of the last write that was begun. */
  #written: Promise<unknown> = Promise.resolve();

  /**
   * @param options Where and how. Nothing is sent before the first request.
   */
  constructor(options: ServerLinkOptions) {
    this.#options = options;
  }

  /** Writes take turns here: they would on the server too, where many that wait at once have been seen to starve. */
  ask(request: Ask): Promise<Rows[]> {
    if (request.mode === "read") return this.#ask(request);
    const asking = this.#written.then(() => this.#ask(request));
    this.#written = asking.catch(() => {});
    return asking;
  }

  async #ask(request: Ask): Promise<Rows[]> {
    const { peer } = this.#options;
    await this.#reach(request);
    const line = await this.#dial(request);
    if (line.client.closed) throw storeError({ code: "CLIENT_CLOSED" }, request.doing);
    try {
      return await this.#send(line, request);
    } catch (error) {
      if (wasAnswered(error)) throw serverError(error, request, peer);
      this.#lose(line, error, 0);
      throw lostError(error, request, peer);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#dialling?.catch(() => undefined);
    if (this.#line) hangUp(this.#line);
  }

  /** Resolves when the server is there, as far as is known. */
  async #reach(request: Ask): Promise<void> {
    if (!this.#away) return;
    if (this.#options.clock.monotonic() < this.#away.until) {
      throw awayError(this.#away.why, request, this.#options.peer);
    }
    // One knock for all who wait.
    this.#knocking ??= this.#knock(request).finally(() => this.#knocking = undefined);
    await this.#knocking;
    if (this.#away) throw awayError(this.#away.why, request, this.#options.peer);
  }

  async #knock(request: Ask): Promise<void> {
    const tries = this.#away?.tries ?? 0;
    const line = await this.#dial(request);
    try {
      await this.#heal(line);
      await this.#send(line, { ...request, statements: [{ sql: "select 1", args: [] }], mode: "read" });
    } catch (error) {
      if (!wasAnswered(error)) return this.#lose(line, error, tries + 1);
    }
    // An answer that refuses is an answer: what is asked next gets its own.
    this.#away = undefined;
  }

  /** A client that was handed in may sit on a connection that is half dead. One of our own is made anew instead. */
  async #heal({ client }: Line): Promise<void> {
    if (!this.#stuck || client.closed) return;
    await this.#within(Promise.resolve(client.reconnect?.()));
    this.#stuck = false;
  }

  async #dial(request: Ask): Promise<Line> {
    if (this.#line) return this.#line;
    this.#dialling ??= this.#connect().finally(() => this.#dialling = undefined);
    try {
      return await this.#dialling;
    } catch (error) {
      throw serverError(error, request, this.#options.peer);
    }
  }

  async #connect(): Promise<Line> {
    const { client } = this.#options;
    if (typeof client !== "function") return this.#line = { client, abort: undefined };
    const abort = new AbortController();
    return this.#line = { client: await client(abort.signal), abort };
  }

  async #send({ client }: Line, { statements, mode }: Ask): Promise<Rows[]> {
    return (await this.#within(client.batch(statements, mode === "read" ? "read" : "write"))).map((result) =>
      result.rows
    );
  }

  /** A half-open connection says nothing at all: nothing may wait for it for ever. */
  async #within<T>(work: Promise<T>): Promise<T> {
    const { clock, requestTimeoutMs } = this.#options;
    let cancel: Cancel = () => {};
    const late = new Promise<never>((_, reject) => {
      cancel = clock.after(requestTimeoutMs, () => {
        this.#stuck = true;
        reject(new Error(`no answer within ${requestTimeoutMs} ms`));
      });
    });
    try {
      return await Promise.race([work, late]);
    } finally {
      cancel();
    }
  }

  #lose(line: Line, why: unknown, tries: number): void {
    const { clock, random } = this.#options;
    // What an older line had still under way says nothing about the line of today.
    if (line !== this.#line || line.client.closed || this.#closed) return;
    // After the first loss it knocks at once: often only a connection has gone, and the server is there.
    const pause = tries === 0
      ? 0
      : Math.min(pauseMsMax, pauseMsMin * 2 ** tries) * (0.5 + random.float() / 2);
    this.#away = { why, tries, until: clock.monotonic() + pause };
    if (!line.abort) return;
    this.#line = undefined;
    hangUp(line);
  }
}

function hangUp({ client, abort }: Line): void {
  if (!abort) return;
  // No error of Pawl: to whom it may concern, the answer is as lost as any.
  abort.abort(new Error("the connection was given up"));
  client.close();
}
