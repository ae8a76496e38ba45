import type { RecurrenceType } from "pawl";
import { isMissing } from "./packages.ts";

/** Each needs a package of its own. */
const loaders: Readonly<Record<string, () => Promise<RecurrenceType>>> = {
  cron: async () => (await import("pawl/plugins/cron")).cron,
  rrule: async () => (await import("pawl/plugins/rrule")).rrule,
};

/**
 * The types of recurrences whose packages are installed.
 *
 * @param others Types that are there already.
 * @returns All but those. A schedule of a type that is missing says so when it is asked for its times.
 */
export async function recurrencesThere(others: readonly string[]): Promise<readonly RecurrenceType[]> {
  const wanted = Object.entries(loaders).filter(([type]) => !others.includes(type));
  const found = await Promise.all(wanted.map(async ([, load]) => {
    try {
      return [await load()];
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }));
  return found.flat();
}
