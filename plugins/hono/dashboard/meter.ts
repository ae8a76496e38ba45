/**
 * Rates from totals that only grow, and the past of a number.
 *
 * @module
 */
import { readMetrics, type Sample, sumOf } from "./metric_text.ts";

/** The totals of one look. */
export interface Look {
  readonly at: number;
  readonly steps: number;
  readonly errors: number;
  readonly created: number;
  readonly ended: number;
  /** The process that is furthest behind, in seconds. */
  readonly lag: number;
  readonly samples: readonly Sample[];
}

/** What a chart shows at one moment. */
export interface Moment {
  readonly at: number;
  readonly steps: number;
  readonly errors: number;
  readonly created: number;
  readonly ended: number;
  readonly lag: number;
}

/** Looks that are kept: ten minutes of one every two seconds. */
export const looksMax = 300;

const names: ReadonlySet<string> = new Set([
  "workflow_process_lag_seconds",
  "workflow_process_lag_alert",
  "workflow_process_latency_seconds_count",
  "workflow_process_latency_seconds_sum",
  "workflow_process_error_count",
  "workflow_run_state_changes",
]);

const endings: ReadonlySet<string> = new Set(["completed", "failed", "cancelled", "terminated"]);

/** Reads what the metrics say now. */
export function lookOf(text: string, at: number): Look {
  const samples = readMetrics(text, names);
  const lags = samples.filter(({ name }) => name === "workflow_process_lag_seconds").map(({ value }) =>
    value
  );
  const changes = (passes: (state: string | undefined) => boolean) =>
    sumOf(samples, "workflow_run_state_changes", (labels) => passes(labels.current_run_state));
  return {
    at,
    samples,
    steps: sumOf(samples, "workflow_process_latency_seconds_count"),
    errors: sumOf(samples, "workflow_process_error_count"),
    created: changes((state) => state === "initiated"),
    ended: changes((state) => state !== undefined && endings.has(state)),
    lag: lags.length === 0 ? 0 : Math.max(...lags),
  };
}

/** How much a total has grown in a second; after a restart it begins anew. */
export function rateOf(before: number, after: number, ms: number): number {
  if (!(ms > 0)) return 0;
  return ((after < before ? after : after - before) * 1_000) / ms;
}

/** The rates between looks. */
export function momentsOf(looks: readonly Look[]): readonly Moment[] {
  return looks.slice(1).map((look, n) => {
    const before = looks[n]!;
    const rate = (name: "steps" | "errors" | "created" | "ended") =>
      rateOf(before[name], look[name], look.at - before.at);
    return {
      at: look.at,
      lag: look.lag,
      ...{ steps: rate("steps"), errors: rate("errors"), created: rate("created"), ended: rate("ended") },
    };
  });
}
