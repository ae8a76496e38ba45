/**
 * Schedules: a report of each day, written the night after; days that were missed are made up for.
 *
 * @module
 */
import { type Engine, every, machine } from "pawl";

/** What a run carries. */
export interface Report {
  /** What the report is of. */
  readonly shop: string;
}

/**
 * Makes the machine.
 *
 * @param write Writes the report of a day; the same day twice is one report.
 * @returns The machine.
 */
export function reportMachine(write: (day: string, shop: string) => void) {
  return machine<Report>("reports")
    .step("due", ["written"], (run) => {
      // The key tells which day it is, however late the run has started.
      const night = new Date(run.key.slice("report-".length));
      write(new Date(Number(night) - 86_400_000).toISOString().slice(0, 10), run.data.shop);
      return "written";
    })
    .build();
}

/** Each night at 02:00 UTC. Called at every start of the program: what is there already stays. */
export function scheduleReports(engine: Engine, reports: ReturnType<typeof reportMachine>) {
  return engine.schedules.create({
    id: "nightly-report",
    recurrence: every("1d", { phase: "2h" }),
    target: reports,
    key: "report-{scheduledFor}",
    data: { shop: "main street" },
    catchUp: "12h",
    pauseOnFailure: true,
  });
}
