import type { VirtualClock } from "./virtual_clock.ts";

/** Longer than any patience of an engine with its store. */
const driveMsMax = 3_600_000;

/**
 * Moves time on while something is pending that may need it, such as a verb whose store is busy.
 *
 * @param clock The clock.
 * @param work What is pending.
 * @returns What it comes to.
 */
export async function driven<Value>(clock: VirtualClock, work: Promise<Value>): Promise<Value> {
  let isOver = false;
  const end = () => void (isOver = true);
  work.then(end, end);
  clock.attend(work);
  const until = clock.monotonic() + driveMsMax;
  for (let left = driveMsMax; !isOver && left > 0; left = until - clock.monotonic()) {
    await clock.settle();
    if (!isOver) await clock.next(left);
  }
  return work;
}
