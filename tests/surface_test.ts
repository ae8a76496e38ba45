import assert from "node:assert/strict";

interface DocSymbol {
  readonly name: string;
  readonly declarations: readonly { readonly kind: string }[];
}

/** Every exported name by subpath: a change here is a change for every user. */
const surface: Readonly<Record<string, string>> = {
  ".": `class ConflictError
class ImportIncompleteError
class InvalidDataError
class LeaseLostError
class OutcomeUnknownError
class PawlError
class RunEndedError
class RunInProgressError
class RunStateError
class Secret
class StoreBusyError
class StoreClosedError
function consoleLogger
function createEngine
function deleteTopic
function durationMs
function integration
function joinTelemetry
function machine
function recurrence
function runStateTopic
function secret
function statusTopic
function systemClock
function systemRandom
function wallClock
interface AcquireOptions
interface ActivityFailure
interface Admin
interface AttemptCount
interface AwaitOptions
interface BackfillView
interface Batch
interface Behaviour
interface CallbackOptions
interface CallbackResult
interface Check
interface Clock
interface Codec
interface CommitCall
interface CommitCounts
interface Committer
interface ConfigMap
interface Connector
interface ConnectorApi
interface ConnectorCall
interface ConnectorDelivery
interface ConnectorEvent
interface ConnectorOptions
interface ConnectorReceiver
interface Control
interface Counter
interface DataIssue
interface DataRules
interface Definition
interface DefinitionConfig
interface Delivery
interface DiagramOptions
interface DiagramSource
interface Engine
interface EngineCounts
interface EngineInfo
interface EngineOptions
interface EngineStreams
interface EnteringRun
interface Entry
interface ErrorHookOptions
interface EventStreamer
interface Every
interface EveryOptions
interface ExportOptions
interface Finding
interface ForceReleaseOptions
interface Gauge
interface HeldLockView
interface HeldRun
interface Histogram
interface HistogramOptions
interface HistoryEvent
interface HistoryQuery
interface HistoryRow
interface Hold
interface Hook
interface HookOptions
interface ImportOptions
interface ImportProgress
interface ImportReport
interface InstrumentOptions
interface Integration
interface IntegrationContext
interface IntegrationInUse
interface IntegrationInfo
interface IntegrationOptions
interface IntegrationParts
interface IntegrationSettings
interface LastCall
interface Limits
interface ListPage
interface ListQuery
interface Lock
interface LockHolderView
interface LockInfo
interface LockPage
interface LockPlace
interface LockQuery
interface LockShare
interface LockVerbs
interface LockWaiterView
interface LockingRun
interface Logger
interface Machine
interface MachineBuilder
interface MachineOptions
interface NewEvent
interface OccurrenceView
interface Occurrences
interface OperateOptions
interface OptionLayer
interface ParkedHook
interface ParkedPage
interface ParkedQuery
interface Platform
interface PolicyOverride
interface PreparedBatch
interface PreparedTrigger
interface Put
interface Random
interface RateLimit
interface ReadOptions
interface ReadRequest
interface ReadWriteLock
interface ReceiveOptions
interface Recurrence
interface RecurrenceType
interface Refusal
interface RelayInfo
interface RelayOptions
interface RetryOptions
interface Rules
interface RunError
interface RunLockView
interface RunOptions
interface RunOriginView
interface RunPolicy
interface RunTimerView
interface RunView
interface ScheduleCounts
interface ScheduleDescription
interface SchedulePage
interface ScheduleQuery
interface ScheduleResultView
interface ScheduleSettings
interface ScheduleVerbs
interface ScheduleView
interface ScheduledOccurrence
interface SemaphoreOptions
interface ShardInfo
interface Span
interface SpanEnd
interface SpanStart
interface SqlStatement
interface StandardSchema
interface StandardSchemaIssue
interface StepCall
interface StepLock
interface StepOptions
interface StepPolicy
interface StepRun
interface Store
interface StoreLimits
interface StoredRecurrence
interface StreamEvent
interface StreamReading
interface Telemetry
interface TickOptions
interface TickReport
interface TimeoutOptions
interface TimerInfo
interface TimerPage
interface TimerQuery
interface TimerWish
interface TopicSource
interface Transition
interface Triggered
interface UnservedWork
interface VerifyReport
interface WallClock
interface WallClockOptions
interface WallClockRule
interface WatchOptions
interface WorkflowFailure
typeAlias AllowedOverride
typeAlias AsyncAnswer
typeAlias BatchResult
typeAlias CallResult
typeAlias CallbackHandler
typeAlias Cancel
typeAlias ConfigValue
typeAlias ConnectorHandler
typeAlias ConnectorSource
typeAlias DataOf
typeAlias Deliveries
typeAlias DiagramDirection
typeAlias DrawDiagram
typeAlias Duration
typeAlias EnteringCall
typeAlias ErrorCode
typeAlias ErrorKind
typeAlias GapPolicy
typeAlias HistoryKind
typeAlias HookHandler
typeAlias HookKind
typeAlias Labels
typeAlias ListItem
typeAlias LockKind
typeAlias LogLevel
typeAlias OccurrenceKind
typeAlias OnHint
typeAlias Overlap
typeAlias OverlapPolicy
typeAlias PayloadOf
typeAlias ProcessState
typeAlias ReadOp
typeAlias ReadResult
typeAlias Readiness
typeAlias RunState
typeAlias ScheduleChanges
typeAlias ScheduleFilter
typeAlias ScheduleOptions
typeAlias StandardSchemaResult
typeAlias StartStatusOf
typeAlias StatusOf
typeAlias StepAnswer
typeAlias StepHandler
typeAlias StepLockOf
typeAlias StepOverride
typeAlias StepResult
typeAlias TimeoutAnswer
typeAlias TimeoutAt
typeAlias TimeoutHandler
typeAlias TriggerOptions
typeAlias Version
variable defaultLimits
variable every
variable silentLogger`,
  "./kernel": `function createEngine
interface Feature
interface KernelOptions
variable admin
variable callbacks
variable connectors
variable deletion
variable diagrams
variable hooks
variable integrations
variable lists
variable locks
variable relay
variable schedules
variable streams
variable telemetry
variable transactions
variable transfer
variable verify`,
  "./adapters/memory": `function memoryStore
interface MemoryStoreOptions`,
  "./adapters/indexeddb": `function indexedDbStore
function persist
interface IndexedDbOptions
interface IndexedDbStore
interface Persistence
interface StoreHealth
typeAlias Durability
typeAlias HealthState
typeAlias Medium`,
  "./adapters/libsql": `function backupStore
function libsqlStore
function restoreStore
interface BackupOptions
interface LibsqlClient
interface LibsqlClientOptions
interface LibsqlOptions
interface LibsqlUrlOptions
interface RestoreOptions
typeAlias Durability`,
  "./adapters/sqlite": `function backupStore
function restoreStore
function sqliteStore
interface BackupOptions
interface RestoreOptions
interface SqliteOptions
interface SqlitePathOptions
interface SqliteUrlOptions
typeAlias Durability`,
  "./adapters/streams/memory": `function memoryStreamer
interface MemoryStreamerOptions`,
  "./adapters/streams/broadcast_channel": `function broadcastStreamer
interface BroadcastStreamer
interface BroadcastStreamerOptions`,
  "./plugins/browser": `function askToTick
function browserPlatform
function tickMessage
function tickOn
interface AskToTickOptions
interface AskedTick
interface BrowserPlatformOptions
interface TickMessage
interface TickOnOptions
interface TickRegistration
typeAlias TickReply`,
  "./plugins/cron": `interface CronType
variable cron`,
  "./plugins/hono": `function bearerTokens
function createWebhooks
function httpApi
interface AuthorizeCall
interface DefinitionView
interface HttpApiOptions
interface HttpLimits
interface IntegrationView
interface MetricsPage
interface Problem
interface RunSchema
interface ScheduleSchema
interface Scope
interface ServiceSchema
interface TokenHolder
interface WebhookTarget
interface WebhookUrlOptions
interface Webhooks
interface WebhooksOptions
interface WireRecurrence
typeAlias AnyFields
typeAlias Authorize
typeAlias BodyOf
typeAlias Endpoint
typeAlias ItemList
typeAlias LockPath
typeAlias Operated
typeAlias Paging
typeAlias PathOf
typeAlias PawlSchema
typeAlias QueryOf
typeAlias RateLimitHook
typeAlias RunFilter
typeAlias RunPath
typeAlias SchedulePath
typeAlias TextEndpoint
typeAlias Verb
typeAlias Wire`,
  "./plugins/hono/client": `class HttpFailedError
function createClient
interface BatchFailure
interface BatchInput
interface Client
interface ClientOptions
interface ClientWatchOptions
interface DefinitionView
interface IntegrationView
interface LockClient
interface OperatorClient
interface RequestOptions
interface RunClient
typeAlias BatchFilter
typeAlias BatchLine`,
  "./plugins/otel": `function otelTelemetry
function traceIdOf
interface OtelMeter
interface OtelOptions
interface OtelTracer`,
  "./plugins/prometheus": `function prometheusTelemetry
interface PrometheusOptions
interface PrometheusTelemetry`,
  "./plugins/rrule": `interface RruleOptions
interface RruleType
variable rrule`,
  "./testing": `class SimulationError
function readAnswer
function recordingTelemetry
function runStub
function seededRandom
function simulate
function storeConformance
function streamerConformance
function testEngine
function virtualClock
interface AwaitTimerOptions
interface ConformanceCase
interface RecordedSpan
interface RecordingTelemetry
interface RequireDataOptions
interface SimulateOptions
interface SimulatedClient
interface SimulatedHost
interface SimulationReport
interface SimulationScenario
interface StoreConformanceOptions
interface StreamerConformanceOptions
interface TestEngine
interface TestEngineOptions
interface TestWaitOptions
interface VirtualClock
interface VirtualClockOptions
typeAlias HandlerAnswer
typeAlias HandlerOf
typeAlias RunStubOptions
typeAlias SimulatedEngineOptions`,
};

async function exportedNames(file: string): Promise<string> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", new URL(`../${file}`, import.meta.url).pathname],
    env: { NO_COLOR: "1" },
  });
  const { code, stdout, stderr } = await command.output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  const doc = JSON.parse(new TextDecoder().decode(stdout)) as {
    readonly nodes: Readonly<Record<string, { readonly symbols: readonly DocSymbol[] }>>;
  };
  const symbols = Object.values(doc.nodes).flatMap((node) => node.symbols);
  const lines = symbols.map(({ name, declarations }) => `${declarations[0]!.kind} ${name}`);
  return [...new Set(lines)].sort().join("\n");
}

const manifest = JSON.parse(await Deno.readTextFile(new URL("../deno.json", import.meta.url))) as {
  readonly exports: Readonly<Record<string, string>>;
};

Deno.test("deno.json exports the subpaths that users import", () => {
  assert.deepEqual(Object.keys(manifest.exports).sort(), Object.keys(surface).sort());
});

for (const [subpath, file] of Object.entries(manifest.exports)) {
  Deno.test(`the subpath ${subpath} exports the names that users know`, async () => {
    assert.equal(await exportedNames(file), surface[subpath]);
  });
}
