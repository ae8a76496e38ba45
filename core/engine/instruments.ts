import type { Counter, Gauge, Histogram, InstrumentOptions, Telemetry } from "../ports/telemetry.ts";

/** What an engine measures with. */
export interface Instruments {
  readonly lag: Gauge;
  readonly lagAlert: Gauge;
  readonly states: Gauge;
  readonly latency: Histogram;
  readonly errors: Counter;
  readonly skipped: Counter;
  readonly runStates: Counter;
}

const processLabels = ["workflow_name", "process_name"] as const;

/**
 * Upper bounds of latency in seconds: luno/workflow's 0.01, 0.1, 1, 5, 10, 60 and 300, and finer ones between and
 * below, as most steps here take less than a millisecond and would all be in the first bucket.
 */
export const latencyBuckets: readonly number[] = [
  0.0005,
  0.001,
  0.005,
  0.01,
  0.05,
  0.1,
  0.5,
  1,
  5,
  10,
  60,
  300,
];

/**
 * The instruments of an engine, under the names and labels of luno/workflow.
 *
 * @param telemetry Makes them.
 * @returns All of them.
 */
export function instrumentsOf(telemetry: Telemetry): Instruments {
  const of = (name: string, help: string, labels: readonly string[] = processLabels): InstrumentOptions => ({
    name: `workflow_${name}`,
    help,
    labels,
  });
  return {
    lag: telemetry.gauge(of("process_lag_seconds", "How late the work last started was, from its due time.")),
    lagAlert: telemetry.gauge(
      of("process_lag_alert", "1 while that lag is above the process's alert threshold, else 0."),
    ),
    states: telemetry.gauge(
      of("process_states", "State of a process: 0 unknown, 1 shutdown, 2 running, 3 idle."),
    ),
    latency: telemetry.histogram({
      ...of("process_latency_seconds", "From the start of work that did not fail until it was stored."),
      buckets: latencyBuckets,
    }),
    errors: telemetry.counter(of("process_error_count", "Work that failed.")),
    skipped: telemetry.counter(
      of("process_skipped_events_count", "Work that changed nothing, by reason.", [
        ...processLabels,
        "reason",
      ]),
    ),
    runStates: telemetry.counter(
      of("run_state_changes", "Runs that went from one run state to another.", [
        "workflow_name",
        "previous_run_state",
        "current_run_state",
      ]),
    ),
  };
}
