import { type Clock, sleep } from "../ports/clock.ts";

/** Counts the attempts that are running, and waits for them to come to rest. */
export class Attempts {
  #running = 0;
  #atRest: (() => void) | undefined;

  /** One begins. */
  begin(): void {
    this.#running++;
  }

  /** One has landed. */
  end(): void {
    if (--this.#running === 0) this.#atRest?.();
  }

  /** Whether somebody waits for rest, or has found it: nothing is to begin. */
  get isRestWanted(): boolean {
    return this.#atRest !== undefined;
  }

  /**
   * Waits until nothing runs.
   *
   * @param clock Its time.
   * @param ms How long at most.
   * @param ended Ends the wait at once.
   * @returns Whether nothing runs; if so, rest stays wanted.
   */
  async rest(clock: Clock, ms: number, ended: AbortSignal): Promise<boolean> {
    const enough = new AbortController();
    const atRest = new Promise<void>((resolve) => this.#atRest = resolve);
    const late = sleep(clock, ms, AbortSignal.any([ended, enough.signal])).catch(() => {});
    if (this.#running > 0) await Promise.race([atRest, late]);
    enough.abort();
    if (this.#running > 0) this.#atRest = undefined;
    return this.#running === 0;
  }
}
