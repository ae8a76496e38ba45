import type { StepPolicy } from "../parts/run_change.ts";

/** What the engine does for itself, as a hook that is no user's, is tried until it is done. */
export const untilDone: StepPolicy = {
  retryInitialMs: 200,
  retryMaxMs: 30_000,
  retryFactor: 2,
  retryJitter: true,
  pauseAfterErrors: 0,
  lagMs: 0,
  concurrency: 0,
  timeoutMs: 0,
  lagAlertMs: 0,
  needsNetwork: false,
};
