import { PawlError } from "../errors.ts";
import type { ScheduleRecord } from "../parts/schedule_record.ts";
import type { EngineContext } from "./context.ts";
import { AttemptSignal } from "./attempt_call.ts";
import { withTimeout } from "./step_runner.ts";

/** Longest that a filter may take: its schedule waits for it. */
const filterMsMax = 60_000;

/** A filter that threw, or did not answer in time: its occurrence is kept. */
export class FilterFailure extends Error {}

/**
 * Asks a schedule's filter.
 *
 * @param context The engine.
 * @param schedule A schedule with a filter.
 * @param at The occurrence.
 * @returns What it says.
 * @throws {FilterFailure} With what the filter has thrown as its cause.
 * @throws {PawlError} `UNKNOWN_FILTER`, or `INVALID_ARGUMENT` for an answer that is none.
 */
export async function askFilter(
  context: EngineContext,
  schedule: ScheduleRecord,
  at: number,
): Promise<boolean> {
  const name = schedule.rules.filter!;
  const filter = context.filters.get(name);
  if (!filter) {
    throw new PawlError(
      "UNKNOWN_FILTER",
      `Cannot ask filter ${JSON.stringify(name)} of schedule "${schedule.id}": this engine has ` +
        `${[...context.filters.keys()].map((each) => `"${each}"`).join(", ") || "none"}; ` +
        `give it to createEngine({ filters })`,
    );
  }
  const occurrence = { schedule: schedule.id, scheduledFor: new Date(at) };
  const end = new AttemptSignal();
  const asked = new Promise<boolean>((resolve) => resolve(filter(occurrence)));
  const answer = await withTimeout(context, asked, filterMsMax, end).catch((cause) => {
    throw new FilterFailure(`filter "${name}" failed`, { cause });
  });
  if (typeof answer === "boolean") return answer;
  throw new PawlError(
    "INVALID_ARGUMENT",
    `Cannot use the answer of filter "${name}" of schedule "${schedule.id}": got ${
      String(answer)
    }, want a boolean`,
  );
}
