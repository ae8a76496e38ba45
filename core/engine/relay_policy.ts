import { type Duration, durationMs } from "../duration.ts";
import { PawlError } from "../errors.ts";
import type { EventStreamer } from "../ports/event_streamer.ts";

/** How the engine tells another system of its runs. */
export interface RelayOptions {
  /** Where every transition of the definitions with `stream: true` is sent, at least once and in order per run. */
  readonly streamer: EventStreamer;
  /** Events that are sent together; default 100. */
  readonly batch?: number;
  /** How old the oldest event that is not sent may become before that is logged as a warning; default 1 min. */
  readonly lagAlert?: Duration;
  /** Waits after a send that failed: from `initial` (default 500 ms), doubled each time, up to `max` (default 1 min). */
  readonly retry?: { readonly initial?: Duration; readonly max?: Duration };
  /** How long one send may take before it counts as failed; default 30 s. */
  readonly timeout?: Duration;
}

/** The options, checked and filled in. */
export interface RelayPolicy {
  readonly streamer: EventStreamer;
  readonly batchMax: number;
  readonly lagAlertMs: number;
  readonly retryInitialMs: number;
  readonly retryMaxMs: number;
  readonly timeoutMs: number;
}

/**
 * @param given What `createEngine({ streams })` was given.
 * @returns The policy.
 * @throws {PawlError} `INVALID_ARGUMENT` or `INVALID_DURATION`, naming the option.
 */
export function relayPolicy(given: EventStreamer | RelayOptions): RelayPolicy {
  const options: RelayOptions = "streamer" in given ? given : { streamer: given };
  const { streamer, batch = 100, retry = {} } = options;
  if (typeof streamer?.send !== "function") {
    throw new PawlError("INVALID_ARGUMENT", "Cannot create engine: `streams` is no streamer, nor has it one");
  }
  if (!Number.isInteger(batch) || batch < 1 || batch > 10_000) {
    throw new PawlError(
      "INVALID_ARGUMENT",
      `Cannot create engine: streams.batch is ${batch}, want 1 to 10000`,
    );
  }
  const retryInitialMs = Math.max(1, durationMs(retry.initial ?? 500, "streams.retry.initial"));
  return {
    streamer,
    batchMax: batch,
    lagAlertMs: durationMs(options.lagAlert ?? "1m", "streams.lagAlert"),
    retryInitialMs,
    retryMaxMs: Math.max(retryInitialMs, durationMs(retry.max ?? "1m", "streams.retry.max")),
    timeoutMs: Math.max(1, durationMs(options.timeout ?? "30s", "streams.timeout")),
  };
}

/** The wait after so many failures in a row, with jitter in its upper half. */
export function relayBackoffMs(policy: RelayPolicy, failures: number, chance: number): number {
  const full = Math.min(policy.retryMaxMs, policy.retryInitialMs * 2 ** Math.min(failures - 1, 30));
  return Math.round(full * (0.5 + chance / 2));
}
