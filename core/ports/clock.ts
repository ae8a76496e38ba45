/**
 * Time as a port: every hop of the engine that is not a promise goes through it, so a simulator owns every
 * interleaving.
 *
 * @module
 */

/** Stops a pending callback; calling it twice, or late, does nothing. */
export type Cancel = () => void;

/** The engine's only source of time. */
export interface Clock {
  /** Wall clock, milliseconds since 1970. May jump either way. */
  now(): number;
  /** Milliseconds that never run backwards, from an arbitrary start. */
  monotonic(): number;
  /** Calls back after everything now running, promises included, has had its turn: the hop that forms commit groups. */
  soon(callback: () => void): void;
  /** Calls back once, no earlier than `ms` monotonic milliseconds from now; any length, also over 2^31. */
  after(ms: number, callback: () => void): Cancel;
}

/** `setTimeout` keeps its delay in 32 signed bits; longer ones fire at once, so they are armed in pieces. */
const timeoutMsMax = 2 ** 31 - 1;

/**
 * The machine's own clock.
 *
 * @returns A clock over `Date`, `performance`, `setTimeout` and the fastest macrotask the runtime has.
 */
export function systemClock(): Clock {
  return {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    soon: macrotask(),
    after(ms, callback) {
      const due = performance.now() + ms;
      let handle: ReturnType<typeof setTimeout>;
      const arm = () => {
        const left = due - performance.now();
        if (left <= 0) return callback();
        handle = setTimeout(arm, Math.min(Math.ceil(left), timeoutMsMax));
      };
      handle = setTimeout(arm, Math.max(0, Math.min(Math.ceil(ms), timeoutMsMax)));
      return () => clearTimeout(handle);
    },
  };
}

/** `setImmediate` (Node, Deno), else a MessageChannel (browsers): `setTimeout(0)` costs a millisecond per commit. */
function macrotask(): (callback: () => void) => void {
  const immediate = (globalThis as { setImmediate?: (callback: () => void) => void }).setImmediate;
  if (immediate) return (callback) => immediate(callback);
  const waiting: (() => void)[] = [];
  const channel = new MessageChannel();
  channel.port1.onmessage = () => waiting.shift()?.();
  return (callback) => {
    waiting.push(callback);
    channel.port2.postMessage(0);
  };
}

/**
 * Waits on a clock.
 *
 * @param clock The clock.
 * @param ms How long.
 * @param signal Ends the wait early by rejecting with its reason.
 * @returns Resolves after `ms`.
 */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      cancel();
      reject(signal!.reason);
    };
    const cancel = clock.after(ms, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
