import type { RunRecord } from "../parts/run_record.ts";

/** Hears every change of one run that this engine writes, or that its poll finds. */
export type OnChange = (run: RunRecord) => void;

/** Who waits for which run. One poll serves all of them, however many. */
export class RunWatch {
  readonly #waiting = new Map<string, Set<OnChange>>();

  /** Runs that somebody waits for. */
  get runIds(): readonly string[] {
    return [...this.#waiting.keys()];
  }

  /** Subscribes to a run. @returns Ends the subscription. */
  subscribe(runId: string, onChange: OnChange): () => void {
    const known = this.#waiting.get(runId);
    const waiting = known ?? new Set<OnChange>();
    if (!known) this.#waiting.set(runId, waiting);
    waiting.add(onChange);
    return () => {
      waiting.delete(onChange);
      if (waiting.size === 0 && this.#waiting.get(runId) === waiting) this.#waiting.delete(runId);
    };
  }

  /** Tells whoever waits for the run. */
  changed(run: RunRecord): void {
    if (this.#waiting.size === 0) return;
    const waiting = this.#waiting.get(run.id);
    if (waiting) { for (const onChange of [...waiting]) onChange(run); }
  }
}
