/**
 * What the API's answers look like in a page: the engine's own views, as JSON writes them.
 *
 * @module
 */
import type {
  EngineInfo,
  HistoryRow,
  ListItem,
  LockInfo,
  OccurrenceView,
  ParkedHook,
  RelayInfo,
  RunView,
  ScheduleDescription,
  ScheduleView,
  ShardInfo,
  StreamEvent,
  UnservedWork,
} from "pawl";

/** A value after `JSON.stringify` and `JSON.parse`. */
export type Wire<Value> = Value extends Date ? string
  : Value extends readonly (infer Item)[] ? readonly Wire<Item>[]
  : Value extends object ? { readonly [Name in keyof Value]: Wire<Value[Name]> }
  : Value;

export type Run = Wire<RunView>;
export type ListedRun = Wire<ListItem>;
export type History = Wire<HistoryRow>;
export type Schedule = Wire<ScheduleView>;
export type Occurrence = Wire<OccurrenceView>;
export type LockView = Wire<LockInfo>;
export type EngineView = Wire<EngineInfo>;
export type Shard = Wire<ShardInfo>;
export type Unserved = Wire<UnservedWork>;
export type Parked = Wire<ParkedHook>;
export type Relay = Wire<RelayInfo>;
export type StreamedEvent = Wire<StreamEvent>;

/** A schedule with what it is at. */
export type ScheduleDetails = Wire<ScheduleDescription>;

/** What the API tells of a definition. */
export interface DefinitionInfo {
  readonly name: string;
  readonly kind: string;
  readonly statuses: readonly string[];
  readonly starts: readonly string[];
  readonly terminals: readonly string[];
  /** The statuses that take a callback. */
  readonly callbacks: readonly string[];
}

/** One page of a list. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly cursor?: string;
}

/** What can be done to many runs. */
export type RunVerb = "pause" | "resume" | "cancel" | "delete";

/** A line of what a batch tells of itself. */
export type BatchLine =
  | {
    readonly type: "progress" | "done";
    readonly matched: number;
    readonly done: number;
    readonly failed: number;
    /** There is more that matches than one batch may change. */
    readonly limited?: boolean;
  }
  | { readonly type: "problem"; readonly detail: string }
  | BatchFailure & { readonly type: "failure" };

/** A run that a batch could not change. */
export interface BatchFailure {
  readonly runId: string;
  readonly key: string;
  readonly code?: string;
  readonly detail: string;
}
