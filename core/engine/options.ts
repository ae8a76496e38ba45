import { type Duration, durationMs } from "../duration.ts";
import { PawlError } from "../errors.ts";
import { defaultLimits, type Limits } from "../limits.ts";
import { type Clock, systemClock } from "../ports/clock.ts";
import type { Codec } from "../ports/codec.ts";
import type { EventStreamer } from "../ports/event_streamer.ts";
import { consoleLogger, type Logger } from "../ports/logger.ts";
import type { RecurrenceType } from "../schedule/recurrence.ts";
import { type Platform, server } from "../ports/platform.ts";
import { type Random, systemRandom } from "../ports/random.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import { GroupCommitter } from "../store/group_commit.ts";
import { GroupReader } from "../store/group_read.ts";
import type { Store } from "../store/store.ts";
import type { Definition } from "./behaviour.ts";
import { checkOptionNames } from "./check_input.ts";
import type { EngineContext } from "./context.ts";
import { DefinitionMap } from "./definition_map.ts";
import { type Feature, featureOf, type Features, gatherFeatures } from "./feature.ts";
import type { RelayOptions } from "./relay_policy.ts";
import type { ScheduleFilter } from "./schedule_types.ts";
import { RunWatch } from "./run_watch.ts";
import { StreamHub } from "./stream_hub.ts";
import type { StepOptions } from "./step_options.ts";

/** Options of `createEngine`. */
export interface EngineOptions {
  /** Where everything is kept. The engine does not close it. */
  readonly store: Store;
  /** What this engine carries. */
  readonly definitions: readonly Definition[];
  /** Default: the machine's clock. */
  readonly clock?: Clock;
  /** Default: the machine's chance. */
  readonly random?: Random;
  /** Default: JSON lines of warnings and errors on the console. */
  readonly logger?: Logger;
  /** Where metrics and traces go, such as `prometheusTelemetry()`; default: nowhere, and nothing is measured. */
  readonly telemetry?: Telemetry;
  /** What is around the engine, such as `browserPlatform()`; default: a server, always online and fit for work. */
  readonly platform?: Platform;
  /** Transforms users' payloads, for instance encrypts them. */
  readonly codec?: Codec;
  /** Types of recurrences beside `every`, such as those of `pawl/plugins/cron`, for the schedules of its definitions. */
  readonly recurrences?: readonly RecurrenceType[];
  /** What schedules ask by name (`filter`) whether an occurrence is one. */
  readonly filters?: Readonly<Record<string, ScheduleFilter>>;
  /**
   * How new this engine's code is: a whole number, such as a build number; default 0. Of the living engines that carry
   * a definition, only those with the newest code get its shards. Where the numbers are equal and the graphs differ,
   * the graph that appeared last counts as newer.
   */
  readonly codeVersion?: number;
  /** `false`: the engine only calls verbs and owns nothing, for instance in a web server beside the workers. */
  readonly work?: boolean;
  /** How long an ownership outlives the engine's last sign of life; default term 10 s. */
  readonly lease?: { readonly term?: Duration };
  /** How often the engine looks for what no hint told it of; default 500 ms. */
  readonly poll?: Duration;
  /**
   * Where the owners of shards send every transition of the definitions with `stream: true`, at least once and in order
   * per run; default: nowhere. They can be received from `engine.streams` either way.
   */
  readonly streams?: EventStreamer | RelayOptions;
  /**
   * How long `engine.streams` keeps events, received or not; default 7 days. A receiver that is further behind goes on with
   * what is left. What the relay has not sent yet is kept for longer.
   */
  readonly keepEvents?: Duration;
  /** Single limits to change. */
  readonly limits?: Partial<Limits>;
  /**
   * Keep with each run the stack of whoever triggered it; default `false`, as that costs a trigger 30 to 50 us of CPU,
   * about as much as a whole step in memory. What a trigger is given as `traceOrigin` is kept either way.
   */
  readonly traceOrigin?: boolean;
  /** Defaults for the steps of all definitions, field by field; those of a definition and of its steps go first. */
  readonly steps?: StepOptions;
}

const optionNames: Readonly<Record<keyof EngineOptions, true>> = {
  store: true,
  definitions: true,
  clock: true,
  random: true,
  logger: true,
  telemetry: true,
  platform: true,
  codec: true,
  recurrences: true,
  filters: true,
  codeVersion: true,
  work: true,
  lease: true,
  poll: true,
  streams: true,
  keepEvents: true,
  limits: true,
  traceOrigin: true,
  steps: true,
};

/**
 * Checks the options and makes what the parts of an engine share.
 *
 * @param options As given to `createEngine`.
 * @param given What the engine can do beside running its definitions.
 * @returns All but the engine itself.
 * @throws {PawlError} `INVALID_ARGUMENT` or `INVALID_DURATION`, naming the option; `UNSUPPORTED`, naming a feature.
 */
export function contextOf(
  options: EngineOptions,
  given: readonly Feature[],
): Omit<EngineContext, "engine"> {
  const { store, clock = systemClock(), random = systemRandom() } = options;
  if (typeof store?.commit !== "function" || typeof store.read !== "function") {
    throw new PawlError(
      "INVALID_ARGUMENT",
      "Cannot create engine: `store` is no store; make one with memoryStore() or libsqlStore({ url })",
    );
  }
  checkOptionNames("createEngine", options, optionNames);
  const limits = limitsOf(options);
  const committer = new GroupCommitter({ store, clock, random, limits });
  const pollMs = atLeast(1, durationMs(options.poll ?? 500, "poll"), "poll");
  const logger = options.logger ?? consoleLogger();
  const features = gatherFeatures(given);
  const works = options.work ?? true;
  const defaults = { from: "createEngine({ steps })", options: options.steps };
  const carried = new DefinitionMap({ limits, features, defaults, works });
  carried.add(options.definitions, "create engine");
  const measured = options.telemetry &&
    featureOf(features, "telemetry", "use telemetry").measured(options.telemetry, logger);
  const relay = options.streams === undefined
    ? undefined
    : featureOf(features, "relay", "relay to `streams`").relayPolicy(options.streams);
  return {
    engineId: random.hex(12),
    store,
    clock,
    random,
    logger,
    features,
    metrics: measured?.metrics,
    trace: measured?.trace,
    platform: options.platform ?? server,
    limits,
    codec: options.codec,
    committer,
    reader: new GroupReader(store, clock),
    definitions: carried.all,
    carried,
    ...scheduleRules(options, features),
    codeVersion: codeVersionOf(options),
    works,
    watch: new RunWatch(),
    hub: new StreamHub({ store, clock, committer, pollMs }),
    keepEventsMs: atLeast(1_000, durationMs(options.keepEvents ?? "7d", "keepEvents"), "keepEvents"),
    relay,
    traceOrigin: options.traceOrigin ?? false,
    pollMs,
    termMs: atLeast(100, durationMs(options.lease?.term ?? "10s", "lease.term"), "lease.term"),
  };
}

function codeVersionOf({ codeVersion = 0 }: EngineOptions): number {
  if (Number.isSafeInteger(codeVersion) && codeVersion >= 0) return codeVersion;
  throw new PawlError(
    "INVALID_ARGUMENT",
    `Cannot create engine: codeVersion is ${codeVersion}, want a whole number from 0`,
  );
}

function scheduleRules(
  { recurrences, filters }: EngineOptions,
  features: Features,
): Pick<EngineContext, "readRecurrence" | "filters"> {
  if (recurrences) featureOf(features, "schedules", "use `recurrences`");
  if (filters) featureOf(features, "schedules", "use `filters`");
  const readRecurrence = () => featureOf(features, "schedules", "read a recurrence") as never;
  return features.schedules?.scheduleRules(recurrences, filters) ?? { readRecurrence, filters: new Map() };
}

/** The limits asked for; pages are no longer than the store gives them. */
function limitsOf({ limits: asked, store }: EngineOptions): Limits {
  const limits: Limits = { ...defaultLimits, ...asked };
  for (const [name, value] of Object.entries(limits)) {
    if (!(name in defaultLimits)) {
      throw new PawlError(
        "INVALID_ARGUMENT",
        `Cannot create engine: limits.${name} is no limit; they are ${Object.keys(defaultLimits).join(", ")}`,
      );
    }
    if (typeof value === "number" && value >= 1) continue;
    throw new PawlError(
      "INVALID_ARGUMENT",
      `Cannot create engine: limits.${name} is ${value}, want 1 or more`,
    );
  }
  const { entriesPerRangeMax } = store.limits;
  return {
    ...limits,
    pageMax: Math.min(limits.pageMax, entriesPerRangeMax),
    readPageMax: Math.min(limits.readPageMax, entriesPerRangeMax),
    duePageMax: Math.min(limits.duePageMax, entriesPerRangeMax),
  };
}

function atLeast(least: number, ms: number, what: string): number {
  if (ms >= least) return ms;
  throw new PawlError(
    "INVALID_ARGUMENT",
    `Cannot create engine: ${what} is ${ms} ms, want ${least} ms or more`,
  );
}
