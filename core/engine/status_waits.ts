import type { RunRecord } from "../parts/run_record.ts";
import type { Behaviour } from "./behaviour.ts";
import type { Wait } from "./dispatcher.ts";
import type { HotRun } from "./hot_runs.ts";
import { decideTurn } from "./turn.ts";

/** The runs of a shard that wait for their status, and the places they have there. */
export class StatusWaits {
  /** With the time they were due at. */
  readonly #waits = new Map<string, Wait & { readonly due: number | undefined }>();
  /** Where runs wait for their step in this visit; a timer that has its turn before costs them no place. */
  readonly #places = new Map<string, { readonly visit: number; readonly place: number }>();

  /** A run begins to wait. */
  begin(runId: string, wait: Wait, run: HotRun | undefined): void {
    this.#waits.set(runId, { ...wait, due: run?.record.due });
    if (run?.turn.kind !== "step") return;
    this.#places.set(runId, { visit: run.record.visit, place: wait.place });
  }

  /** It is prepared again, and keeps its place. */
  end(runId: string): void {
    this.#waits.delete(runId);
  }

  /** Has it prepared again now, if it waits; where a due time is given, only if it waits for another one. */
  recall(runId: string, due?: number): void {
    const wait = this.#waits.get(runId);
    if (wait && (due === undefined || wait.due !== due)) wait.recall();
  }

  /**
   * A run has changed: it may be due for something else now.
   *
   * @returns Whether it waits.
   */
  reconsider(behaviour: Behaviour, record: RunRecord, now: number): boolean {
    const wait = this.#waits.get(record.id);
    if (!wait) return false;
    const decision = decideTurn(behaviour, record, now);
    const isSame = decision && "ready" in decision && decision.ready.status === wait.status;
    if (!isSame) wait.recall();
    return true;
  }

  /** Where a run has waited in this visit. */
  placeOf({ id, visit }: RunRecord): number | undefined {
    const known = this.#places.get(id);
    return known?.visit === visit ? known.place : undefined;
  }

  /** It needs its place no more. */
  leave(runId: string): void {
    this.#places.delete(runId);
  }

  /** Nobody waits any more. */
  clear(): void {
    this.#waits.clear();
    this.#places.clear();
  }
}
