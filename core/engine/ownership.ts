/**
 * Which definitions of which shards this engine owns: claiming, renewing, taking over from the dead, releasing.
 *
 * @module
 */
import { PawlError } from "../errors.ts";
import { type Cancel } from "../ports/clock.ts";
import { type OwnerRow, readOwner, readPresence, releaseOwner, writeOwner } from "../parts/ownership_rows.ts";
import { BatchBuilder } from "../store/batch.ts";
import { readStamp, splitKey, unescapeText } from "../store/key.ts";
import { keyspace } from "../store/keyspace.ts";
import type { Check, Entry } from "../store/store.ts";
import type { EngineContext } from "./context.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { ShardOwner } from "./shard_owner.ts";
import { Suspects } from "./suspects.ts";

/** Presence rows live in one shard, so that one range finds them all. */
const presenceShard = 0;

/** How far two machines' clocks may be apart before a living owner is taken for dead a little early (it is fenced). */
const skewMs = 500;

/** Terms past its end after which the presence of a dead engine is removed, so that they do not pile up. */
const staleTerms = 10;

/** What a look at the store found about one definition in one shard. */
interface Sighting {
  readonly definition: string;
  readonly shard: number;
  readonly owner: Entry | undefined;
  /** When its earliest work is due; absent: it has none. */
  readonly firstDue: number | undefined;
  readonly state: "free" | "dead" | "held" | "mine";
}

/** What became of a round of claims. */
export interface ClaimReport {
  /** Shards with work due that others own. */
  readonly heldElsewhere: number;
  /** Earliest due time among what was not claimed. */
  readonly nextDue: number | undefined;
}

/** Owns what it can get. */
export class Ownership {
  readonly #context: EngineContext;
  readonly #dispatcher: Dispatcher;
  readonly #suspects: Suspects;
  readonly #owners = new Map<string, { readonly owner: ShardOwner; readonly epoch: number }>();
  /** When each other engine's presence last changed, by this engine's own monotonic clock. */
  readonly #seen = new Map<string, { version: number; at: number }>();
  readonly #since: number;
  /** By the monotonic clock, which may begin at zero; absent: not since the last release. */
  #renewedAt: number | undefined;
  #cancels = new Set<Cancel>();
  #running = false;

  /**
   * @param context The engine.
   * @param dispatcher Starts what the owners find due.
   */
  constructor(context: EngineContext, dispatcher: Dispatcher) {
    this.#context = context;
    this.#dispatcher = dispatcher;
    this.#suspects = new Suspects(context.limits);
    this.#since = context.clock.now();
  }

  /** What is owned now. */
  get owners(): readonly ShardOwner[] {
    return [...this.#owners.values()].map((each) => each.owner);
  }

  /** The owner of a definition in a shard, when it is this engine. */
  ownerOf(definition: string, shard: number): ShardOwner | undefined {
    return this.#owners.get(`${shard} ${definition}`)?.owner;
  }

  /** Owns and renews until {@linkcode release}. */
  async start(): Promise<void> {
    this.#running = true;
    await this.renew(this.#context.termMs);
    await this.claim(() => true);
    this.#every(this.#context.termMs / 3, () => this.renew(this.#context.termMs));
    this.#every(this.#context.termMs / 2, async () => void await this.claim(() => true));
  }

  /** Writes this engine's sign of life. */
  async renew(termMs: number): Promise<void> {
    const { clock, committer, engineId } = this.#context;
    const startedAt = clock.monotonic();
    // Past its own term this engine may have been taken for dead: it starts nothing until it is known alive again.
    if (this.#renewedAt !== undefined && startedAt - this.#renewedAt > termMs) this.#dispatcher.stop();
    const row = { expiresAt: clock.now() + termMs, termMs, since: this.#since };
    const batch = new BatchBuilder().put(keyspace.presence.key(engineId), JSON.stringify(row));
    await committer.commit(presenceShard, batch);
    this.#renewedAt = startedAt;
    if (this.#running) this.#dispatcher.resume();
  }

  /**
   * Claims what is free or dead and wanted.
   *
   * @returns What it had to leave.
   */
  async claim(
    wanted: (sighting: { readonly firstDue: number | undefined }) => boolean,
  ): Promise<ClaimReport> {
    const sightings = await this.#look();
    const now = this.#context.clock.now();
    let heldElsewhere = 0;
    let nextDue: number | undefined;
    const claims: Promise<void>[] = [];
    for (const sighting of sightings) {
      if (sighting.state === "mine") continue;
      const { firstDue } = sighting;
      if (sighting.state !== "held" && wanted(sighting)) {
        claims.push(this.#take(sighting));
        continue;
      }
      if (firstDue === undefined) continue;
      if (sighting.state === "held" && firstDue <= now) heldElsewhere++;
      nextDue = Math.min(nextDue ?? Infinity, firstDue);
    }
    await Promise.all(claims);
    return { heldElsewhere, nextDue };
  }

  /** Gives up everything; what others own from here on is fenced off from this engine. */
  async release(reason: unknown): Promise<void> {
    this.#running = false;
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
    const { clock, committer, engineId, logger } = this.#context;
    const held = [...this.#owners.values()];
    if (this.#renewedAt === undefined) return;
    this.#renewedAt = undefined;
    this.#owners.clear();
    const releases = held.map(({ owner, epoch }) => {
      owner.end(reason);
      const batch = new BatchBuilder();
      releaseOwner(batch, owner.guard, epoch, clock.now());
      return committer.commit(owner.shard, batch);
    });
    const gone = new BatchBuilder().delete(keyspace.presence.key(engineId));
    const results = await Promise.allSettled([...releases, committer.commit(presenceShard, gone)]);
    for (const result of results) {
      if (result.status === "fulfilled") continue;
      logger.log("warn", "Cannot release a shard; it passes on when its term ends", {
        error: String(result.reason),
      });
    }
  }

  async #look(): Promise<readonly Sighting[]> {
    const { reader, definitions, store, limits } = this.#context;
    const presences = reader.read(presenceShard, [{ ...keyspace.presence.range(), limit: limits.pageMax }]);
    const names = [...definitions.keys()];
    const shards = Array.from({ length: store.shards }, (_, shard) => shard);
    const looks = shards.map((shard) =>
      reader.read(shard, [
        ...names.map((name) => ({ get: keyspace.owner.key(name) })),
        ...names.map((name) => ({ ...keyspace.work.range(name), limit: 1 })),
      ])
    );
    // Together, so that no failure is left that nobody has heard.
    const [present, ...found] = await Promise.all([presences, ...looks]);
    const alive = this.#alive(present[0]!);
    return shards.flatMap((shard) =>
      names.map((definition, index): Sighting => {
        const owner = found[shard]![index]![0];
        const work = found[shard]![names.length + index]![0];
        const firstDue = work && readStamp(splitKey(work.key)[2]!);
        return { definition, shard, owner, firstDue, state: this.#stateOf(definition, shard, owner, alive) };
      })
    );
  }

  #stateOf(definition: string, shard: number, owner: Entry | undefined, alive: ReadonlySet<string>) {
    if (this.ownerOf(definition, shard)) return "mine";
    const row: OwnerRow | undefined = owner && readOwner(owner);
    if (!row || row.engineId === null) return "free";
    return row.engineId !== this.#context.engineId && alive.has(row.engineId) ? "held" : "dead";
  }

  /** Engines whose presence has neither expired by the wall clock nor stood still for a term of our own clock. */
  #alive(presences: readonly Entry[]): ReadonlySet<string> {
    const { clock } = this.#context;
    const alive = new Set<string>();
    for (const entry of presences) {
      const engineId = unescapeText(splitKey(entry.key)[1]!);
      const row = readPresence(entry);
      let seen = this.#seen.get(engineId);
      if (seen?.version !== entry.version) {
        seen = { version: entry.version, at: clock.monotonic() };
        this.#seen.set(engineId, seen);
      }
      const stoodStill = clock.monotonic() - seen.at > row.termMs + skewMs;
      if (clock.now() <= row.expiresAt + skewMs && !stoodStill) alive.add(engineId);
      else if (clock.now() > row.expiresAt + staleTerms * row.termMs && stoodStill) this.#bury(entry);
    }
    return alive;
  }

  /** Removes the presence of an engine that is long dead: a missing one says the same. */
  #bury(entry: Entry): void {
    const batch = new BatchBuilder().check(entry.key, entry.version).delete(entry.key);
    this.#context.committer.commit(presenceShard, batch).catch(() => {});
    this.#seen.delete(unescapeText(splitKey(entry.key)[1]!));
  }

  async #take(sighting: Sighting): Promise<void> {
    const { definition, shard } = sighting;
    const { clock, committer, engineId, definitions, logger } = this.#context;
    const batch = new BatchBuilder();
    writeOwner(batch, definition, sighting.owner, engineId, clock.now());
    const takenOverAt = clock.now();
    const result = await committer.commit(shard, batch);
    if (!result.ok) return;
    const guard: Check = { key: keyspace.owner.key(definition), version: result.version };
    const owner = new ShardOwner({
      context: this.#context,
      definition: definitions.get(definition)!,
      shard,
      guard,
      dispatcher: this.#dispatcher,
      suspects: this.#suspects,
      ...(sighting.state === "dead" && { takenOverAt }),
      onLost: (lost) => this.#lost(lost),
    });
    const epoch = (sighting.owner ? readOwner(sighting.owner).epoch : 0) + 1;
    this.#owners.set(`${shard} ${definition}`, { owner, epoch });
    if (sighting.state === "dead") {
      logger.log("warn", "Took over from an engine that gave no more signs of life", {
        definition,
        shard,
        epoch,
      });
    }
    await owner.begin();
  }

  #lost(owner: ShardOwner): void {
    const place = `${owner.shard} ${owner.name}`;
    if (this.#owners.get(place)?.owner === owner) this.#owners.delete(place);
    this.#context.logger.log("warn", "Lost a shard to another engine", {
      definition: owner.name,
      shard: owner.shard,
    });
  }

  /** Repeats until released; a failure is logged and the next round goes on. */
  #every(ms: number, work: () => Promise<void>): void {
    const again = () => {
      const cancel = this.#context.clock.after(ms, async () => {
        this.#cancels.delete(cancel);
        try {
          await work();
        } catch (error) {
          const code = error instanceof PawlError ? error.code : undefined;
          this.#context.logger.log("error", "Upkeep of the engine's leases failed", {
            error: String(error),
            code,
          });
        }
        if (this.#running) again();
      });
      this.#cancels.add(cancel);
    };
    again();
  }
}
