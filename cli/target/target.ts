/**
 * What the tool asks: a database, or an engine behind its HTTP API.
 *
 * @module
 */
import type {
  Admin,
  CallbackResult,
  DiagramOptions,
  Duration,
  ExportOptions,
  HistoryRow,
  ImportOptions,
  ImportReport,
  ListPage,
  ListQuery,
  RunView,
  ScheduleVerbs,
  Triggered,
} from "pawl";
import type { BatchInput, BatchLine, DefinitionView, LockClient } from "pawl/plugins/hono/client";

/** A run: the latest of a key, or one of them. */
export interface RunName {
  readonly definition: string;
  readonly key: string;
  readonly runId?: string;
}

/** What operators do to a run. */
export type Action = BatchInput["action"];

/** A batch on runs of a definition, which is named. */
export type NamedBatch = BatchInput & { readonly filter: { readonly definition: string } };

/** What the tool asks. What one of them cannot do rejects with `UNSUPPORTED`, and says what to do instead. */
export interface Target {
  /** What it is called in messages. */
  readonly name: string;
  /** One page of the runs that match. */
  list(query: ListQuery): Promise<ListPage>;
  /** A run with its data. */
  get(run: RunName): Promise<RunView | undefined>;
  /** Where a run is that only its id is known of. */
  find(runId: string): Promise<Required<RunName> | undefined>;
  /** What happened to it. */
  history(
    run: Required<RunName>,
    query: { readonly after?: number; readonly limit?: number },
  ): Promise<readonly HistoryRow[]>;
  /** What happens to it. */
  watch(run: Required<RunName>, options: { readonly after?: number }): AsyncIterable<HistoryRow>;
  /** Waits for it. */
  await(run: RunName, options: { readonly status?: string; readonly timeout?: Duration }): Promise<RunView>;
  /** Starts one. */
  trigger(
    run: RunName,
    options: { readonly data?: unknown; readonly startAt?: string; readonly idempotencyKey?: string },
  ): Promise<Triggered>;
  /** Answers one. */
  callback(
    run: RunName & { readonly status: string },
    payload: unknown,
    options: { readonly idempotencyKey?: string },
  ): Promise<CallbackResult>;
  /** Pauses it, and the like. */
  operate(action: Action, run: RunName, options: { readonly reason?: string }): Promise<RunView>;
  /** Does that to many. */
  batch(input: NamedBatch): AsyncIterable<BatchLine>;
  /** What code it has. */
  definitions(): Promise<readonly DefinitionView[]>;
  /** A definition as Mermaid text. */
  diagram(definition: string, options: DiagramOptions): Promise<string>;
  /** Schedules. */
  schedules(): Promise<ScheduleVerbs>;
  /** Locks. */
  readonly locks: LockClient;
  /** What operators ask. */
  readonly admin: Pick<
    Admin,
    "engines" | "shards" | "unserved" | "relays" | "parked" | "retry" | "verify"
  >;
  /** All runs as text. */
  export(options: ExportOptions): AsyncIterable<string>;
  /** Takes them in. */
  import(text: AsyncIterable<string>, options: ImportOptions): Promise<ImportReport>;
  /** Lets go of it. */
  close(): Promise<void>;
}
