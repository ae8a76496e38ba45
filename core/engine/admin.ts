import { readOwner, readPresence } from "../parts/ownership_rows.ts";
import { splitKey, unescapeText } from "../store/key.ts";
import { keyspace } from "../store/keyspace.ts";
import type { CommitCounts } from "../store/group_commit.ts";
import type { EngineContext } from "./context.ts";
import type { ExportOptions } from "./export_runs.ts";
import { featureOf } from "./feature.ts";
import type { ImportOptions, ImportReport } from "./import_runs.ts";
import { type RelayInfo, relayInfos } from "./relay_info.ts";
import { parkedHooks, type ParkedPage, type ParkedQuery, retryHook } from "./parked.ts";
import { type UnservedWork, unservedWork } from "./unserved.ts";
import type { VerifyReport } from "./verify.ts";
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
  /**
   * The runs of the store as NDJSON text, in pieces of a line each: for backups of any store, and to move to a store of
   * another kind or shard count. Engines may go on meanwhile; each run is whole as of one moment. Leases are left out,
   * and so is all of streams: an imported run tells nobody of what happened to it elsewhere.
   *
   * @param options `definition`: only its runs. `signal`: ends the export by throwing its reason.
   * @returns A header, one line per run with its history and idempotency rows, and a trailer.
   *
   * @example
   * ```ts
   * import assert from "node:assert/strict";
   * import { createEngine, machine } from "pawl";
   * import { memoryStore } from "pawl/adapters/memory";
   * const job = machine("job").step("new", ["done"], () => "done").build();
   * const from = createEngine({ store: memoryStore(), definitions: [job] });
   * const { runId } = await from.trigger(job, "k");
   * const to = createEngine({ store: memoryStore({ shards: 4 }), definitions: [job] });
   * assert.equal((await to.admin.import(from.admin.export())).runs, 1);
   * assert.equal((await to.get(job, "k"))?.runId, runId);
   * ```
   */
  export(options?: ExportOptions): AsyncIterable<string>;
  /**
   * Takes the runs of an export into this engine's store. Never overwrites, and may be repeated: a run that is there is
   * skipped. A run that cannot be taken is refused and reported, and the others go on.
   *
   * @param text What {@linkcode Admin.export} gave, in pieces cut anywhere.
   * @param options `signal`, `onProgress`.
   * @returns How many runs were imported, skipped and refused, and why.
   * @throws {ImportIncompleteError} When the text was cut off; what came before the cut is imported.
   * @throws {PawlError} `INVALID_ARGUMENT` when it is no export, `STORE_INCOMPATIBLE` when it is of a newer format, or
   * what the store says; then import it again.
   */
  import(text: AsyncIterable<string> | Iterable<string>, options?: ImportOptions): Promise<ImportReport>;
  /** Engines that have given a sign of life and not said goodbye. */
  engines(): Promise<readonly EngineInfo[]>;
  /** Every definition of every shard that was ever owned. */
  shards(): Promise<readonly ShardInfo[]>;
  /** Work that no living engine carries the code for; it waits until one does. */
  unserved(): Promise<readonly UnservedWork[]>;
  /** How far the relay has sent the logs of the carried definitions with a stream, and which runs it holds back. */
  relays(): Promise<readonly RelayInfo[]>;
  /** Hooks that have failed too often, one page of them. */
  parked(query?: ParkedQuery): Promise<ParkedPage>;
  /**
   * Tries a parked hook again, with a fresh count of attempts.
   *
   * @param id From {@linkcode Admin.parked}.
   * @throws {PawlError} `HOOK_NOT_FOUND` when it has succeeded meanwhile.
   */
  retry(id: string): Promise<void>;
  /** What this engine has done so far. */
  counts(): EngineCounts;
}

/**
 * @param context The engine.
 * @param work What it works on.
 * @returns Its operators' desk.
 */
export function adminOf(context: EngineContext, work: Work): Admin {
  const { features, limits: { readPageMax: limit } } = context;
  return {
    engineId: context.engineId,
    export: (options = {}) => featureOf(features, "transfer", "export").exportRuns(context, options),
    import: async (text, options = {}) =>
      await featureOf(features, "transfer", "import").importRuns(context, text, options),
    verify: async (options) => await featureOf(features, "verify", "verify")(context, options?.signal),
    counts: () => ({ ...context.committer.counts, reads: context.reader.trips, steps: work.processed }),
    unserved: () => unservedWork(context),
    relays: () => relayInfos(context),
    parked: (query) => parkedHooks(context, query),
    retry: (id) => retryHook(context, work.ownership, id),
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
