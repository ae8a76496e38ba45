import { PawlError } from "../../core/errors.ts";
import { sleep, systemClock } from "../../core/ports/clock.ts";

/**
 * The value of a promise that the browser may never settle, as when its storage process has died.
 *
 * @param onLate Called when it is given up.
 * @throws {PawlError} `STORE_UNREACHABLE`.
 */
export async function inTime<Value>(
  promise: Promise<Value>,
  timeoutMs: number,
  doing: string,
  onLate: () => void,
): Promise<Value> {
  const timer = new AbortController();
  const tooLate = sleep(systemClock(), timeoutMs, timer.signal).then(() => {
    promise.catch(() => {});
    try {
      onLate();
    } catch {
      // It was over already.
    }
    throw new PawlError(
      "STORE_UNREACHABLE",
      `Cannot ${doing}: the browser has not answered within ${timeoutMs} ms`,
    );
  });
  tooLate.catch(() => {});
  try {
    return await Promise.race([promise, tooLate]);
  } finally {
    timer.abort();
  }
}
