import { PawlError } from "../errors.ts";
import type { RecurrenceType } from "../schedule/recurrence.ts";
import { recurrenceReader } from "../schedule/recurrence_reader.ts";
import type { EngineContext } from "./context.ts";
import type { ScheduleFilter } from "./schedule_types.ts";

/**
 * What the schedules of an engine may name.
 *
 * @param recurrences Types beside `every`.
 * @param filters By name.
 * @returns Both, by name.
 * @throws {PawlError} `INVALID_ARGUMENT` naming the option that is wrong.
 */
export function scheduleRules(
  recurrences: readonly RecurrenceType[] = [],
  filters: Readonly<Record<string, ScheduleFilter>> = {},
): Pick<EngineContext, "readRecurrence" | "filters"> {
  const isType = (each: RecurrenceType) => typeof each?.type === "string" && typeof each.parse === "function";
  if (!recurrences.every(isType)) {
    throw new PawlError(
      "INVALID_ARGUMENT",
      "Cannot create engine: one of `recurrences` is no type of recurrence; want { type, parse }",
    );
  }
  const wrong = Object.entries(filters).find(([, each]) => typeof each !== "function");
  if (wrong) {
    throw new PawlError("INVALID_ARGUMENT", `Cannot create engine: filters.${wrong[0]} is no function`);
  }
  return { readRecurrence: recurrenceReader(recurrences), filters: new Map(Object.entries(filters)) };
}
