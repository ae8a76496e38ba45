/**
 * One committer per engine and database: gathers the batches of everything that runs at once into few durable writes,
 * and turns every way a commit can fail into one clear answer per batch.
 *
 * @module
 */
import { OutcomeUnknownError, StoreClosedError } from "../errors.ts";
import type { Limits } from "../limits.ts";
import { type Clock, sleep } from "../ports/clock.ts";
import type { Random } from "../ports/random.ts";
import { stamp } from "./key.ts";
import { isGeneral, isPassing } from "./passing.ts";
import { batchSize } from "./settle.ts";
import type { Batch, BatchResult, CallResult, Check, CommitCall, Store, Version } from "./store.ts";

/** What became of one batch. */
export type CommitResult =
  | { readonly ok: true; readonly version: Version }
  | { readonly ok: false; readonly reason: "check"; readonly failed: number }
  | { readonly ok: false; readonly reason: "lease-lost" };

interface Waiting {
  readonly shard: number;
  readonly guard: Check | undefined;
  readonly batch: Batch;
  readonly resolve: (result: CommitResult) => void;
  readonly reject: (error: unknown) => void;
}

/** A call on its way, with the batches it carries and the chain of rule 4 it belongs to. */
interface Sent {
  readonly call: CommitCall;
  readonly chain: string;
  readonly waiting: readonly Waiting[];
}

/** What the committer needs of its engine. */
export interface GroupCommitterOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: Limits;
}

/** Counts since the committer was made. */
export interface CommitCounts {
  /** Durable writes asked of the store. */
  commits: number;
  /** Batches carried by them. */
  batches: number;
  /** Puts and deletes carried by them. */
  rows: number;
}

/** Milliseconds of patience with a store that is busy or away once somebody waits for the end. */
const hurriedMs = 1_000;

/** Gathers batches and commits them in groups. */
export class GroupCommitter {
  /** Unique to this committer; hints carry it, so an engine can tell its own. */
  readonly id: string;
  /** Running totals, for the benchmarks and `admin`. */
  readonly counts: CommitCounts = { commits: 0, batches: 0, rows: 0 };
  readonly #options: GroupCommitterOptions;
  /** Last settled call per chain: what the next call names as its `previous`. */
  readonly #chains = new Map<string, string>();
  #queue: Waiting[] = [];
  #calls = 0;
  #busy = false;
  #hurriedAt = Infinity;
  #idle: (() => void)[] = [];

  /**
   * @param options Ports and limits.
   */
  constructor(options: GroupCommitterOptions) {
    this.#options = options;
    this.id = options.random.hex(12);
  }

  /**
   * Commits a batch together with whatever else is enqueued before the next `clock.soon()`.
   *
   * @param shard Its shard.
   * @param batch Checks, puts and deletes.
   * @param guard The owner's fence; one object per ownership, so that its batches share a call.
   * @returns What became of it.
   * @throws {PawlError} `STORE_BUSY`, `STORE_UNREACHABLE`, `OUTCOME_UNKNOWN`, `STORE_CLOSED`, or whatever the store said of this batch alone.
   */
  commit(shard: number, batch: Batch, guard?: Check): Promise<CommitResult> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ shard, guard, batch, resolve, reject });
      if (!this.#busy) this.#schedule();
    });
  }

  /** Resolves when nothing is waiting or on its way. */
  drain(): Promise<void> {
    if (!this.#busy) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** From now on a store that is busy or away is waited for only briefly: the engine is to end. */
  hurry(): void {
    this.#hurriedAt = Math.min(this.#hurriedAt, this.#options.clock.monotonic());
  }

  /** Whether what began then may still be tried again. */
  #isPatient(since: number): boolean {
    const { clock, limits } = this.#options;
    return clock.monotonic() < Math.min(since + limits.busyMsMax, this.#hurriedAt + hurriedMs);
  }

  /** Never flushes inside `commit()`: a local store blocks the event loop, so nothing would gather. */
  #schedule(): void {
    this.#busy = true;
    this.#options.clock.soon(() => this.#flush());
  }

  async #flush(): Promise<void> {
    await this.#commitAll(this.#take());
    if (this.#queue.length > 0) return this.#schedule();
    this.#busy = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** The longest front of the queue that fits one commit. */
  #take(): Waiting[] {
    const { store, limits } = this.#options;
    let writes = 0;
    let bytes = 0;
    let count = 0;
    while (count < this.#queue.length && count < limits.groupBatchesMax) {
      const size = batchSize(this.#queue[count]!.batch);
      writes += size.writes;
      bytes += size.bytes;
      const full = writes > store.limits.writesPerCommitMax || bytes > store.limits.bytesPerCommitMax;
      if (full && count > 0) break;
      this.counts.rows += size.writes;
      count++;
    }
    this.counts.batches += count;
    if (count === this.#queue.length) return this.#queue.splice(0);
    const taken = this.#queue.slice(0, count);
    this.#queue = this.#queue.slice(count);
    return taken;
  }

  async #commitAll(waiting: readonly Waiting[]): Promise<void> {
    const { store, clock } = this.#options;
    const since = clock.monotonic();
    for (let attempt = 1;; attempt++) {
      const sent = this.#pack(waiting);
      try {
        this.counts.commits++;
        const results = await store.commit(sent.map((each) => each.call));
        return this.#retryRefused(sent.filter((each, index) => !this.#settled(each, results[index]!)));
      } catch (error) {
        if (error instanceof OutcomeUnknownError) return this.#settleLost(sent, error);
        if (isPassing(error) && this.#isPatient(since)) {
          await this.#backOff(attempt);
          continue;
        }
        return this.#splitBlame(waiting, error);
      }
    }
  }

  /** A commit that failed as a whole is halved until only the guilty batch fails. */
  async #splitBlame(waiting: readonly Waiting[], error: unknown): Promise<void> {
    if (waiting.length === 1 || isGeneral(error)) {
      for (const each of waiting) each.reject(error);
      return;
    }
    const middle = waiting.length >> 1;
    await this.#commitAll(waiting.slice(0, middle));
    await this.#commitAll(waiting.slice(middle));
  }

  /** Batches of one shard under one guard share a call; calls keep the order of their first batch. */
  #pack(waiting: readonly Waiting[]): Sent[] {
    const groups = new Map<Check | number, Waiting[]>();
    for (const each of waiting) {
      const by = each.guard ?? each.shard;
      const group = groups.get(by);
      if (group) group.push(each);
      else groups.set(by, [each]);
    }
    const sent: Sent[] = [];
    for (const group of groups.values()) {
      const { shard, guard } = group[0]!;
      // Two ownerships of one definition never share a commit, so a chain has one call at a time.
      const chain = `${shard}.${guard?.key ?? ""}`;
      sent.push({
        call: {
          ...this.#nextCall(shard, chain),
          ...(guard && { guard }),
          batches: group.map((each) => each.batch),
        },
        chain,
        waiting: group,
      });
    }
    return sent;
  }

  #nextCall(shard: number, chain: string): Omit<CommitCall, "batches"> {
    const previous = this.#chains.get(chain);
    const callId = this.#nextCallId();
    const id = `${this.id}.${chain}`;
    return { shard, committer: { id, callId, ...(previous !== undefined && { previous }) } };
  }

  /**
   * Answers the batches of a call.
   *
   * @returns False when the call was surely refused unseen and must be sent again.
   */
  #settled(sent: Sent, result: CallResult): boolean {
    if (result.outcome === "superseded") {
      const { last } = result;
      if (last?.callId !== sent.call.committer.callId) {
        if (last) this.#chains.set(sent.chain, last.callId);
        else this.#chains.delete(sent.chain);
        return false;
      }
      this.#answer(sent, last.results);
    } else {
      this.#answer(sent, result.outcome === "done" ? result.results : undefined);
    }
    return true;
  }

  #answer(sent: Sent, results: readonly BatchResult[] | undefined): void {
    this.#chains.set(sent.chain, sent.call.committer.callId);
    sent.waiting.forEach((each, index) => each.resolve(commitResult(results?.[index])));
  }

  /** With its time, so that the rows of committers that are long gone can be told. */
  #nextCallId(): string {
    return `${stamp(Math.max(0, Math.floor(this.#options.clock.now())))}${(++this.#calls).toString(36)}`;
  }

  async #retryRefused(refused: readonly Sent[]): Promise<void> {
    if (refused.length > 0) await this.#commitAll(refused.flatMap((each) => each.waiting));
  }

  /**
   * Rule 4: the reply was lost. An empty call in the place of the lost one either lands, so that the lost one is
   * refused for ever and can be sent again, or is told what became of it.
   */
  async #settleLost(lost: readonly Sent[], cause: OutcomeUnknownError): Promise<void> {
    const { store, clock, limits } = this.#options;
    const settlers = lost.map(() => new Set<string>());
    const since = clock.monotonic();
    for (let attempt = 1, asked = 0; asked < limits.settlesMax; attempt++) {
      await this.#backOff(attempt);
      const calls = lost.map((each, index) => {
        const callId = this.#nextCallId();
        settlers[index]!.add(callId);
        return { shard: each.call.shard, committer: { ...each.call.committer, callId }, batches: [] };
      });
      let results: readonly CallResult[];
      try {
        results = await store.commit(calls);
      } catch (error) {
        if (error instanceof StoreClosedError) break;
        // A store that is away or locked was not asked; most come back before patience ends.
        if (!isPassing(error) || !this.#isPatient(since)) asked++;
        continue;
      }
      const again = lost.filter((each, index) => {
        const landed = calls[index]!.committer.callId;
        return this.#learn(each, results[index]!, landed, settlers[index]!, cause);
      });
      return this.#retryRefused(again);
    }
    for (const each of lost) this.#reject(each, cause);
  }

  /**
   * @returns True when the lost call is surely refused for ever, so that its batches may be sent again.
   */
  #learn(
    lost: Sent,
    result: CallResult,
    settler: string,
    settlers: ReadonlySet<string>,
    cause: OutcomeUnknownError,
  ): boolean {
    const last = result.outcome === "superseded" ? result.last : { callId: settler };
    if (last && settlers.has(last.callId)) {
      this.#chains.set(lost.chain, last.callId);
      return true;
    }
    if (last?.callId === lost.call.committer.callId) this.#answer(lost, last.results);
    else this.#reject(lost, cause);
    return false;
  }

  #reject(sent: Sent, error: unknown): void {
    for (const each of sent.waiting) each.reject(error);
  }

  #backOff(attempt: number): Promise<void> {
    const { clock, random } = this.#options;
    return sleep(clock, Math.min(250, 2 ** Math.min(attempt, 8)) * (0.5 + random.float()));
  }
}

function commitResult(result: BatchResult | undefined): CommitResult {
  if (result === undefined) return { ok: false, reason: "lease-lost" };
  return result.ok ? result : { ok: false, reason: "check", failed: result.failed };
}
