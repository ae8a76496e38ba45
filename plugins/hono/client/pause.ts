/**
 * Waits.
 *
 * @param ms Milliseconds.
 * @param signal Ends the wait by rejecting with its reason.
 */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal!.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

/** Longer and longer pauses: twice as long each time, up to 30 s, and some chance, so that clients come apart. */
export class Pauses {
  readonly #firstMs: number;
  readonly #signal: AbortSignal | undefined;
  #failures = 0;

  /**
   * @param firstMs The first one.
   * @param signal Ends them.
   */
  constructor(firstMs: number, signal: AbortSignal | undefined) {
    this.#firstMs = firstMs;
    this.#signal = signal;
  }

  /** Something went well. */
  reset(): void {
    this.#failures = 0;
  }

  /** The next pause. */
  async next(): Promise<void> {
    const ms = Math.min(30_000, this.#firstMs * 2 ** Math.min(this.#failures++, 16));
    await pause(ms * (0.5 + Math.random() / 2), this.#signal);
  }
}
