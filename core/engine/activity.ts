import type { Clock } from "../ports/clock.ts";

/** What a shard of a connector is doing. */
export type Doing =
  | { readonly kind: "working" | "over" }
  /** Waits for its source to give more, since a time by the monotonic clock. */
  | { readonly kind: "asking"; readonly since: number }
  /** Waits for a time by the wall clock: a retry, a lag, or to open its source again. It counts as due if `isDue`. */
  | { readonly kind: "waiting"; readonly until: number; readonly isDue: boolean };

/** Tells those who wait whether something is at rest: a source never says that it has no more, it only stays silent. */
export class Activity {
  readonly #clock: Clock;
  readonly #quietMs: number;
  #doing: Doing = { kind: "working" };
  #watchers: (() => void)[] = [];

  /**
   * @param clock Time.
   * @param quietMs How long the source must be silent to be taken for empty.
   */
  constructor(clock: Clock, quietMs: number) {
    this.#clock = clock;
    this.#quietMs = quietMs;
  }

  /** It does something else now. */
  enter(doing: Doing): void {
    this.#doing = doing;
    this.#tell();
  }

  /** How long until it is at rest if nothing comes: 0 when it is, `Infinity` while it works. */
  get msToRest(): number {
    const doing = this.#doing;
    if (doing.kind === "working") return Infinity;
    if (doing.kind !== "asking") return 0;
    return Math.max(0, doing.since + this.#quietMs - this.#clock.monotonic());
  }

  /** Resolves when it may have come to rest, or does something else. */
  restOrChange(): Promise<void> {
    const ms = this.msToRest;
    if (ms === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = ms < Infinity ? this.#clock.after(ms, () => this.#tell()) : undefined;
      this.#watchers.push(() => {
        cancel?.();
        resolve();
      });
    });
  }

  /** When it goes on, if that is known and matters. */
  get nextDue(): number | undefined {
    return this.#doing.kind === "waiting" && this.#doing.isDue ? this.#doing.until : undefined;
  }

  #tell(): void {
    for (const watcher of this.#watchers.splice(0)) watcher();
  }
}
