/**
 * The API's routes as types, for Hono's `hc`: `hc<typeof api>(url)`, or `createClient`, which knows definitions as well.
 *
 * @module
 */
import type {
  BackfillView,
  CallbackResult,
  ConfigMap,
  EngineInfo,
  ForceReleaseOptions,
  HistoryRow,
  IntegrationInUse,
  ListPage,
  LockInfo,
  LockPage,
  OccurrenceView,
  ParkedPage,
  RelayInfo,
  RunView,
  ScheduleDescription,
  SchedulePage,
  ScheduleView,
  ShardInfo,
  StoredRecurrence,
  TickOptions,
  TickReport,
  TimerPage,
  Triggered,
  UnservedWork,
  VerifyReport,
} from "pawl";
import type { Hono } from "hono";

/** A value as JSON carries it: times are text. */
export type Wire<Value> = Value extends Date ? string
  : Value extends readonly (infer Item)[] ? readonly Wire<Item>[]
  : Value extends object ? { readonly [Name in keyof Value]: Wire<Value[Name]> }
  : Value;

/** What a definition is, on the wire. */
export interface DefinitionView {
  /** Its name. */
  readonly name: string;
  /** Its authoring model, such as `machine`. */
  readonly kind: string;
  /** Every status. */
  readonly statuses: readonly string[];
  /** Where runs can start; the first: where they do unless told otherwise. */
  readonly starts: readonly string[];
  /** Where runs end. */
  readonly terminals: readonly string[];
  /** Statuses that take a callback. */
  readonly callbacks: readonly string[];
}

/** An integration, on the wire. */
export interface IntegrationView extends Pick<IntegrationInUse, "name" | "definitionNames" | "stepNames"> {
  /** Whether it is initialised, not closed, and says so itself. */
  readonly isReady: boolean;
  /** Its settings and those of its definitions, without functions and secrets. */
  readonly configMap: ConfigMap;
}

/** A run that a batch could not change. */
export interface BatchFailure {
  /** The run. */
  readonly runId: string;
  /** Its key. */
  readonly key: string;
  /** Of the error. */
  readonly code: string;
  /** Its message. */
  readonly detail: string;
}

/** How far a batch is, or which run refused. */
export type BatchLine =
  | {
    readonly type: "progress" | "done";
    readonly matched: number;
    readonly done: number;
    readonly failed: number;
    /** There is more that matches than one batch may change. */
    readonly limited?: true;
  }
  | BatchFailure & { readonly type: "failure" };

/** Why a batch ended early: its answer had begun, so no status can tell. */
export interface BatchProblem {
  readonly type: "problem";
  readonly code: string;
  readonly detail: string;
}

/** A recurrence on the wire: as it is stored, with what it was made of where that is needed to know it again. */
export interface WireRecurrence extends StoredRecurrence {
  /** What it was made of. */
  readonly given?: unknown;
}

/** An endpoint as `hc` knows it: what it takes and gives, with which status, in which form. */
export type Endpoint<Input, Output, Status extends number = 200, Format extends string = "json"> = {
  input: Input;
  output: Wire<Output>;
  outputFormat: Format;
  status: Status;
};

/** Parameters of a query. */
export type QueryOf<Name extends string> = {
  readonly query?: { readonly [Each in Name]?: string | string[] };
};
/** Parameters of a path. */
export type PathOf<Name extends string> = { readonly param: { readonly [Each in Name]: string } };
/** A body; all of it may be left out. */
export type BodyOf<Body> = { readonly json?: Body };

/** The path of a run. */
export type RunPath = PathOf<"definition" | "key">;
/** The path of a schedule. */
export type SchedulePath = PathOf<"schedule">;
/** The path of a lock. */
export type LockPath = PathOf<"namespace" | "lock">;
/** What every list takes. */
export type Paging = "limit" | "cursor";
/** A list that is no page. */
export type ItemList<Item> = { readonly items: readonly Item[] };
/** A body that the server checks field by field. */
export type AnyFields = Readonly<Record<string, unknown>>;
/** An operator's verb on a run. */
export type Operated = Endpoint<
  RunPath & BodyOf<{ readonly reason?: string; readonly runId?: string }>,
  RunView
>;
/** What answers with text. */
export type TextEndpoint = Endpoint<Record<never, never>, string, 200, "text">;

/** Filters of `GET /runs`. */
export type RunFilter =
  | "definition"
  | "status"
  | "runState"
  | "key"
  | "keyPrefix"
  | "createdAfter"
  | "createdBefore"
  | "order"
  | "include";

/** Routes of runs. */
export interface RunSchema {
  /** Lists runs. */
  "/runs": { $get: Endpoint<QueryOf<RunFilter | Paging>, ListPage> };
  /** Lists timers. */
  "/timers": { $get: Endpoint<QueryOf<"definition" | "status" | "key" | "keyPrefix" | Paging>, TimerPage> };
  /** One run. */
  "/runs/:definition/:key": {
    $get: Endpoint<RunPath & QueryOf<"runId">, RunView>;
    $post: Endpoint<
      & RunPath
      & BodyOf<
        { data?: unknown; startAt?: string; idempotencyKey?: string; traceOrigin?: string; policy?: object }
      >,
      Triggered,
      200 | 201
    >;
    $delete: Endpoint<RunPath & QueryOf<"runId" | "reason">, RunView>;
  };
  /** Waits for a run. */
  "/runs/:definition/:key/await": {
    $get: Endpoint<RunPath & QueryOf<"runId" | "status" | "timeout">, RunView>;
  };
  /** What happened to it. */
  "/runs/:definition/:key/history": {
    $get: Endpoint<RunPath & QueryOf<"runId" | "after" | "limit">, ItemList<HistoryRow>>;
  };
  /** What happens to it. */
  "/runs/:definition/:key/watch": {
    $get: Endpoint<RunPath & QueryOf<"runId" | "after">, string, 200, "text">;
  };
  /** Answers it. */
  "/runs/:definition/:key/callback/:status": {
    $post: Endpoint<
      & PathOf<"definition" | "key" | "status">
      & BodyOf<{ payload?: unknown; runId?: string; idempotencyKey?: string }>,
      CallbackResult
    >;
  };
  /** Pauses it. */
  "/runs/:definition/:key/pause": { $post: Operated };
  /** Lets it go on. */
  "/runs/:definition/:key/resume": { $post: Operated };
  /** Ends it. */
  "/runs/:definition/:key/cancel": { $post: Operated };
  /** Does one of these to many. */
  "/batches": { $post: Endpoint<{ readonly json: AnyFields }, string, 200, "text"> };
}

/** Routes of schedules and locks. */
export interface ScheduleSchema {
  /** Schedules. */
  "/schedules": {
    $get: Endpoint<QueryOf<"definition" | Paging>, SchedulePage>;
    $post: Endpoint<
      { readonly json: AnyFields },
      { readonly created: boolean; readonly schedule: ScheduleView },
      200 | 201
    >;
  };
  /** One of them. */
  "/schedules/:schedule": {
    $get: Endpoint<SchedulePath, ScheduleDescription>;
    $patch: Endpoint<SchedulePath & { readonly json: AnyFields }, ScheduleView>;
    $delete: Endpoint<SchedulePath, null, 204>;
  };
  /** Pauses it. */
  "/schedules/:schedule/pause": { $post: Endpoint<SchedulePath & BodyOf<{ note?: string }>, ScheduleView> };
  /** Lets it go on. */
  "/schedules/:schedule/unpause": {
    $post: Endpoint<SchedulePath & BodyOf<{ note?: string; catchUp?: boolean }>, ScheduleView>;
  };
  /** An occurrence now. */
  "/schedules/:schedule/trigger": {
    $post: Endpoint<SchedulePath & BodyOf<{ overlap?: string }>, { readonly scheduledFor: Date }, 202>;
  };
  /** Makes up for the past. */
  "/schedules/:schedule/backfill": {
    $post: Endpoint<
      SchedulePath & {
        readonly json: Wire<Pick<BackfillView, "from" | "until">> & { readonly overlap?: string };
      },
      { readonly accepted: true },
      202
    >;
  };
  /** What became of it. */
  "/schedules/:schedule/outcomes": {
    $get: Endpoint<SchedulePath & QueryOf<Paging>, SchedulePage<OccurrenceView>>;
  };
  /** Locks. */
  "/locks": { $get: Endpoint<QueryOf<"namespace" | Paging>, LockPage> };
  /** One of them. */
  "/locks/:namespace/:lock": { $get: Endpoint<LockPath, LockInfo> };
  /** Takes it away. */
  "/locks/:namespace/:lock/force-release": {
    $post: Endpoint<LockPath & BodyOf<Omit<ForceReleaseOptions, "namespace">>, { readonly released: number }>;
  };
}

/** Routes of operators, and of the service itself. */
export interface ServiceSchema {
  /** Whether it works. */
  "/health": { $get: Endpoint<Record<never, never>, { readonly status: "ok" }> };
  /** Prometheus' page. */
  "/metrics": { $get: TextEndpoint };
  /** The document. */
  "/openapi.json": { $get: Endpoint<Record<never, never>, { readonly openapi: string }> };
  /** Works off what is due. */
  "/tick": { $post: Endpoint<BodyOf<TickOptions>, TickReport> };
  /** What the engine carries. */
  "/definitions": { $get: Endpoint<Record<never, never>, ItemList<DefinitionView>> };
  /** Mermaid text. */
  "/definitions/:definition/diagram": {
    $get: Endpoint<PathOf<"definition"> & QueryOf<"direction" | "status">, string, 200, "text">;
  };
  /** What processes do. */
  "/states": { $get: Endpoint<Record<never, never>, Readonly<Record<string, string>>> };
  /** Integrations. */
  "/integrations": { $get: Endpoint<Record<never, never>, ItemList<IntegrationView>> };
  /** Engines. */
  "/engines": { $get: Endpoint<Record<never, never>, ItemList<EngineInfo>> };
  /** Shards. */
  "/shards": { $get: Endpoint<Record<never, never>, ItemList<ShardInfo>> };
  /** Work of nobody. */
  "/unserved": { $get: Endpoint<Record<never, never>, ItemList<UnservedWork>> };
  /** Relays. */
  "/relays": { $get: Endpoint<Record<never, never>, ItemList<RelayInfo>> };
  /** Parked hooks. */
  "/parked": { $get: Endpoint<QueryOf<"definition" | Paging>, ParkedPage> };
  /** Tries one again. */
  "/parked/:id/retry": { $post: Endpoint<PathOf<"id">, null, 204> };
  /** Checks the store. */
  "/verify": { $post: Endpoint<Record<never, never>, VerifyReport> };
  /** Events of a topic. */
  "/events": { $get: Endpoint<QueryOf<"topic" | "after" | "from">, string, 200, "text"> };
  /** A webhook. */
  "/webhooks/:token": { $post: Endpoint<PathOf<"token"> & BodyOf<unknown>, { readonly applied: true }> };
}

/** Every route, by its path. */
export type PawlSchema =
  & { [Path in keyof RunSchema]: RunSchema[Path] }
  & {
    [Path in keyof ScheduleSchema]: ScheduleSchema[Path];
  }
  & { [Path in keyof ServiceSchema]: ServiceSchema[Path] };

/**
 * A Hono app with these routes.
 *
 * @ignore Hono's class is in no documentation but Hono's.
 */
// deno-lint-ignore ban-types -- Hono's own way to say that there is no environment
export type PawlApi = Hono<{}, PawlSchema, "/">;
