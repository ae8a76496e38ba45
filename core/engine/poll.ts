import type { Cancel } from "../ports/clock.ts";
import { isAhead } from "../parts/set_back.ts";
import { keyspace } from "../store/keyspace.ts";
import type { Version } from "../store/store.ts";
import { type EngineContext, shardOfRun } from "./context.ts";
import type { Ownership } from "./ownership.ts";
import { presenceShard } from "./presence.ts";
import type { ShardOwner } from "./shard_owner.ts";
import { readRun } from "./write_change.ts";

/**
 * The backstop behind every hint: one read for the bells of all owned shards, for the roster's, and for all runs that
 * somebody here waits for and this engine does not own. A hint from another writer only makes it come at once.
 */
export class Poll {
  readonly #context: EngineContext;
  readonly #ownership: Ownership;
  #cancel: Cancel | undefined;
  #unwatch: (() => void) | undefined;
  #looking = false;
  #again = false;
  /** The bell of each owned shard when the runs were last looked at that somebody here waits for. */
  readonly #seen = new WeakMap<ShardOwner, Version | undefined>();
  /** The wall clock's lead over the monotonic one, at the last round. */
  #lead: number | undefined;
  #stopped = true;
  #forGood = false;
  /** A tick is going on. */
  #isHeld = false;

  /**
   * @param context The engine.
   * @param ownership What it owns.
   */
  constructor(context: EngineContext, ownership: Ownership) {
    this.#context = context;
    this.#ownership = ownership;
  }

  /**
   * Begins to look, or goes on.
   *
   * @param forGood Until {@linkcode stop}; else only while somebody waits for a run.
   */
  start(forGood: boolean): void {
    this.#forGood ||= forGood;
    if (!this.#stopped) return;
    this.#stopped = false;
    this.#lead ??= this.#leadNow();
    const own = `${this.#context.committer.id}.`;
    this.#unwatch = this.#context.store.watch?.((_shard, committerId) => {
      if (!committerId.startsWith(own)) this.#soon();
    });
    this.#arm();
  }

  /** Looks while a tick goes on, which hears of what others write only so. */
  hold(): void {
    this.#isHeld = true;
    this.start(false);
  }

  /** The tick has ended; those who wait for a run are left their rounds. */
  letGo(): void {
    this.#isHeld = false;
    if (!this.#isNeeded) this.stop();
  }

  /** Looks at once. */
  hurry(): void {
    if (!this.#stopped) this.#soon();
  }

  /** Looks no more. */
  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
    this.#unwatch?.();
  }

  #soon(): void {
    if (this.#looking) {
      this.#again = true;
      return;
    }
    this.#looking = true;
    this.#context.clock.soon(() => this.#round());
  }

  #arm(): void {
    this.#cancel?.();
    this.#cancel = this.#context.clock.after(this.#context.pollMs, () => {
      if (!this.#isNeeded) return this.stop();
      if (!this.#looking) this.#soon();
      this.#arm();
    });
  }

  get #isNeeded(): boolean {
    const { watch, locks } = this.#context;
    return this.#forGood || this.#isHeld || watch.runIds.length > 0 || locks?.clients.isWaiting === true;
  }

  async #round(): Promise<void> {
    try {
      if (!this.#stopped) {
        const isAtWork = (this.#forGood || this.#isHeld) && this.#context.works;
        const locks = this.#context.locks?.look(isAtWork);
        await Promise.all([this.#roster(), this.#bells().then((rung) => this.#waited(rung)), locks]);
      }
    } catch (error) {
      if (!this.#stopped) this.#context.logger.log("warn", "Cannot poll the store", { error: String(error) });
    }
    this.#looking = false;
    if (!this.#again || this.#stopped) return;
    this.#again = false;
    this.#soon();
  }

  async #roster(): Promise<void> {
    const { reader, works } = this.#context;
    if (!this.#forGood || !works) return;
    const bell = await reader.get(presenceShard, keyspace.roster.key());
    this.#ownership.heard(bell?.version);
  }

  /** @returns Owners in whose shards somebody else may have changed a run since their runs were looked at here. */
  async #bells(): Promise<ReadonlyMap<ShardOwner, Version | undefined>> {
    const lead = this.#leadNow();
    if (this.#lead !== undefined && isAhead(this.#lead, lead)) {
      const aheadAt = this.#context.clock.monotonic() + this.#lead;
      for (const owner of this.#ownership.owners) owner.setBack(aheadAt);
    }
    this.#lead = lead;
    const rung = new Map<ShardOwner, Version | undefined>();
    const since = this.#context.clock.monotonic();
    await Promise.all(this.#ownership.owners.map(async (owner) => {
      owner.wake();
      const bell = await this.#context.reader.get(owner.shard, keyspace.bell.key(owner.name));
      owner.heard(bell?.version, since);
      if (!this.#seen.has(owner) || this.#seen.get(owner) !== bell?.version) rung.set(owner, bell?.version);
    }));
    return rung;
  }

  #leadNow(): number {
    return this.#context.clock.now() - this.#context.clock.monotonic();
  }

  /** Runs of this engine's own shards are looked at only when somebody has rung: what it writes itself, it tells itself. */
  async #waited(rung: ReadonlyMap<ShardOwner, Version | undefined>): Promise<void> {
    const { runIds } = this.#context.watch;
    const quiet = new Map<number, ShardOwner[]>();
    for (const owner of this.#ownership.owners) {
      if (!rung.has(owner)) quiet.set(owner.shard, [...quiet.get(owner.shard) ?? [], owner]);
    }
    await Promise.all(runIds.map(async (runId) => {
      if (quiet.get(shardOfRun(this.#context, runId))?.some((owner) => owner.known(runId))) return;
      const held = await readRun(this.#context, runId);
      if (held) this.#context.watch.changed(held.record);
      else this.#context.watch.gone(runId);
    }));
    for (const [owner, bell] of rung) this.#seen.set(owner, bell);
  }
}
