import { readOwner, readPresence } from "../parts/ownership_rows.ts";
import { splitKey, unescapeText } from "../store/key.ts";
import { keyspace } from "../store/keyspace.ts";
import type { CommitCounts } from "../store/group_commit.ts";
import type { EngineContext } from "./context.ts";
import { type UnservedWork, unservedWork } from "./unserved.ts";
import { type VerifyReport, verifyStore } from "./verify.ts";
import type { Work } from "./work.ts";

/** An engine that has given a sign of life. */
export interface EngineInfo {
  /** The engine. */
  readonly engineId: string;
  /** When it began. */
  readonly since: Date;
  /** Until when it may be taken for alive. */
  readonly expiresAt: Date;
  /** How new its code is. */
  readonly codeVersion: number;
  /** Names of the definitions it carries. */
  readonly definitions: readonly string[];
}

/** Who owns a definition in a shard. */
export interface ShardInfo {
  /** The shard. */
  readonly shard: number;
  /** The definition. */
  readonly definition: string;
  /** Its owner; absent: nobody. */
  readonly engineId?: string;
  /** How often it has changed hands. */
  readonly epoch: number;
  /** When it changed hands last. */
  readonly since: Date;
}

/** Running totals of one engine. */
export interface EngineCounts extends Readonly<CommitCounts> {
  /** Trips to read. */
  readonly reads: number;
  /** Attempts of steps that came to an end. */
  readonly steps: number;
}

/** What operators ask. */
export interface Admin {
  /** This engine's id. */
  readonly engineId: string;
  /** Walks the store and reports what should not be; changes nothing. Meant for a quiet store. */
  verify(options?: { readonly signal?: AbortSignal }): Promise<VerifyReport>;
  /** Engines that have given a sign of life and not said goodbye. */
  engines(): Promise<readonly EngineInfo[]>;
  /** Every definition of every shard that was ever owned. */
  shards(): Promise<readonly ShardInfo[]>;
  /** Work that no living engine carries the code for; it waits until one does. */
  unserved(): Promise<readonly UnservedWork[]>;
  /** What this engine has done so far. */
  counts(): EngineCounts;
}

/**
 * @param context The engine.
 * @param work What it works on.
 * @returns Its operators' desk.
 */
export function adminOf(context: EngineContext, work: Work): Admin {
  const limit = context.limits.pageMax;
  return {
    engineId: context.engineId,
    verify: (options) => verifyStore(context, options?.signal),
    counts: () => ({ ...context.committer.counts, reads: context.reader.trips, steps: work.processed }),
    unserved: () => unservedWork(context),
    async engines() {
      const [entries] = await context.reader.read(0, [{ ...keyspace.presence.range(), limit }]);
      return entries!.map((entry) => {
        const { since, expiresAt, codeVersion, carries } = readPresence(entry);
        const engineId = unescapeText(splitKey(entry.key)[1]!);
        const definitions = carries.map(([name]) => name);
        return { engineId, since: new Date(since), expiresAt: new Date(expiresAt), codeVersion, definitions };
      });
    },
    async shards() {
      const shards = Array.from({ length: context.store.shards }, (_, shard) => shard);
      const found = await Promise.all(shards.map(async (shard) => {
        const [entries] = await context.reader.read(shard, [{ ...keyspace.owner.range(), limit }]);
        return entries!.map((entry): ShardInfo => {
          const { engineId, epoch, since } = readOwner(entry);
          const definition = unescapeText(splitKey(entry.key)[1]!);
          return { shard, definition, epoch, since: new Date(since), ...(engineId !== null && { engineId }) };
        });
      }));
      return found.flat();
    },
  };
}
