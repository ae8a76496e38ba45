import type { Model } from "./model.ts";
import type { ModelRun } from "./model_run.ts";

interface Wait {
  readonly index: number;
  readonly run: ModelRun;
  /** Absent: until it has ended. */
  readonly status: string | undefined;
}

/** Who waits for runs. */
export class ModelWaits {
  readonly #model: Model;
  readonly #answer: (index: number, text: string) => void;
  #waits: Wait[] = [];

  /** @param answer Told when a wait is over. */
  constructor(model: Model, answer: (index: number, text: string) => void) {
    this.#model = model;
    this.#answer = answer;
  }

  /** Somebody waits until a run is or has been at a status, or has ended. */
  begin(index: number, run: ModelRun, status: string | undefined): void {
    this.#waits.push({ index, run, status });
  }

  /** Whose waits are over by now. */
  look(): void {
    for (const wait of this.#waits) {
      const text = verdict(wait);
      if (text === undefined) continue;
      this.#answer(wait.index, text);
      this.#waits = this.#waits.filter((each) => each !== wait);
    }
  }
}

/** What has become of a wait; nothing yet: `undefined`. */
function verdict({ run, status }: Wait): string | undefined {
  const hasBeen = run.history.some(({ kind, to }) => kind !== "late" && to === status);
  const isMet = status === undefined ? run.isOver : hasBeen;
  if (isMet) return `met: run ${run.number}`;
  return run.isOver ? `refused with RUN_ENDED: ${run.state}` : undefined;
}
