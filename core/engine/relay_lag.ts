import type { EngineContext } from "./context.ts";
import type { RelayPolicy } from "./relay_policy.ts";

/** How far the relay of a definition in a shard is behind. */
export interface RelayLag {
  readonly definition: string;
  readonly shard: number;
  /** Age of the oldest event that is not sent and not held back; 0: there is none. */
  readonly lagMs: number;
}

/**
 * Told after every look at the log: sets the gauge of the process, and logs when the lag passes its limit, and again when
 * it is back below.
 *
 * @param context The engine.
 * @param policy When to alert.
 * @param lag How it is now.
 * @param wasLate What this answered the last time.
 * @returns Whether it is over the limit.
 */
export function reportRelayLag(
  context: EngineContext,
  policy: RelayPolicy,
  lag: RelayLag,
  wasLate: boolean,
): boolean {
  context.metrics?.relay(lag.definition, policy).lag(lag.shard, lag.lagMs);
  const isLate = lag.lagMs > policy.lagAlertMs;
  if (isLate && !wasLate) context.logger.log("warn", "The relay is behind", { ...lag });
  if (!isLate && wasLate) context.logger.log("info", "The relay has caught up", { ...lag });
  return isLate;
}
