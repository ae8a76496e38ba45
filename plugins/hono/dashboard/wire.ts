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
import type { Wire } from "../contract.ts";

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

/** One page of a list. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly cursor?: string;
}

/** What can be done to many runs. */
export type RunVerb = "pause" | "resume" | "cancel" | "delete";
