/**
 * The store as one host sees it: over a network that delays, loses, repeats, and delivers late; or in a browser that aborts
 * commits and closes the database.
 *
 * @module
 */
import { OutcomeUnknownError, PawlError, StoreBusyError } from "../../errors.ts";
import type { CallResult, CommitCall, OnHint, ReadRequest, ReadResult, Store } from "../../store/store.ts";
import { kindOfBatch } from "./coverage.ts";
import { BrowserHandle, type UnderWay } from "./browser_handle.ts";
import type { Disk } from "./disk.ts";
import type { FaultName } from "./faults.ts";
import type { Host } from "./host.ts";
import type { Shadow } from "./shadow.ts";
import type { World } from "./world.ts";

/** Trips of slow commits and reads, and of reads that the store gives up. */
const slowMs = { low: 200, high: 3_000 };

/** A commit on its way. */
interface Sent extends UnderWay {
  /** The store has it, and has answered it. */
  hasArrived: boolean;
  /** It will not arrive. */
  isAborted: boolean;
}

/** One host's handle on the one store. */
export class SimulatedStore implements Store {
  readonly limits: Store["limits"];
  readonly shards: number;
  readonly #world: World;
  readonly #host: Host;
  readonly #disk: Disk;
  readonly #shadow: Shadow;
  readonly #tripMsMax: number;
  readonly #handle: BrowserHandle;

  /**
   * @param host Whose handle it is.
   * @param disk What the store lies on; it must apply a commit at once.
   * @param shadow Is told of everything that is applied.
   * @param tripMsMax Longest usual trip.
   */
  constructor(world: World, host: Host, disk: Disk, shadow: Shadow, tripMsMax: number) {
    this.#world = world;
    this.#host = host;
    this.#disk = disk;
    this.#shadow = shadow;
    this.#tripMsMax = tripMsMax;
    this.#handle = new BrowserHandle(world, host);
    disk.handles.add(this.#handle);
    this.limits = disk.store.limits;
    this.shards = disk.store.shards;
  }

  read(requests: readonly ReadRequest[]): Promise<readonly ReadResult[]> {
    return new Promise((resolve, reject) => {
      // What dead code asks for, nobody hears.
      if (!this.#host.alive) return;
      const opensInMs = this.#handle.closedForMs;
      if (opensInMs > 0 && this.#world.chance(0.5)) {
        return this.#host.later(opensInMs, () => reject(closed()));
      }
      const underWay = this.#handle.begin(() => this.#host.later(0, () => reject(closed())));
      this.#world.schedule(this.#trip() + opensInMs, () => {
        const answer = (settle: () => void, ms = this.#trip()) =>
          this.#host.later(ms, () => {
            underWay.end();
            settle();
          });
        if (this.#strikesRead("lost handle")) return this.#loseHandle();
        if (this.#strikesRead("busy read")) return answer(() => reject(new StoreBusyError("busy read")));
        if (this.#strikesRead("stuck read")) return answer(() => reject(stuck()), this.#slowTrip() * 2);
        const result = this.#disk.store.read(requests);
        answer(() => resolve(result), this.#strikesRead("slow read") ? this.#slowTrip() : this.#trip());
      });
    });
  }

  commit(calls: readonly CommitCall[]): Promise<readonly CallResult[]> {
    return new Promise((resolve, reject) => {
      if (!this.#host.alive) return;
      const isSlow = this.#strikes("slow commit", calls);
      const trip = () => isSlow ? this.#slowTrip() : this.#trip();
      const { era } = this.#disk;
      const opensInMs = this.#handle.closedForMs;
      if (opensInMs > 0 && this.#world.chance(0.5)) {
        return this.#host.later(opensInMs, () => reject(closed()));
      }
      const sent = this.#send(reject);
      const answer = (settle: () => void) =>
        this.#host.later(trip(), () => {
          sent.end();
          settle();
        });
      this.#world.schedule(trip() + opensInMs, () => {
        if (era !== this.#disk.era) return;
        // A request of a machine that has died meanwhile may still have been on the wire.
        if (!this.#host.alive && this.#world.chance(0.5)) return;
        if (this.#strikes("lost handle", calls)) this.#loseHandle();
        if (sent.isAborted) return;
        sent.hasArrived = true;
        const refusal = this.#refusal(calls);
        if (refusal) return answer(() => reject(refusal));
        this.#deliver(calls).then(
          (results) => answer(() => resolve(results)),
          (error) => answer(() => reject(error)),
        );
      });
    });
  }

  watch(onHint: OnHint): () => void {
    return this.#disk.store.watch!((shard, committerId) => {
      if (!this.#host.alive) return;
      if (this.#world.strikes("lost hint")) return;
      this.#host.later(this.#trip(), () => onHint(shard, committerId));
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** A commit that is under way when its handle is lost is done or not, and the page may know that it is not. */
  #send(reject: (error: PawlError) => void): Sent {
    const world = this.#world;
    const sent: Sent = {
      hasArrived: false,
      isAborted: false,
      ...this.#handle.begin(() => {
        sent.isAborted = !sent.hasArrived && world.chance(0.5);
        const isKnown = sent.isAborted && world.chance(0.5);
        const error = isKnown ? closed() : new OutcomeUnknownError("the browser has closed the database");
        this.#host.later(this.#trip(), () => reject(error));
      }),
    };
    return sent;
  }

  /** That of this page, or those of all pages. */
  #loseHandle(): void {
    const isOfAll = this.#world.chance(0.3);
    for (const handle of isOfAll ? this.#disk.handles : [this.#handle]) handle.lose();
  }

  /** The commit fails as a whole, and surely has not been applied. */
  #refusal(calls: readonly CommitCall[]): PawlError | undefined {
    if (this.#strikes("busy", calls)) return new StoreBusyError("busy");
    if (this.#strikes("failed commit", calls)) return new PawlError("STORE_FAILED", "the disk coughs");
    if (this.#strikes("too large", calls)) return new PawlError("LIMIT_EXCEEDED", "the quota is small");
    if (this.#strikes("aborted commit", calls)) return this.#abortion(calls);
    return undefined;
  }

  /** One request of the transaction fails, and takes back those before it. Only what writes can meet the quota. */
  #abortion(calls: readonly CommitCall[]): PawlError {
    const batches = calls.flatMap((call) => call.batches);
    const reads = calls.length + batches.flatMap(({ checks }) => checks).length;
    const writes = calls.length + batches.flatMap(({ puts, deletes }) => [...puts, ...deletes]).length;
    const at = Math.floor(this.#world.between(1, reads + writes + 1));
    this.#world.log(`${this.#host.name}: request ${at} of ${reads + writes} aborts its commit`);
    if (at > reads && this.#world.chance(0.4)) return new PawlError("STORE_FULL", "the quota is used up");
    return this.#world.chance(0.5) ? closed() : new PawlError("STORE_FAILED", "the request failed");
  }

  async #deliver(calls: readonly CommitCall[]): Promise<readonly CallResult[]> {
    const world = this.#world;
    if (this.#host.alive && this.#strikes("crash at commit", calls)) {
      this.#host.crash();
      if (world.chance(0.5)) await this.#apply(calls);
      return [];
    }
    const { era } = this.#disk;
    if (this.#strikes("late request", calls)) {
      world.schedule(world.between(1, 500), () => this.#applyUnheard(calls, era));
      throw new OutcomeUnknownError("the reply is late, and so is the request");
    }
    if (this.#strikes("repeated request", calls)) {
      world.schedule(world.between(0, 500), () => this.#applyUnheard(calls, era));
    }
    const isLost = this.#strikes("lost reply", calls);
    const results = await this.#apply(calls);
    if (this.#strikes("freeze at commit", calls)) this.#host.freeze(world.between(100, 4_000));
    if (isLost) throw new OutcomeUnknownError("the reply was lost");
    return results;
  }

  /** The memory store applies at once; its answer is known before the next event. */
  async #apply(calls: readonly CommitCall[]): Promise<readonly CallResult[]> {
    const results = await this.#disk.store.commit(calls);
    this.#world.coverage.answered(calls, results);
    this.#shadow.applied(this.#host, calls, results);
    return results;
  }

  /** Nobody waits for the answer; a store that does not take it has dropped it. */
  #applyUnheard(calls: readonly CommitCall[], era: number): void {
    if (era === this.#disk.era) this.#apply(calls).catch(() => {});
  }

  /** Whether a fault strikes a commit; if so, it is known which kinds of commits it has struck. */
  #strikes(name: FaultName, calls: readonly CommitCall[]): boolean {
    const isStruck = this.#world.strikes(name);
    if (!isStruck) return false;
    this.#world.coverage.hit(name, calls);
    const kinds = calls.flatMap(({ batches }) => batches.map(kindOfBatch)).join(", ") || "settlement";
    this.#world.log(`${this.#host.name}: ${name} (${kinds})`);
    return true;
  }

  #strikesRead(name: FaultName): boolean {
    const isStruck = this.#world.strikes(name);
    if (isStruck) this.#world.log(`${this.#host.name}: ${name}`);
    return isStruck;
  }

  #trip(): number {
    return this.#world.between(0, this.#tripMsMax);
  }

  #slowTrip(): number {
    return this.#world.between(slowMs.low, slowMs.high);
  }
}

function closed(): PawlError {
  return new StoreBusyError("the browser has closed the database; it is opened again");
}

function stuck(): PawlError {
  return new PawlError("STORE_UNREACHABLE", "the server does not answer");
}
