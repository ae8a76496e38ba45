import type { Clock, Engine, Logger } from "pawl";
import type { MetricsPage } from "./metrics_page.ts";
import type { Scope } from "./scope.ts";
import type { Webhooks } from "./webhooks.ts";

/** What is asked for. A batch is asked for under the verb that it does to each run. */
export type Verb =
  | "health"
  | "metrics"
  | "openapi"
  | "ui"
  | "tick"
  | "definitions"
  | "diagram"
  | "list"
  | "trigger"
  | "get"
  | "await"
  | "history"
  | "watch"
  | "callback"
  | "pause"
  | "resume"
  | "cancel"
  | "delete"
  | "timers"
  | "states"
  | "engines"
  | "shards"
  | "unserved"
  | "relays"
  | "parked"
  | "retry"
  | "verify"
  | "schedules.list"
  | "schedules.create"
  | "schedules.get"
  | "schedules.update"
  | "schedules.delete"
  | "schedules.pause"
  | "schedules.unpause"
  | "schedules.trigger"
  | "schedules.backfill"
  | "schedules.outcomes"
  | "locks.list"
  | "locks.get"
  | "locks.release"
  | "events";

/** What `authorize` is told. */
export interface AuthorizeCall {
  /** What is asked for. */
  readonly verb: Verb;
  /** Whether it changes anything. */
  readonly access: "read" | "write";
  /** Of which definition; absent: of none in particular, so of any. */
  readonly definition?: string;
  /** Of which key; absent: of none in particular, so of any. */
  readonly key?: string;
  /** The namespace of locks. */
  readonly namespace?: string;
  /** The name of a lock. */
  readonly lock?: string;
  /** The id of a schedule. */
  readonly schedule?: string;
  /** The topic of events. */
  readonly topic?: string;
  /** With its headers: who asks. Its body may have been read. */
  readonly request: Request;
}

/**
 * Says who may do what: `true`, `false`, the part of the store that the caller may reach, or a response of your own,
 * such as a redirect to a log-in.
 */
export type Authorize = (
  call: AuthorizeCall,
) => boolean | Scope | Response | Promise<boolean | Scope | Response>;

/** Bounds of the API. */
export interface HttpLimits {
  /** Bytes of a request's body; default 1 MiB. */
  readonly bodyBytesMax: number;
  /** Streams of events that are open at once, of all callers; default 2,000. */
  readonly streamsMax: number;
  /** Milliseconds that one long poll waits; default 30,000, under the idle timeouts of most proxies. */
  readonly awaitMsMax: number;
  /** Milliseconds of a tick; default 30,000. */
  readonly tickMsMax: number;
  /** Milliseconds between signs of life in a stream; default 15,000. */
  readonly heartbeatMs: number;
  /** Runs of one batch; default 100,000. */
  readonly batchMax: number;
}

/** Says whether a request is too much: `true`, or after how many milliseconds it may come again. */
export type RateLimitHook = (
  call: { readonly verb: Verb | "webhook"; readonly request: Request },
) => boolean | { readonly retryAfterMs: number } | Promise<boolean | { readonly retryAfterMs: number }>;

/** Options of `httpApi`. */
export interface HttpApiOptions {
  /** Who may do what. Without it, everything is refused. */
  readonly authorize?: Authorize;
  /** Other origins whose pages may change things with what a browser sends by itself, such as cookies; default: none. */
  readonly origins?: readonly string[];
  /** Bounds to change. */
  readonly limits?: Partial<HttpLimits>;
  /** Asked before everything else; `false`: the request is not too much. */
  readonly isTooMuch?: RateLimitHook;
  /** What `GET /metrics` shows, from `pawl/plugins/prometheus`; absent: 404. */
  readonly metrics?: MetricsPage;
  /** What `POST /webhooks/...` takes; absent: 404. */
  readonly webhooks?: Webhooks;
  /** Hears of requests that failed through no fault of the caller: names and codes, never data. Default: the console. */
  readonly logger?: Logger;
  /** Hears of the same, with the error itself, whose message may hold data. */
  readonly onError?: (error: unknown, call: { readonly route: string; readonly request: Request }) => void;
  /** Where time comes from; default: the system. */
  readonly clock?: Clock;
}

/** What all routes share. */
export interface Api {
  readonly engine: Engine;
  readonly options: HttpApiOptions;
  readonly limits: HttpLimits;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Streams that are open now. */
  readonly streams: { open: number };
}

/** The defaults of {@linkcode HttpLimits}. */
export const defaultHttpLimits: HttpLimits = {
  bodyBytesMax: 1024 * 1024,
  streamsMax: 2_000,
  awaitMsMax: 30_000,
  tickMsMax: 30_000,
  heartbeatMs: 15_000,
  batchMax: 100_000,
};
