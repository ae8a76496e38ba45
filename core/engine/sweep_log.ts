import { sleep } from "../ports/clock.ts";
import { type HeldRow, readHeld, readRelay } from "../parts/relay_rows.ts";
import { readLog } from "../parts/run_log.ts";
import { BatchBuilder } from "../store/batch.ts";
import { keyAfter } from "../store/key.ts";
import { keyspace } from "../store/keyspace.ts";
import type { Entry } from "../store/store.ts";
import type { EngineContext } from "./context.ts";
import type { Fenced } from "./ring_surely.ts";

/** Rows looked at by one sweep, and the milliseconds to the next when there is more, or nothing more. */
const sweepMax = 1_000;
const pauseMs = 1_000;
const restMs = 600_000;

/**
 * Removes from a log what is past its time, until the ownership ends. What the relay has not sent stays, as long as the
 * engine has one.
 *
 * @param context The engine.
 * @param owner Whose log.
 */
export async function keepLogShort(context: EngineContext, owner: Fenced): Promise<void> {
  let start: string | undefined;
  while (!owner.over) {
    try {
      start = await sweepLog(context, owner, start);
    } catch (error) {
      if (owner.over) return;
      const about = { definition: owner.name, shard: owner.shard, error: String(error) };
      context.logger.log("warn", "Cannot sweep a log", about);
    }
    await sleep(context.clock, start === undefined ? restMs : pauseMs, owner.ended).catch(() => {});
  }
}

/** @returns Where there may be more; `undefined`: nothing more is past its time. */
async function sweepLog(
  context: EngineContext,
  { name, shard, guard }: Fenced,
  from: string | undefined,
): Promise<string | undefined> {
  const { reader, committer, clock, store, limits, keepEventsMs, relay } = context;
  const { start, end } = keyspace.log.range(name);
  const { entriesPerRangeMax, writesPerCommitMax } = store.limits;
  const limit = Math.min(sweepMax, entriesPerRangeMax, writesPerCommitMax);
  const [rows, [relayed], held] = await reader.read(shard, [
    { start: from ?? start, end, limit },
    { get: keyspace.relay.key(name) },
    { ...keyspace.held.range(name), limit: limits.readPageMax },
  ]) as [Entry[], Entry[], Entry[]];
  const passed = !relay ? Infinity : relayed ? versionSent(relayed) : 0;
  const holds = relay ? new Map(held.map(readHold).map((row) => [row.runId, row.version])) : new Map();
  const old = rows.filter((row) => {
    const about = aboutOf(row);
    // What cannot be read can be sent to nobody: it goes once the relay is past it.
    if (!about) return row.version <= passed;
    const isHeld = row.version >= (holds.get(about.runId) ?? Infinity);
    return clock.now() - about.at > keepEventsMs && row.version <= passed && !isHeld;
  });
  if (old.length > 0) {
    const batch = new BatchBuilder({ relaxed: true });
    for (const row of old) batch.delete(row.key);
    await committer.commit(shard, batch, guard);
  }
  const last = rows.at(-1);
  const isYoung = last && clock.now() - (aboutOf(last)?.at ?? 0) <= keepEventsMs;
  return rows.length < limit || isYoung ? undefined : keyAfter(last!.key);
}

/** A damaged row has sent nothing. */
function versionSent(entry: Entry): number {
  try {
    return readRelay(entry).version;
  } catch {
    return 0;
  }
}

/** A damaged row holds all of its run back. */
function readHold(entry: Entry): Pick<HeldRow, "runId" | "version"> {
  try {
    return readHeld(entry);
  } catch {
    return { runId: entry.key.split(" ")[2]!, version: 0 };
  }
}

function aboutOf(entry: Entry): { readonly runId: string; readonly at: number } | undefined {
  try {
    return readLog(entry);
  } catch {
    return undefined;
  }
}
