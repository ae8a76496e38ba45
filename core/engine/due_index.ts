import { PawlError } from "../errors.ts";
import { aheadMsMin } from "../parts/set_back.ts";
import type { Cancel } from "../ports/clock.ts";
import { keyAfter, readStamp, splitKey } from "../store/key.ts";
import type { Space } from "../store/keyspace.ts";
import type { Entry, Version } from "../store/store.ts";
import type { EngineContext } from "./context.ts";
import { DueHeap } from "./due_heap.ts";

/** How long a run is set aside whose record cannot be read, so that one damaged value is no stream of errors. */
const damagedMs = 60_000;

/** An index of what is due: of runs, or of chores. */
export type DueSpace = Space<[definition: string, due: number, id: string]>;

/** What the due index tells its owner. */
export interface DueSink {
  /** Runs the owner holds as due now: they count against the memory bound. */
  readonly queued: number;
  /** Whether the owner holds the run already, which a scan has found at this due time. */
  holds(runId: string, due: number): boolean;
  /**
   * Offered each run that a scan finds.
   *
   * @returns True when the owner takes care of it itself.
   */
  takes(runId: string, due: number): boolean;
  /** The run is due. */
  due(runId: string): void;
  /** There was no room for the run: it will be found again when there is. */
  dropped(runId: string): void;
  /** Reading the index failed. */
  failed(error: unknown): void;
}

/**
 * The part of a shard's due index that is in memory: everything before the horizon, the earliest first. It tells the
 * owner when a run is due, by one timer, and reads on when little is left. What is due and what sleeps are bounded
 * apart, so that thousands of sleepers never keep out a run that is due.
 */
export class DueIndex {
  readonly #context: EngineContext;
  readonly #definition: string;
  readonly #shard: number;
  readonly #sink: DueSink;
  readonly #space: DueSpace;
  readonly #later = new DueHeap();
  /** What scans have told of runs, also of those that the owner holds, until it is known to be no news. */
  readonly #told = new Map<string, { readonly due: number; readonly version: Version }>();
  /** First key that is not in memory; absent: all of the index is. */
  #horizon: string | undefined;
  /** First key of the page that could not be read: from there on there may be what nobody here knows. */
  #unread: string | undefined;
  /** First key left out while a page was on its way: the page may be older than that run's row. */
  #missed: string | undefined;
  #scanning: Promise<void> | undefined;
  #timer: { readonly at: number; readonly cancel: Cancel } | undefined;
  /** Runs whose turn failed, until they are reported again. */
  readonly #retries = new Map<string, Cancel>();
  #over = false;

  /**
   * @param context The engine.
   * @param definition Whose runs.
   * @param shard Where.
   * @param space Which index.
   * @param sink Its owner.
   */
  constructor(context: EngineContext, definition: string, shard: number, space: DueSpace, sink: DueSink) {
    this.#context = context;
    this.#definition = definition;
    this.#shard = shard;
    this.#space = space;
    this.#sink = sink;
  }

  /** The scan that is going on. */
  get scanning(): Promise<void> | undefined {
    return this.#scanning;
  }

  /** When the earliest run that waits is due. */
  get nextDue(): number | undefined {
    if (this.#unread !== undefined) return this.#context.clock.now();
    const [sleeps, unread] = [this.#later.peek(), this.#horizonDue];
    return sleeps === undefined || unread === undefined ? sleeps ?? unread : Math.min(sleeps, unread);
  }

  /** Stops the timer; nothing is reported any more. */
  end(): void {
    this.#over = true;
    this.#timer?.cancel();
    for (const cancel of this.#retries.values()) cancel();
  }

  /** Reads the index from its start: everything not held yet is taken up. */
  async rescan(): Promise<void> {
    while (this.#scanning) await this.#scanning;
    // All of it is about to be told again.
    this.#told.clear();
    await this.#begin(this.#space.range(this.#definition).start);
  }

  /**
   * Looks at what sleeps for so long that a clock may have been ahead, in memory or not.
   *
   * @returns Pages of ids, those that sleep longest first.
   */
  async *sleepers(): AsyncGenerator<readonly string[]> {
    const { clock, limits: { duePageMax: limit }, reader } = this.#context;
    const start = this.#space.key(this.#definition, clock.now() + aheadMsMin, "");
    for (let { end } = this.#space.range(this.#definition); !this.#over;) {
      const [page] = await reader.read(this.#shard, [{ start, end, limit, reverse: true }]);
      yield page!.map(({ key }) => splitKey(key)[3]!);
      if (page!.length < limit) return;
      end = page!.at(-1)!.key;
    }
  }

  /** Reads on behind the horizon when little of what was read is left, or what lies there is due. */
  readAhead(): void {
    if (this.#horizon === undefined || this.#scanning || this.#over) return;
    const { clock, limits } = this.#context;
    const enough = limits.duePageMax / 2;
    if (this.#sink.queued > enough) return;
    if (this.#later.size > enough && this.#horizonDue! > clock.now()) return;
    this.#begin(this.#horizon).catch((error) => this.#sink.failed(error));
  }

  /**
   * Files a run at its due time.
   *
   * @param version Of the write that says so; absent: nothing is newer.
   * @returns False when a scan has told of a later write, so that this is old news.
   */
  track(runId: string, due: number, version?: Version): boolean {
    const told = this.#toldSince(runId, version);
    this.#file(runId, told ?? due);
    return told === undefined;
  }

  /** The run has nothing due, as of a version; what a scan has told of a later write stays. */
  forget(runId: string, version?: Version): void {
    const told = this.#toldSince(runId, version);
    if (told === undefined) this.#later.delete(runId);
    else this.#file(runId, told);
  }

  /** Files a run by what a scan has told while it was held. */
  recall(runId: string): void {
    const told = this.#told.get(runId);
    if (told) this.#file(runId, told.due);
  }

  /** When a scan has told that the run is due, if that was written after the version: its reply may have come late. */
  #toldSince(runId: string, version = Infinity): number | undefined {
    const told = this.#told.get(runId);
    if (told && told.version > version) return told.due;
    if (told) this.#told.delete(runId);
    return undefined;
  }

  #file(runId: string, due: number): void {
    const { clock, limits } = this.#context;
    this.#later.delete(runId);
    const isDue = due <= clock.now();
    if (!isDue && this.#later.size >= limits.dueInMemoryMax) this.#makeRoom();
    const isFull = isDue && this.#sink.queued >= limits.dueInMemoryMax;
    if (isFull || this.#isBeyond(due, runId)) {
      this.#leaveOut(this.#space.key(this.#definition, due, runId));
      this.#sink.dropped(runId);
    } else if (isDue) {
      this.#sink.due(runId);
    } else {
      this.#later.set(runId, due);
      this.#arm();
    }
  }

  /**
   * Reports a run again later: its turn failed or must wait, so it is due already and keeps its place in memory. That is
   * after a poll; a run whose record is damaged is set aside for a minute, as only a hand can mend it.
   */
  retry(runId: string, error?: unknown): void {
    if (this.#over || this.#retries.has(runId)) return;
    const isDamaged = error instanceof PawlError && error.code === "STORE_CORRUPT";
    const { clock, pollMs } = this.#context;
    const cancel = clock.after(isDamaged ? Math.max(pollMs, damagedMs) : pollMs, () => {
      this.#retries.delete(runId);
      this.#sink.due(runId);
    });
    this.#retries.set(runId, cancel);
  }

  /** Reports what has become due; called by the timer and by the engine's poll, as clocks jump. */
  wake(): void {
    if (this.#over) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    const now = this.#context.clock.now();
    for (let runId = this.#later.take(now); runId !== undefined; runId = this.#later.take(now)) {
      this.#sink.due(runId);
    }
    this.#arm();
    if (this.#unread === undefined || this.#scanning) this.readAhead();
    else this.#begin(this.#unread).catch((error) => this.#sink.failed(error));
  }

  /** When the first run that is not in memory is due. */
  get #horizonDue(): number | undefined {
    return this.#horizon === undefined ? undefined : readStamp(splitKey(this.#horizon)[2]!);
  }

  #isBeyond(due: number, runId: string): boolean {
    return this.#horizon !== undefined && this.#space.key(this.#definition, due, runId) >= this.#horizon;
  }

  /** The later half of the sleepers goes behind the horizon. */
  #makeRoom(): void {
    const first = this.#later.keepEarliest(this.#context.limits.dueInMemoryMax >> 1);
    if (first) this.#leaveOut(this.#space.key(this.#definition, first.due, first.id));
  }

  #leaveOut(key: string): void {
    this.#horizon = earlier(this.#horizon, key);
    this.#missed = earlier(this.#missed, key);
  }

  #begin(from: string): Promise<void> {
    if (this.#unread !== undefined && from <= this.#unread) this.#unread = undefined;
    const scan = this.#scan(from).finally(() => this.#scanning = undefined);
    this.#scanning = scan.catch(() => {});
    return scan;
  }

  async #scan(from: string): Promise<void> {
    const { limits, reader } = this.#context;
    const { end } = this.#space.range(this.#definition);
    const limit = limits.duePageMax;
    for (let start = from; !this.#over;) {
      this.#missed = undefined;
      const [page] = await reader.read(this.#shard, [{ start, end, limit }]).catch((error) => {
        this.#unread = earlier(this.#unread, start);
        throw error;
      });
      const next = page!.length < limit ? undefined : keyAfter(page!.at(-1)!.key);
      this.#horizon = earlier(this.#missed, next);
      for (const entry of page!) this.#found(entry);
      this.#arm();
      const isFull = this.#sink.queued >= limits.dueInMemoryMax || this.#later.size >= limits.dueInMemoryMax;
      if (next === undefined || this.#horizon !== next || isFull) return;
      start = next;
    }
  }

  #found({ key, version }: Entry): void {
    const [, , due, runId] = splitKey(key);
    const dueAt = readStamp(due!);
    this.#told.set(runId!, { due: dueAt, version });
    if (this.#sink.holds(runId!, dueAt) || this.#retries.has(runId!)) return;
    if (!this.#sink.takes(runId!, dueAt)) this.#file(runId!, dueAt);
  }

  /** The timer is for what is yet to come; what is due behind the horizon waits for room, not for time. */
  #arm(): void {
    const now = this.#context.clock.now();
    const unread = this.#horizonDue;
    const at = Math.min(
      this.#later.peek() ?? Infinity,
      unread !== undefined && unread > now ? unread : Infinity,
    );
    if (at === Infinity || this.#over) return;
    if (this.#timer && this.#timer.at <= at) return;
    this.#timer?.cancel();
    this.#timer = { at, cancel: this.#context.clock.after(Math.max(0, at - now), () => this.wake()) };
  }
}

/** The smaller of two keys; an absent one is larger than all. */
function earlier(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a < b ? a : b;
}
