/**
 * Asking the API: one request, its failures as errors, and its answer with dates.
 *
 * @module
 */
import { PawlError } from "pawl";
import { hc } from "hono/client";
import type { PawlApi } from "../contract.ts";
import { failureOf, HttpFailedError } from "./errors.ts";
import { revive, type Shape } from "./revive.ts";

/** Options of {@linkcode createClient}. */
export interface ClientOptions {
  /** Where the API is mounted, such as `https://example.org/pawl`. */
  readonly url: string;
  /** What sends requests; default: the global `fetch`. `app.request` of a Hono app goes, too. */
  readonly fetch?: (input: string, init?: RequestInit) => Response | Promise<Response>;
  /** Sent with each request, such as `authorization`. */
  readonly headers?:
    | Readonly<Record<string, string>>
    | (() => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>);
  /** Milliseconds of one long poll of `await`; default 25,000. */
  readonly pollMs?: number;
  /** Milliseconds before a lost stream, or poll, is tried again; doubled each time, up to 30 s; default 500. */
  readonly retryMs?: number;
}

/** What every verb takes beside its own. */
export interface RequestOptions {
  /** Ends the request by rejecting with its reason. */
  readonly signal?: AbortSignal;
}

/** What `hc` is given with each request. */
export interface Sending {
  readonly init: RequestInit;
  readonly headers?: Record<string, string>;
}

type Routes = ReturnType<typeof hc<PawlApi>>;

/** Sends one request. */
export type Send = (routes: Routes, sending: Sending) => Promise<{ readonly ok: boolean }>;

/** Requests to one API. */
export class Connection {
  readonly options: Required<Pick<ClientOptions, "pollMs" | "retryMs">>;
  readonly #routes: Routes;

  /** @param options Where it is. */
  constructor(options: ClientOptions) {
    const { url, headers, pollMs = 25_000, retryMs = 500 } = options;
    this.options = { pollMs, retryMs };
    // Looked up at each request, as tests and service workers replace it.
    const send = options.fetch ?? ((input: string, init?: RequestInit) => fetch(input, init));
    this.#routes = hc<PawlApi>(url.replace(/\/+$/, ""), {
      fetch: ((input: string, init?: RequestInit) => send(input, init)) as typeof fetch,
      ...(headers &&
        { headers: (typeof headers === "function" ? headers : { ...headers }) as Record<string, string> }),
    });
  }

  /**
   * @param send Which request.
   * @param options `signal`, headers.
   * @returns A response that tells of success.
   * @throws {PawlError} What the engine threw there, `HTTP_FAILED`, or the signal's reason.
   */
  async response(
    send: Send,
    { signal, headers }: RequestOptions & { readonly headers?: Record<string, string> } = {},
  ): Promise<Response> {
    signal?.throwIfAborted();
    let response: Response;
    try {
      response = await send(this.#routes, {
        init: signal ? { signal } : {},
        ...(headers && { headers }),
      }) as Response;
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof PawlError) throw error;
      throw new HttpFailedError(
        "The server cannot be reached; whether it has heard the request is not known",
        undefined,
        {
          cause: error,
        },
      );
    }
    if (response.ok) return response;
    throw await failureOf(response);
  }

  /** The JSON of an answer, with dates. */
  async ask<Value>(send: Send, shape: Shape = {}, options: RequestOptions = {}): Promise<Value> {
    const response = await this.response(send, options);
    if (response.status === 204) return undefined as Value;
    try {
      return revive<Value>(await response.json(), shape);
    } catch (error) {
      options.signal?.throwIfAborted();
      throw new HttpFailedError("The server's answer was cut off, or is no JSON", response.status, {
        cause: error,
      });
    }
  }

  /** The text of an answer. */
  async text(send: Send, options: RequestOptions = {}): Promise<string> {
    return await (await this.response(send, options)).text();
  }
}

/**
 * A name as a segment of a path.
 *
 * @param name Any text but a few that no URL can hold.
 * @returns It, escaped.
 * @throws {PawlError} `INVALID_ARGUMENT`.
 */
export function segment(name: string): string {
  // A URL's own parser takes these for folders, escaped or not, and would ask for something else.
  if (typeof name !== "string" || name === "" || name === "." || name === ".." || !isSound(name)) {
    throw new PawlError(
      "INVALID_ARGUMENT",
      `Cannot ask for ${JSON.stringify(name)} over HTTP: no URL can hold that name`,
    );
  }
  return encodeURIComponent(name);
}

function isSound(text: string): boolean {
  try {
    encodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** Parameters of a query as text; what is not there is left out. */
export function queryText(values: object): Record<string, string | string[]> {
  const found = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    found.map(([name, value]) => [name, Array.isArray(value) ? value.map(text) : text(value)]),
  );
}

function text(value: unknown): string {
  if (!(value instanceof Date)) return String(value);
  if (Number.isNaN(value.getTime())) {
    throw new PawlError("INVALID_ARGUMENT", "Cannot ask: a date is not valid");
  }
  return value.toISOString();
}
