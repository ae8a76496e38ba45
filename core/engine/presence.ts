import { fingerprint } from "../hash.ts";
import type { PresenceRow } from "../parts/ownership_rows.ts";
import { BatchBuilder } from "../store/batch.ts";
import { keyspace } from "../store/keyspace.ts";
import type { Entry } from "../store/store.ts";
import type { Behaviour } from "./behaviour.ts";
import type { EngineContext } from "./context.ts";

/** Presence rows and the roster's bell live in one shard, so that one range finds all engines. */
export const presenceShard = 0;

/** This engine's sign of life, and the bell that makes the others look who is there. */
export class Presence {
  readonly #context: EngineContext;
  readonly #since: number;
  #carries: PresenceRow["carries"] | undefined;
  #hide: (() => void) | undefined;

  /**
   * @param context The engine; its life begins now.
   */
  constructor(context: EngineContext) {
    this.#context = context;
    this.#since = context.clock.now();
  }

  /** Lets the platform show that this process is there; without that, its term tells. */
  async show(): Promise<void> {
    const { engineId, logger, platform } = this.#context;
    try {
      this.#hide ??= await platform.hold?.(engineId);
    } catch (error) {
      logger.log("warn", "Cannot show others that this engine is there; its term tells", {
        error: String(error),
      });
    }
  }

  /** Shows it no more: whoever looks may take this engine for gone. */
  hide(): void {
    this.#hide?.();
    this.#hide = undefined;
  }

  /**
   * Says that this engine is alive.
   *
   * @param termMs For how long.
   * @param how `ticks`: only for a moment; `rings`: the others should hear of it at once.
   */
  async renew(termMs: number, how: { readonly ticks: boolean; readonly rings: boolean }): Promise<void> {
    const { clock, codeVersion, engineId, platform } = this.#context;
    const row: PresenceRow = {
      expiresAt: clock.now() + termMs,
      termMs,
      since: this.#since,
      codeVersion,
      carries: this.#carries ??= graphsOf(this.#context),
      ...(platform.readiness() === "standby" && { standby: true }),
      ...(this.#hide && { signs: true }),
      ...(how.ticks && { ticks: true }),
    };
    const batch = new BatchBuilder().put(keyspace.presence.key(engineId), JSON.stringify(row));
    await this.#commit(batch, how.rings);
  }

  /** Says goodbye. */
  async leave(how: { readonly rings: boolean }): Promise<void> {
    await this.#commit(
      new BatchBuilder().delete(keyspace.presence.key(this.#context.engineId)),
      how.rings,
    );
  }

  /** Makes the others look who owns what. */
  async ring(): Promise<void> {
    await this.#commit(new BatchBuilder(), true);
  }

  /** Removes the row of an engine that is long dead: a missing one says the same. */
  async bury(row: Entry): Promise<void> {
    await this.#commit(new BatchBuilder().check(row.key, row.version).delete(row.key), false);
  }

  async #commit(batch: BatchBuilder, rings: boolean): Promise<void> {
    if (rings) batch.put(keyspace.roster.key(), "1");
    await this.#context.committer.commit(presenceShard, batch);
  }
}

/** What it carries once it works: integrations may have brought more until then. */
function graphsOf({ definitions }: EngineContext): PresenceRow["carries"] {
  return [...definitions.values()].map(({ name, behaviour }) => [name, graphOf(behaviour)]);
}

/** Tells graphs and versions of data apart, so that engines notice when another carries other code under the same name. */
function graphOf({ statuses, edges, data }: Behaviour): string {
  const sorted = [...statuses].sort().map((status) => [status, [...edges.get(status) ?? []].sort()]);
  return fingerprint(JSON.stringify(data.version === 1 ? sorted : [data.version, sorted]));
}
