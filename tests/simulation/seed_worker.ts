/**
 * A thread that lives through ranges of seeds, and says what they came to.
 *
 * @module
 */
import type { Home } from "../../core/testing/simulation/plan.ts";
import { liveSeed, type ScenarioName } from "./scenarios.ts";

/** Seeds to live through. */
export interface SeedRange {
  readonly from: number;
  readonly count: number;
  readonly scenario: ScenarioName;
  readonly home: Home;
}

/** What a range came to. */
export interface RangeReport {
  readonly lived: number;
  readonly failed: readonly number[];
  readonly events: number;
  readonly faults: readonly (readonly [name: string, times: number])[];
  readonly checks: readonly (readonly [name: string, times: number])[];
  readonly coverage: readonly (readonly [what: string, kind: string, times: number])[];
}

/** A rejection that nobody has heard, which would end a process: as bad as any violation. */
let unheard: unknown;
globalThis.addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  unheard = event.reason ?? new Error("a rejection without a reason");
});

async function live({ from, count, scenario, home }: SeedRange): Promise<RangeReport> {
  const total = { lived: 0, failed: [] as number[], events: 0 };
  const faults: [string, number][] = [];
  const checks: [string, number][] = [];
  const coverage: (readonly [string, string, number])[] = [];
  for (let seed = from; seed < from + count; seed++) {
    total.lived++;
    unheard = undefined;
    try {
      const report = await liveSeed(seed, scenario, home);
      if (unheard !== undefined) throw unheard;
      total.events += report.events;
      faults.push(...report.faults);
      checks.push(...report.checks);
      coverage.push(...report.coverage.counts);
    } catch {
      total.failed.push(seed);
    }
  }
  return { ...total, faults, checks, coverage };
}

const thread = globalThis as unknown as {
  onmessage: (message: MessageEvent<SeedRange>) => void;
  postMessage(report: RangeReport): void;
};
thread.onmessage = async ({ data }) => thread.postMessage(await live(data));
