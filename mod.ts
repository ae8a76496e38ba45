/**
 * Pawl: durable workflows in pure TypeScript. Every committed step stays committed.
 *
 * @module
 */

// The engine and what its verbs take and give.
export { createEngine } from "./core/engine/engine.ts";
export type {
  AwaitOptions,
  CallbackOptions,
  Engine,
  OperateOptions,
  RunOptions,
  SemaphoreOptions,
  TriggerOptions,
  WatchOptions,
} from "./core/engine/verbs.ts";
export type { Admin, EngineCounts, EngineInfo, ShardInfo } from "./core/engine/admin.ts";
export type {
  Behaviour,
  Definition,
  EnteringCall,
  HeldLockView,
  Hook,
  StepCall,
  StepResult,
  TimerWish,
  Transition,
} from "./core/engine/behaviour.ts";
export type { CallbackResult } from "./core/engine/callback.ts";
export type {
  Connector,
  ConnectorCall,
  ConnectorDelivery,
  ConnectorEvent,
  ConnectorReceiver,
} from "./core/engine/connector.ts";
export type {
  DiagramDirection,
  DiagramOptions,
  DiagramSource,
  DrawDiagram,
} from "./core/engine/diagram_options.ts";
export type { DataRules } from "./core/engine/data_rules.ts";
export type { ExportOptions } from "./core/engine/export_runs.ts";
export type { ImportOptions, ImportProgress, ImportReport, Refusal } from "./core/engine/import_runs.ts";
export { integration } from "./core/engine/integration.ts";
export type {
  ConfigMap,
  ErrorHookOptions,
  Integration,
  IntegrationContext,
  IntegrationInfo,
  IntegrationInUse,
  IntegrationOptions,
  IntegrationParts,
  IntegrationSettings,
} from "./core/engine/integration.ts";
export type { ConfigValue, DefinitionConfig } from "./core/engine/config_map.ts";
export type { ActivityFailure, AttemptCount, WorkflowFailure } from "./core/engine/failures.ts";
export type { AllowedOverride, PolicyOverride, StepOverride } from "./core/engine/policy_override.ts";
export { Secret, secret } from "./core/engine/secret.ts";
export type { ListItem, ListPage, ListQuery } from "./core/engine/list.ts";
export type { TimerInfo, TimerPage, TimerQuery } from "./core/engine/list_timers.ts";
export type { AcquireOptions } from "./core/engine/lock_clients.ts";
export type { Hold } from "./core/engine/lock_hold.ts";
export type {
  ForceReleaseOptions,
  Lock,
  LockHolderView,
  LockInfo,
  LockPage,
  LockPlace,
  LockQuery,
  LockVerbs,
  LockWaiterView,
  ReadWriteLock,
} from "./core/engine/lock_verbs.ts";
export type { LockShare, StepLock } from "./core/engine/lock_wish.ts";
export type { EngineStreams, ReadOptions, StreamReading } from "./core/engine/stream_reading.ts";
export type { LockKind } from "./core/parts/lock_record.ts";
export type { ParkedHook, ParkedPage, ParkedQuery } from "./core/engine/parked.ts";
export type { HistoryQuery } from "./core/engine/operate.ts";
export type { ProcessState } from "./core/engine/metrics.ts";
export type { EngineOptions } from "./core/engine/options.ts";
export type { HeldRun, RelayInfo } from "./core/engine/relay_info.ts";
export type { RelayOptions } from "./core/engine/relay_policy.ts";
export type { PreparedTrigger } from "./core/engine/prepare_trigger.ts";
export type { RunLockView, RunOriginView, RunTimerView, RunView } from "./core/engine/run_view.ts";
export type {
  LockingRun,
  OptionLayer,
  RateLimit,
  RetryOptions,
  StepLockOf,
  StepOptions,
} from "./core/engine/step_options.ts";
export type { Triggered } from "./core/engine/trigger.ts";
export type { UnservedWork } from "./core/engine/unserved.ts";
export type { Finding, VerifyReport } from "./core/engine/verify.ts";
export type { TickOptions, TickReport } from "./core/engine/ticks.ts";
export type { HistoryEvent, HistoryKind, HistoryRow } from "./core/parts/history.ts";
export type { ErrorKind, HookKind } from "./core/parts/chore.ts";
export type { RunPolicy } from "./core/parts/run_policy.ts";
export type { RunError, RunState } from "./core/parts/run_record.ts";
export { deleteTopic, runStateTopic, statusTopic } from "./core/parts/stream_topics.ts";
export type { Rules, StepPolicy } from "./core/parts/run_change.ts";
export type { CommitCounts } from "./core/store/group_commit.ts";

// State machines.
export { machine } from "./core/machine/builder.ts";
export type {
  ConnectorApi,
  ConnectorHandler,
  ConnectorOptions,
  ConnectorSource,
  TopicSource,
} from "./core/machine/connector.ts";
export type {
  DataOf,
  HookHandler,
  HookOptions,
  Machine,
  MachineBuilder,
  MachineOptions,
  PayloadOf,
  StartStatusOf,
  StatusOf,
  TimeoutOptions,
} from "./core/machine/machine.ts";
export type {
  AsyncAnswer,
  CallbackHandler,
  Control,
  EnteringRun,
  StepAnswer,
  StepHandler,
  StepRun,
  TimeoutAnswer,
  TimeoutAt,
  TimeoutHandler,
} from "./core/machine/run.ts";

// Recurrences.
export { type Every, every, type EveryOptions } from "./core/schedule/every.ts";
export {
  type Occurrences,
  type Recurrence,
  recurrence,
  type RecurrenceType,
  type StoredRecurrence,
} from "./core/schedule/recurrence.ts";
export {
  type GapPolicy,
  type OverlapPolicy,
  type WallClock,
  wallClock,
  type WallClockOptions,
  type WallClockRule,
} from "./core/schedule/wall_clock.ts";

// Schedules.
export type {
  BackfillView,
  OccurrenceView,
  ScheduleChanges,
  ScheduleDescription,
  ScheduledOccurrence,
  ScheduleFilter,
  ScheduleOptions,
  SchedulePage,
  ScheduleQuery,
  ScheduleResultView,
  ScheduleSettings,
  ScheduleVerbs,
  ScheduleView,
} from "./core/engine/schedule_types.ts";
export type { OccurrenceKind, Overlap, ScheduleCounts } from "./core/parts/schedule_record.ts";

// Errors, durations, limits.
export {
  ConflictError,
  type DataIssue,
  type ErrorCode,
  ImportIncompleteError,
  InvalidDataError,
  LeaseLostError,
  OutcomeUnknownError,
  PawlError,
  RunEndedError,
  RunInProgressError,
  RunStateError,
  StoreBusyError,
  StoreClosedError,
} from "./core/errors.ts";
export { type Duration, durationMs } from "./core/duration.ts";
export type { StandardSchema, StandardSchemaIssue, StandardSchemaResult } from "./core/standard_schema.ts";
export { defaultLimits, type Limits } from "./core/limits.ts";

// Ports, for those who bring their own.
export { type Cancel, type Clock, systemClock } from "./core/ports/clock.ts";
export type { Codec } from "./core/ports/codec.ts";
export type {
  Deliveries,
  Delivery,
  EventStreamer,
  NewEvent,
  ReceiveOptions,
  StreamEvent,
} from "./core/ports/event_streamer.ts";
export { consoleLogger, type Logger, type LogLevel, silentLogger } from "./core/ports/logger.ts";
export { joinTelemetry } from "./core/ports/join_telemetry.ts";
export type { Platform, Readiness } from "./core/ports/platform.ts";
export { type Random, systemRandom } from "./core/ports/random.ts";
export type {
  Counter,
  Gauge,
  Histogram,
  HistogramOptions,
  InstrumentOptions,
  Labels,
  Span,
  SpanEnd,
  SpanStart,
  Telemetry,
} from "./core/ports/telemetry.ts";
export type {
  Batch,
  BatchResult,
  CallResult,
  Check,
  CommitCall,
  Committer,
  Entry,
  LastCall,
  OnHint,
  PreparedBatch,
  Put,
  ReadOp,
  ReadRequest,
  ReadResult,
  SqlStatement,
  Store,
  StoreLimits,
  Version,
} from "./core/store/store.ts";
