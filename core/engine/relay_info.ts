import { readHeld, readRelay } from "../parts/relay_rows.ts";
import { readLog } from "../parts/run_log.ts";
import { splitKey, stamp, unescapeText } from "../store/key.ts";
import { keyspace } from "../store/keyspace.ts";
import type { Entry } from "../store/store.ts";
import type { EngineContext } from "./context.ts";

/** A run whose events the relay holds back, as the first of them cannot be sent. */
export interface HeldRun {
  /** The run. */
  readonly runId: string;
  /** Since when. */
  readonly since: Date;
  /** How often sending the event has failed. */
  readonly attempts: number;
  /** When it is tried next. */
  readonly dueAt: Date;
  /** What the last try failed with. */
  readonly error: string;
}

/** How far the relay has come with a definition in a shard. */
export interface RelayInfo {
  /** The definition. */
  readonly definition: string;
  /** The shard. */
  readonly shard: number;
  /** When the relay last moved on; absent: never. */
  readonly movedAt?: Date;
  /** Age in milliseconds of the oldest event it has not passed; 0: there is none. */
  readonly lagMs: number;
  /** Runs it holds back. */
  readonly held: readonly HeldRun[];
}

/** How far the relays of the carried definitions with a stream have come, as the store says. */
export async function relayInfos(context: EngineContext): Promise<readonly RelayInfo[]> {
  const streamed = [...context.definitions.values()].filter((each) => each.behaviour.stream);
  const shards = Array.from({ length: context.store.shards }, (_, shard) => shard);
  const places = streamed.flatMap(({ name }) => shards.map((shard) => ({ definition: name, shard })));
  return await Promise.all(places.map((place) => relayInfo(context, place)));
}

async function relayInfo(
  context: EngineContext,
  { definition, shard }: { readonly definition: string; readonly shard: number },
): Promise<RelayInfo> {
  const { reader, clock, limits } = context;
  const [[relay], held] = await reader.read(shard, [
    { get: keyspace.relay.key(definition) },
    { ...keyspace.held.range(definition), limit: limits.readPageMax },
  ]) as [Entry[], Entry[]];
  const row = relay && orUndefined(() => readRelay(relay));
  const start = keyspace.log.front(definition) + stamp((row?.version ?? 0) + 1);
  const [[oldest]] = await reader.read(shard, [
    { start, end: keyspace.log.range(definition).end, limit: 1 },
  ]) as [Entry[]];
  const at = oldest && orUndefined(() => readLog(oldest).at);
  return {
    definition,
    shard,
    ...(row && { movedAt: new Date(row.at) }),
    lagMs: at === undefined ? 0 : Math.max(0, clock.now() - at),
    held: held.map(heldRun),
  };
}

function heldRun(entry: Entry): HeldRun {
  const { runId, since, attempts, due, error } = orUndefined(() => readHeld(entry)) ??
    {
      runId: unescapeText(splitKey(entry.key)[2]!),
      since: 0,
      attempts: 0,
      due: 0,
      error: "the row is damaged",
    };
  return { runId, since: new Date(since), attempts, dueAt: new Date(due), error };
}

/** What is damaged is for `admin.verify()` to report. */
function orUndefined<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
