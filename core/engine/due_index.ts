import type { Cancel } from "../ports/clock.ts";
import { keyAfter, readStamp, splitKey } from "../store/key.ts";
import { keyspace } from "../store/keyspace.ts";
import type { EngineContext } from "./context.ts";
import { DueHeap } from "./due_heap.ts";

/** What the due index tells its owner. */
export interface DueSink {
  /** Runs the owner holds as due now: they count against the memory bound. */
  readonly queued: number;
  /** Whether the owner holds the run already. */
  holds(runId: string): boolean;
  /** Offered each run that a scan finds. @returns True when the owner takes care of it itself. */
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
 * owner when a run is due, by one timer, and reads on when little is left.
 */
export class DueIndex {
  readonly #context: EngineContext;
  readonly #definition: string;
  readonly #shard: number;
  readonly #sink: DueSink;
  readonly #later = new DueHeap();
  /** First key that is not in memory; absent: all of the index is. */
  #horizon: string | undefined;
  #scanning: Promise<void> | undefined;
  #timer: { readonly at: number; readonly cancel: Cancel } | undefined;
  #over = false;

  /** @param context The engine. @param definition Whose runs. @param shard Where. @param sink Its owner. */
  constructor(context: EngineContext, definition: string, shard: number, sink: DueSink) {
    this.#context = context;
    this.#definition = definition;
    this.#shard = shard;
    this.#sink = sink;
  }

  /** The scan that is going on. */
  get scanning(): Promise<void> | undefined {
    return this.#scanning;
  }

  /** When the earliest run that waits is due. */
  get nextDue(): number | undefined {
    return this.#later.peek();
  }

  /** Stops the timer; nothing is reported any more. */
  end(): void {
    this.#over = true;
    this.#timer?.cancel();
  }

  /** Reads the index from its start: everything not held yet is taken up. */
  async rescan(): Promise<void> {
    while (this.#scanning) await this.#scanning;
    await this.#begin(keyspace.work.range(this.#definition).start);
  }

  /** Reads on behind the horizon when little of what was read is left. */
  readAhead(): void {
    if (this.#horizon === undefined || this.#scanning) return;
    if (this.#size > this.#context.limits.duePageMax / 2) return;
    this.#begin(this.#horizon).catch((error) => this.#sink.failed(error));
  }

  /** Files a run at its due time. */
  track(runId: string, due: number): void {
    if (this.#size >= this.#context.limits.dueInMemoryMax) {
      const key = keyspace.work.key(this.#definition, due, runId);
      if (this.#horizon === undefined || key < this.#horizon) this.#horizon = key;
      this.#later.delete(runId);
      this.#sink.dropped(runId);
    } else if (due <= this.#context.clock.now()) {
      this.#later.delete(runId);
      this.#sink.due(runId);
    } else {
      this.#later.set(runId, due);
      this.#arm();
    }
  }

  /** The run has nothing due. */
  forget(runId: string): void {
    this.#later.delete(runId);
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
  }

  get #size(): number {
    return this.#sink.queued + this.#later.size;
  }

  #begin(from: string): Promise<void> {
    const scan = this.#scan(from).finally(() => this.#scanning = undefined);
    this.#scanning = scan.catch(() => {});
    return scan;
  }

  async #scan(from: string): Promise<void> {
    const { limits, reader } = this.#context;
    const { end } = keyspace.work.range(this.#definition);
    const limit = limits.duePageMax;
    for (let start = from; !this.#over;) {
      const [page] = await reader.read(this.#shard, [{ start, end, limit }]);
      for (const entry of page!) this.#found(entry.key);
      if (page!.length < limit) {
        this.#horizon = undefined;
        return;
      }
      start = keyAfter(page!.at(-1)!.key);
      if (this.#size < limits.dueInMemoryMax) continue;
      this.#horizon = start;
      return;
    }
  }

  #found(workKey: string): void {
    const [, , due, runId] = splitKey(workKey);
    if (this.#sink.holds(runId!)) return;
    const dueAt = readStamp(due!);
    if (!this.#sink.takes(runId!, dueAt)) this.track(runId!, dueAt);
  }

  #arm(): void {
    const at = this.#later.peek();
    if (at === undefined || this.#over) return;
    if (this.#timer && this.#timer.at <= at) return;
    this.#timer?.cancel();
    const { clock } = this.#context;
    this.#timer = { at, cancel: clock.after(Math.max(0, at - clock.now()), () => this.wake()) };
  }
}
