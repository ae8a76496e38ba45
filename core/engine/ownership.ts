/**
 * Which definitions of which shards this engine owns: claiming its share, renewing, taking over from the dead, passing
 * on what has become another engine's share, releasing.
 *
 * @module
 */
import { PawlError } from "../errors.ts";
import { type Cancel } from "../ports/clock.ts";
import { passOwner, readOwner, writeOwner } from "../parts/ownership_rows.ts";
import { isAhead } from "../parts/set_back.ts";
import { BatchBuilder } from "../store/batch.ts";
import { keyspace } from "../store/keyspace.ts";
import type { Check, Entry, Version } from "../store/store.ts";
import type { EngineContext } from "./context.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { look, placeOf, type Sighting } from "./look.ts";
import { Presence } from "./presence.ts";
import type { Relay } from "./relay.ts";
import { Roster } from "./roster.ts";
import { ShardOwner } from "./shard_owner.ts";
import { newestCarriers, type Unit } from "./shares.ts";
import { Suspects } from "./suspects.ts";
import { sweepOutcomes } from "./sweep_outcomes.ts";

/** How long the running steps of a shard may take to land before it is passed on, and how long until it is tried again. */
const drainMs = 2_000;
const drainPauseMs = 30_000;

/** What became of a round of claims. */
export interface ClaimReport {
  /** Shards with work due that others own. */
  readonly heldElsewhere: number;
  /** Earliest due time among what was not claimed. */
  readonly nextDue: number | undefined;
}

/** What is owned. */
interface Owned {
  readonly owner: ShardOwner;
  readonly epoch: number;
  /** Sends the log; absent: there is none, or nowhere to send it. */
  readonly relay: Relay | undefined;
  /** By the monotonic clock: not to be passed on before. */
  passAfter: number;
}

/** Owns what it should. */
export class Ownership {
  readonly #context: EngineContext;
  readonly #dispatcher: Dispatcher;
  readonly #suspects: Suspects;
  readonly #roster: Roster;
  readonly #presence: Presence;
  readonly #owned = new Map<string, Owned>();
  /** Since when, by the monotonic clock, a place has been left to an engine that does not take it. */
  readonly #leftSince = new Map<string, number>();
  /** By the monotonic clock, which may begin at zero; absent: not since the last release. */
  #renewedAt: number | undefined;
  #running = false;
  #retired = false;
  #bell: Version | undefined;
  #looking = false;
  #lookAgain = false;
  /** A round of claims that is under way. */
  #claiming: Promise<void> | undefined;
  #nextRenewal: Cancel | undefined;
  #nextLook: Cancel | undefined;
  readonly #onOwned: () => void;

  /**
   * @param context The engine.
   * @param dispatcher Starts what the owners find due.
   * @param onOwned Told after each change of what is owned.
   */
  constructor(context: EngineContext, dispatcher: Dispatcher, onOwned: () => void = () => {}) {
    this.#onOwned = onOwned;
    this.#context = context;
    this.#dispatcher = dispatcher;
    this.#suspects = new Suspects(context.limits);
    this.#roster = new Roster(context.clock);
    this.#presence = new Presence(context);
  }

  /** What is owned now. */
  get owners(): readonly ShardOwner[] {
    return [...this.#owned.values()].map((each) => each.owner);
  }

  /** The owner of a definition in a shard, when it is this engine. */
  ownerOf(definition: string, shard: number): ShardOwner | undefined {
    return this.#owned.get(placeOf(definition, shard))?.owner;
  }

  /** When relays try again what they could not send. */
  get relayDues(): readonly (number | undefined)[] {
    return [...this.#owned.values()].map(({ relay }) => relay?.nextDue);
  }

  /** Resolves when the relays have sent all that there is, or have to wait for another try. */
  async relayed(): Promise<void> {
    await Promise.all([...this.#owned.values()].map(({ relay }) => relay?.caughtUp()));
  }

  /** Owns its share, and renews, until {@linkcode release}. */
  async start(): Promise<void> {
    this.#running = true;
    if (this.#context.platform.hold) await this.#presence.show();
    await this.renew(this.#context.termMs);
    await this.claim(() => true);
    this.#renewLater();
    this.#lookLater();
  }

  /**
   * Writes this engine's sign of life.
   *
   * @param termMs For how long.
   * @param how `isNews`: it tells the others something.
   */
  async renew(termMs: number, how: { readonly isNews: boolean } = { isNews: false }): Promise<void> {
    const startedAt = this.#context.clock.monotonic();
    // Past its own term this engine may have been taken for dead: it starts nothing until it is known alive again.
    const isLate = this.#renewedAt !== undefined && startedAt - this.#renewedAt > termMs;
    if (isLate) this.#dispatcher.stop();
    const isNews = how.isNews || this.#renewedAt === undefined || isLate;
    await this.#presence.renew(termMs, { ticks: !this.#running, rings: this.#running && isNews });
    this.#renewedAt = startedAt;
    if (this.#running && !this.#retired) this.#dispatcher.resume();
  }

  /** Starts nothing more; renewals go on, for what runs is to land. */
  retire(): void {
    this.#retired = true;
    this.#dispatcher.stop();
  }

  /** The roster's bell as the poll found it. A new version means: somebody came or went, or passed something on. */
  heard(bell: Version | undefined): void {
    if (bell === this.#bell) return;
    this.#bell = bell;
    this.#lookNow();
  }

  /**
   * Claims what is free or dead, wanted, and this engine's to take; passes on what should be another's.
   *
   * @returns What it had to leave.
   */
  async claim(
    wanted: (sighting: Sighting) => boolean,
  ): Promise<ClaimReport> {
    // Two rounds at once would take the same shard twice, and each would have an owner that works.
    while (this.#claiming) {
      await this.#claiming;
      if (!this.#running) return { heldElsewhere: 0, nextDue: undefined };
    }
    let end!: () => void;
    this.#claiming = new Promise((resolve) => end = resolve);
    try {
      return await this.#claimAlone(wanted);
    } finally {
      this.#claiming = undefined;
      end();
    }
  }

  async #claimAlone(wanted: (sighting: Sighting) => boolean): Promise<ClaimReport> {
    const owns = (place: string, row: Entry | undefined) => this.#owns(place, row);
    const { sightings, shares, stale } = await look(this.#context, this.#roster, owns);
    for (const row of stale) this.#presence.bury(row).catch(() => {});
    const now = this.#context.clock.now();
    let heldElsewhere = 0;
    let nextDue: number | undefined;
    const claims: Promise<void>[] = [];
    for (const sighting of sightings) {
      const { firstDue, state } = sighting;
      if (state === "mine") {
        if (this.#running) this.#passOn(sighting, shares.get(sighting));
        continue;
      }
      if (state !== "held" && wanted(sighting) && this.#mayTake(sighting, shares)) {
        claims.push(this.#take(sighting));
        continue;
      }
      if (firstDue === undefined) continue;
      if (state === "held" && firstDue <= now) heldElsewhere++;
      nextDue = Math.min(nextDue ?? Infinity, firstDue);
    }
    // One that fails does not end the round: what another is about to take, the next round would take as well.
    const failed = (await Promise.allSettled(claims)).find(({ status }) => status === "rejected");
    if (failed) throw (failed as PromiseRejectedResult).reason;
    return { heldElsewhere, nextDue };
  }

  /** There may be no time to release anything: the others see at once that nobody is there. */
  hide(): void {
    this.#presence.hide();
  }

  /** Gives up everything; what others own from here on is fenced off from this engine. */
  async release(reason: unknown): Promise<void> {
    const rings = this.#running;
    this.#running = false;
    this.#nextRenewal?.();
    this.#nextLook?.();
    const held = [...this.#owned.values()];
    if (this.#renewedAt === undefined) return this.#presence.hide();
    this.#renewedAt = undefined;
    this.#owned.clear();
    this.#onOwned();
    const releases = held.map((owned) => {
      owned.owner.end(reason);
      return this.#pass(owned, null);
    });
    await Promise.all(
      releases.map((each) => this.#heed("Cannot release a shard; it passes on when its term ends", each)),
    );
    await this.#heed("Cannot say goodbye", this.#presence.leave({ rings }));
    this.#presence.hide();
  }

  /** What was taken over, and perhaps passed back, while this engine stood still is not its own any more. */
  #owns(place: string, row: Entry | undefined): boolean {
    const owner = this.#owned.get(place)?.owner;
    // A row older than the guard was read before this engine took it.
    if (owner && row && row.version > owner.guard.version!) owner.lost();
    return this.#owned.has(place);
  }

  /** What nobody takes for a term although it should, anybody may. */
  #mayTake(sighting: Sighting, shares: ReadonlyMap<Unit, string>): boolean {
    const { clock, engineId, termMs } = this.#context;
    if (!this.#running) return newestCarriers(this.#roster.members, sighting.definition).has(engineId);
    const place = placeOf(sighting.definition, sighting.shard);
    if (shares.get(sighting) === engineId) {
      this.#leftSince.delete(place);
      return true;
    }
    const since = this.#leftSince.get(place) ?? clock.monotonic();
    this.#leftSince.set(place, since);
    return clock.monotonic() - since > termMs;
  }

  async #take({ definition, shard, row, state }: Sighting): Promise<void> {
    const { clock, committer, engineId, definitions, logger } = this.#context;
    const batch = new BatchBuilder();
    const takenOverAt = clock.now();
    const before = row && readOwner(row).since;
    // Whoever took it last did so by a clock that was ahead. If this engine dies now, the next one must know that, too.
    const aheadAt = before !== undefined && isAhead(before, takenOverAt) ? before : undefined;
    writeOwner(batch, definition, row, engineId, aheadAt ?? takenOverAt);
    const result = await committer.commit(shard, batch);
    if (!result.ok) return;
    const guard: Check = { key: keyspace.owner.key(definition), version: result.version };
    const owner = new ShardOwner({
      context: this.#context,
      definition: definitions.get(definition)!,
      shard,
      guard,
      ownerOf: (name, place) => this.ownerOf(name, place),
      dispatcher: this.#dispatcher,
      suspects: this.#suspects,
      ...(state === "dead" && { takenOverAt }),
      onLost: (lost) => this.#lost(lost),
    });
    const epoch = (row ? readOwner(row).epoch : 0) + 1;
    const place = placeOf(definition, shard);
    // Not passed at once to one that has just left it lying.
    const passAfter = this.#leftSince.delete(place) ? clock.monotonic() + drainPauseMs : 0;
    const relay = this.#context.features.streams?.tendLog(this.#context, owner);
    this.#owned.set(place, { owner, epoch, relay, passAfter });
    this.#onOwned();
    if (state === "dead") {
      const about = { definition, shard, epoch };
      logger.log("warn", "Took over from an engine that gave no more signs of life", about);
    }
    if (aheadAt !== undefined) owner.setBack(aheadAt);
    await Promise.all([
      owner.begin(),
      this.#heed("Cannot sweep a shard", sweepOutcomes(this.#context, shard, guard)),
    ]);
  }

  /** Once none of its steps is running: what runs would have to run again elsewhere. */
  #passOn({ definition, shard }: Unit, member: string | undefined): void {
    const { clock, engineId } = this.#context;
    const owned = this.#owned.get(placeOf(definition, shard));
    if (!owned || member === undefined || member === engineId || clock.monotonic() < owned.passAfter) return;
    owned.passAfter = clock.monotonic() + drainPauseMs;
    this.#heed("Cannot pass a shard on; it passes on when its term ends", this.#drainAndPass(owned, member));
  }

  async #drainAndPass(owned: Owned, member: string): Promise<void> {
    const { owner } = owned;
    if (!await owner.drain(drainMs)) return;
    this.#owned.delete(placeOf(owner.name, owner.shard));
    this.#onOwned();
    await this.#pass(owned, member);
    if (this.#running) await this.#presence.ring();
  }

  /** To that engine, which only has to take it; or to nobody. */
  async #pass({ owner, epoch }: Owned, engineId: string | null): Promise<void> {
    const { clock, committer } = this.#context;
    const batch = new BatchBuilder();
    const row = engineId === null
      ? { engineId, epoch }
      : { engineId, epoch: epoch + 1, passed: true as const };
    passOwner(batch, owner.guard, { ...row, since: owner.aheadAt ?? clock.now() });
    await committer.commit(owner.shard, batch);
  }

  #lost(owner: ShardOwner): void {
    const place = placeOf(owner.name, owner.shard);
    if (this.#owned.get(place)?.owner === owner) this.#owned.delete(place);
    this.#onOwned();
    this.#context.logger.log("warn", "Lost a shard to another engine", {
      definition: owner.name,
      shard: owner.shard,
    });
  }

  #renewLater(): void {
    const { clock, termMs } = this.#context;
    this.#nextRenewal = clock.after(termMs / 3, async () => {
      await this.#heed("Cannot renew the engine's leases", this.renew(termMs));
      if (this.#running) this.#renewLater();
    });
  }

  /** Twice a term, and when the next engine must have died unless it has renewed. */
  #lookLater(): void {
    const { clock, termMs, engineId } = this.#context;
    this.#nextLook?.();
    const ms = Math.min(termMs / 2, Math.max(1, this.#roster.msToNextDeath(engineId)));
    this.#nextLook = clock.after(ms, () => this.#lookNow());
  }

  /** One look at a time; what is heard meanwhile asks for another. */
  async #lookNow(): Promise<void> {
    this.#lookAgain = true;
    if (this.#looking) return;
    this.#looking = true;
    while (this.#lookAgain && this.#running) {
      this.#lookAgain = false;
      await this.#heed("Cannot look who owns what", this.claim(() => true));
    }
    this.#looking = false;
    if (this.#running) this.#lookLater();
  }

  /** A failure is logged, and the next round goes on. */
  async #heed(message: string, work: Promise<unknown>): Promise<void> {
    try {
      await work;
    } catch (error) {
      const code = error instanceof PawlError ? error.code : undefined;
      this.#context.logger.log("warn", message, { error: String(error), code });
    }
  }
}
