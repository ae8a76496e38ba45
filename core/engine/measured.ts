import type { Logger } from "../ports/logger.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import type { EngineContext } from "./context.ts";
import { guardTelemetry } from "./guard_telemetry.ts";
import { EngineMetrics } from "./metrics.ts";
import { tracer } from "./trace_attempt.ts";

/**
 * What an engine measures and traces with.
 *
 * @param given The user's telemetry; what it throws later is logged, and harms no run.
 * @param logger Where that goes.
 * @returns The engine's metrics, and, where the telemetry makes spans, what makes one of each attempt.
 */
export function measured(given: Telemetry, logger: Logger): Pick<EngineContext, "metrics" | "trace"> {
  const telemetry = guardTelemetry(given, logger);
  return { metrics: new EngineMetrics(telemetry), trace: tracer(telemetry) };
}
