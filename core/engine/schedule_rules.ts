import { PawlError } from "../errors.ts";
import { everyType, type RecurrenceType } from "../schedule/recurrence.ts";
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
): Pick<EngineContext, "recurrences" | "filters"> {
  const types = new Map([[everyType.type, everyType]]);
  for (const each of recurrences) {
    if (typeof each?.type !== "string" || typeof each.parse !== "function") {
      throw new PawlError(
        "INVALID_ARGUMENT",
        "Cannot create engine: one of `recurrences` is no type of recurrence; want { type, parse }",
      );
    }
    types.set(each.type, each);
  }
  const wrong = Object.entries(filters).find(([, each]) => typeof each !== "function");
  if (wrong) {
    throw new PawlError("INVALID_ARGUMENT", `Cannot create engine: filters.${wrong[0]} is no function`);
  }
  return { recurrences: types, filters: new Map(Object.entries(filters)) };
}
