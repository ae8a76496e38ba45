/**
 * How fast the demo goes, and what goes wrong in it: made of a name, so that a run that is tried again fails the same way.
 *
 * @module
 */

/**
 * @param from The least.
 * @param to More than the most.
 * @returns A whole number between.
 */
export function between(from: number, to: number): number {
  return from + Math.floor(Math.random() * (to - from));
}

/**
 * @param ms How long; a stop ends it at once.
 * @param signal Of the attempt.
 */
export function pretendToWork(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, ms);
    function stop() {
      clearTimeout(timer);
      reject(signal.reason);
    }
    signal.addEventListener("abort", stop, { once: true });
  });
}

/**
 * @param name Of a run, with its place.
 * @param percent How many of a hundred names.
 * @returns Whether this is one of them; always the same for the same name.
 */
export function isUnlucky(name: string, percent: number): boolean {
  let hash = 7;
  for (const char of name) hash = (hash * 31 + char.codePointAt(0)!) % 1_000_003;
  return hash % 100 < percent;
}
