/**
 * Watching a run: its history as it grows, read page by page whenever the run has changed.
 *
 * @module
 */
import { isFinished, type RunRecord } from "../parts/run_record.ts";
import type { HistoryRow } from "../parts/history.ts";
import { checkName } from "./check_input.ts";
import type { EngineContext } from "./context.ts";
import { isNamed, latestRunId, noSuchRun, readHistory, type RunName } from "./operate.ts";
import type { Waiter } from "./run_watch.ts";
import { readRun } from "./write_change.ts";

/** Rows read at a time: what nobody has taken yet stays in the store. */
const pageMax = 256;

/** From where, and for how long. */
export interface Watch {
  readonly after?: number;
  readonly signal?: AbortSignal;
}

/**
 * @param listen Lets the engine hear of other engines' commits.
 * @returns Rows of the run's history, until it has ended and all of them were given.
 * @throws {PawlError} `RUN_NOT_FOUND`, also when it is removed meanwhile; `ENGINE_STOPPED`; or the signal's reason.
 */
export async function* watchRun(
  context: EngineContext,
  name: RunName,
  { after, signal }: Watch,
  listen: () => void,
): AsyncGenerator<HistoryRow, void, undefined> {
  signal?.throwIfAborted();
  checkName(name.key, "key", context.limits.keyLengthMax);
  const runId = name.runId ?? await latestRunId(context, name);
  if (runId === undefined) throw noSuchRun("watch", name);
  const limit = Math.min(pageMax, context.limits.pageMax);
  const changes = new Changes(context, runId, signal);
  try {
    // Subscribed first, looked at second: nothing can slip through in between.
    listen();
    let run = (await readRun(context, runId))?.record;
    if (!run || !isNamed(run, name)) throw noSuchRun("watch", name);
    for (let position = after;;) {
      const rows = await readHistory(context, {
        runId,
        limit,
        ...(position !== undefined && { after: position }),
      });
      for (const row of rows) {
        signal?.throwIfAborted();
        yield row;
        position = row.position;
      }
      if (rows.length === limit) continue;
      // The record was read before the rows, and each change of it is in one batch with its row.
      if (isFinished(run.state)) return;
      run = await changes.next();
    }
  } finally {
    changes.end();
  }
}

/** The last change of a run that was heard of, however many there were. */
class Changes {
  readonly #signal: AbortSignal | undefined;
  readonly #end: () => void;
  readonly #onAbort = () => this.#fail(this.#signal!.reason);
  #latest: RunRecord | undefined;
  #failure: { readonly reason: unknown } | undefined;
  #version = 0;
  #wake: (() => void) | undefined;

  constructor(context: EngineContext, runId: string, signal: AbortSignal | undefined) {
    this.#signal = signal;
    const waiter: Waiter = {
      saw: (run) => {
        // A poll tells of a run again and again.
        if (run.version <= this.#version) return;
        this.#version = run.version;
        this.#latest = run;
        this.#wake?.();
      },
      ended: (reason) => this.#fail(reason),
    };
    this.#end = () => context.watch.unsubscribe(runId, waiter);
    context.watch.subscribe(runId, waiter);
    signal?.addEventListener("abort", this.#onAbort, { once: true });
    if (signal?.aborted) this.#onAbort();
  }

  /** Waits until the run has changed since the last call. */
  async next(): Promise<RunRecord> {
    for (;;) {
      if (this.#failure) throw this.#failure.reason;
      const latest = this.#latest;
      this.#latest = undefined;
      if (latest) return latest;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  end(): void {
    this.#end();
    this.#signal?.removeEventListener("abort", this.#onAbort);
  }

  #fail(reason: unknown): void {
    this.#failure ??= { reason };
    this.#wake?.();
  }
}
