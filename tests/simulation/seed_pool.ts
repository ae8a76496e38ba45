import { Coverage } from "../../core/testing/simulation/coverage.ts";
import type { RangeReport, SeedRange } from "./seed_worker.ts";

/** Seeds that a thread is given at a time. */
const rangeSize = 25;

/** What all seeds so far came to. */
export class SeedTotal {
  lived = 0;
  events = 0;
  readonly failed: number[] = [];
  readonly faults = new Map<string, number>();
  readonly checks = new Map<string, number>();
  readonly coverage = new Coverage();

  add({ lived, failed, events, faults, checks, coverage }: RangeReport): void {
    this.lived += lived;
    this.events += events;
    this.failed.push(...failed);
    for (const [name, times] of faults) this.faults.set(name, (this.faults.get(name) ?? 0) + times);
    for (const [name, times] of checks) this.checks.set(name, (this.checks.get(name) ?? 0) + times);
    this.coverage.add(coverage);
  }
}

/**
 * Lives through seeds on every core.
 *
 * @param what What is lived through, and where.
 * @param from The first seed.
 * @param goesOn Whether another range is to be begun, given how many seeds were begun.
 * @param onProgress Told after every range.
 * @returns What they came to.
 */
export async function liveOnAllCores(
  what: Pick<SeedRange, "scenario" | "home">,
  from: number,
  goesOn: (begun: number, total: SeedTotal) => boolean,
  onProgress: (total: SeedTotal) => void,
): Promise<SeedTotal> {
  const total = new SeedTotal();
  let begun = 0;
  const thread = async () => {
    const worker = new Worker(new URL("./seed_worker.ts", import.meta.url), { type: "module" });
    try {
      while (goesOn(begun, total)) {
        const range = { from: from + begun, count: rangeSize, ...what };
        begun += rangeSize;
        total.add(await askFor(worker, range));
        onProgress(total);
      }
    } finally {
      worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: navigator.hardwareConcurrency }, thread));
  return total;
}

function askFor(worker: Worker, range: SeedRange): Promise<RangeReport> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data as RangeReport);
    worker.onerror = (event) =>
      reject(new Error(`A thread broke at seeds from ${range.from}: ${event.message}`));
    worker.postMessage(range);
  });
}
