import { PawlError } from "../errors.ts";
import type { RunRecord } from "../parts/run_record.ts";

/** Somebody who waits for a run. */
export interface Waiter {
  /** Hears every change of the run that this engine writes, or that its poll finds. */
  saw(run: RunRecord): void;
  /** The engine has stopped, or the run is gone: nothing more will be heard. */
  ended(reason: unknown): void;
}

/** Who waits for which run. One poll serves all of them, however many. */
export class RunWatch {
  #over: { readonly reason: unknown } | undefined;
  readonly #waiting = new Map<string, Waiter[]>();

  /** Runs that somebody waits for. */
  get runIds(): readonly string[] {
    return [...this.#waiting.keys()];
  }

  /** Subscribes to a run. */
  subscribe(runId: string, waiter: Waiter): void {
    const waiting = this.#waiting.get(runId);
    if (waiting) waiting.push(waiter);
    else this.#waiting.set(runId, [waiter]);
    // Not before the caller is ready to hear of it.
    const { reason } = this.#over ?? {};
    if (this.#over) queueMicrotask(() => waiter.ended(reason));
  }

  /** Ends a subscription; one that has ended already stays so. */
  unsubscribe(runId: string, waiter: Waiter): void {
    const waiting = this.#waiting.get(runId) ?? [];
    const at = waiting.indexOf(waiter);
    if (at < 0) return;
    if (waiting.length === 1) this.#waiting.delete(runId);
    else waiting.splice(at, 1);
  }

  /** Tells whoever waits for the run. */
  changed(run: RunRecord): void {
    if (this.#waiting.size === 0) return;
    const waiting = this.#waiting.get(run.id);
    if (waiting) { for (const waiter of [...waiting]) waiter.saw(run); }
  }

  /** Tells whoever waits for the run that it has been removed. */
  gone(runId: string): void {
    const error = new PawlError(
      "RUN_NOT_FOUND",
      `Run ${runId} was removed: it had been kept for long enough`,
    );
    for (const waiter of [...this.#waiting.get(runId) ?? []]) waiter.ended(error);
  }

  /** Tells everybody that the engine has stopped. */
  end(reason: unknown): void {
    this.#over = { reason };
    for (const waiting of [...this.#waiting.values()]) {
      for (const waiter of [...waiting]) waiter.ended(reason);
    }
  }
}
