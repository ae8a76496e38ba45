import { PawlError } from "../errors.ts";
import { hash32 } from "../hash.ts";
import type { Limits } from "../limits.ts";
import type { Clock } from "../ports/clock.ts";
import type { Codec } from "../ports/codec.ts";
import type { Logger } from "../ports/logger.ts";
import type { Platform } from "../ports/platform.ts";
import type { Random } from "../ports/random.ts";
import { shardOfHash, shardOfRunId } from "../parts/run_id.ts";
import { type Payload } from "../parts/run_record.ts";
import { encodeKey } from "../store/key.ts";
import type { GroupCommitter } from "../store/group_commit.ts";
import type { GroupReader } from "../store/group_read.ts";
import type { Store } from "../store/store.ts";
import type { Definition } from "./behaviour.ts";
import type { DefinitionMap } from "./definition_map.ts";
import type { Features } from "./feature.ts";
import type { Integrations } from "./integrations.ts";
import type { Locks } from "./locks.ts";
import type { EngineMetrics } from "./metrics.ts";
import type { Recurrence, StoredRecurrence } from "../schedule/recurrence.ts";
import type { ScheduleFilter } from "./schedule_types.ts";
import type { RelayPolicy } from "./relay_policy.ts";
import type { RunWatch } from "./run_watch.ts";
import type { StreamHub } from "./stream_hub.ts";
import type { AttemptTracer } from "./trace_attempt.ts";
import type { Engine } from "./verbs.ts";

/** What every part of one engine shares. */
export interface EngineContext {
  /** Its verbs, for user code that the engine runs. */
  readonly engine: Engine;
  readonly engineId: string;
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** What it can do beside running its definitions. */
  readonly features: Features;
  /** Runs an attempt within a span of its own; absent: nobody asks for spans. */
  readonly trace: AttemptTracer | undefined;
  /** What is measured; absent: there is no telemetry. */
  readonly metrics: EngineMetrics | undefined;
  readonly platform: Platform;
  readonly limits: Limits;
  readonly codec: Codec | undefined;
  readonly committer: GroupCommitter;
  readonly reader: GroupReader;
  readonly definitions: ReadonlyMap<string, Definition>;
  /** The same, to add to before it works. */
  readonly carried: DefinitionMap;
  /** The integrations in use; absent: it has no such feature. */
  readonly integrations?: Integrations;
  /** Reads a stored recurrence, if this engine carries its type. */
  readonly readRecurrence: (stored: StoredRecurrence) => Recurrence;
  /** What schedules may ask by name whether an occurrence is one. */
  readonly filters: ReadonlyMap<string, ScheduleFilter>;
  /** How new its code is; larger is newer. */
  readonly codeVersion: number;
  /** Whether it owns shards and works, or only calls verbs. */
  readonly works: boolean;
  readonly watch: RunWatch;
  /** Its locks; absent: it has none. */
  readonly locks?: Locks;
  /** Wakes whoever waits for rows of streams. */
  readonly hub: StreamHub;
  /** How long rows of streams are kept. */
  readonly keepEventsMs: number;
  /** Where logs are sent to; `undefined`: nowhere. */
  readonly relay: RelayPolicy | undefined;
  /** Whether a trigger keeps the stack of its caller. */
  readonly traceOrigin: boolean;
  /** How often the engine looks for what no hint told it. */
  readonly pollMs: number;
  /** How long an ownership outlives the last sign of life. */
  readonly termMs: number;
}

/** The hash that places a key: part of the stored format. */
export function placeOf(definition: string, key: string): number {
  return hash32(encodeKey(definition, key));
}

/** The shard of a definition's key. */
export function shardOf(context: EngineContext, definition: string, key: string): number {
  return shardOfHash(placeOf(definition, key), context.store.shards);
}

/**
 * The shard that holds a run.
 *
 * @throws {PawlError} `INVALID_ARGUMENT` when the text is no run id.
 */
export function shardOfRun(context: EngineContext, runId: string): number {
  const shard = typeof runId === "string" ? shardOfRunId(runId, context.store.shards) : undefined;
  if (shard === undefined) {
    throw new PawlError("INVALID_ARGUMENT", `Cannot find run: got ${JSON.stringify(runId)}, want a run id`);
  }
  return shard;
}

/**
 * The carried definition of that name.
 *
 * @throws {PawlError} `UNKNOWN_DEFINITION` when this engine does not carry it.
 */
export function definitionOf(context: EngineContext, name: string): Definition {
  const found = context.definitions.get(name);
  if (found) return found;
  throw new PawlError(
    "UNKNOWN_DEFINITION",
    `Cannot use definition ${JSON.stringify(name)}: this engine carries ` +
      `${[...context.definitions.keys()].map((each) => `"${each}"`).join(", ") || "none"}; ` +
      `add it to createEngine({ definitions })`,
  );
}

/** A payload as it is stored, with the version of the data: sealed by the codec, if there is one. */
export function sealPayload(
  context: EngineContext,
  text: string,
  version: number,
): Payload | Promise<Payload> {
  if (!context.codec) return { text, sealed: false, version };
  const sealed = context.codec.encode(text);
  if (typeof sealed === "string") return { text: JSON.stringify(sealed), sealed: true, version };
  return sealed.then((each) => ({ text: JSON.stringify(each), sealed: true, version }));
}

/** The user's JSON text of a stored payload. */
export function openPayload(
  context: Pick<EngineContext, "codec">,
  stored: { readonly payload: string; readonly sealed?: boolean },
): string | Promise<string> {
  if (!stored.sealed) return stored.payload;
  if (!context.codec) {
    throw new PawlError(
      "INVALID_ARGUMENT",
      "Cannot read run data: it is sealed by a codec and this engine has none",
    );
  }
  return context.codec.decode(JSON.parse(stored.payload) as string);
}
