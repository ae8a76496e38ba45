/**
 * JSON has no dates: which fields of an answer are some is told by its shape, so that text in users' data stays text.
 *
 * @module
 */

/** Fields that are dates, and fields that have some in them. */
export type Shape = { readonly [name: string]: true | Shape };

/** Of a run. */
export const runShape: Shape = {
  createdAt: true,
  updatedAt: true,
  origin: { scheduledFor: true },
  timers: { at: true },
};

/** Of a row of its history. */
export const rowShape: Shape = { at: true };

/** Of a page of such. */
export const pageOf = (items: Shape): Shape => ({ items });

const scheduleFields: Shape = { from: true, until: true, next: true, createdAt: true, updatedAt: true };

/** Of a schedule, also with what it is at. */
export const scheduleShape: Shape = {
  ...scheduleFields,
  upcoming: true,
  results: { scheduledFor: true, endedAt: true },
  running: { scheduledFor: true },
  waiting: { scheduledFor: true },
  backfills: { from: true, until: true, at: true },
};

/** Of an occurrence. */
export const occurrenceShape: Shape = { scheduledFor: true, decidedAt: true, several: { until: true } };

/** Of a lock. */
export const lockShape: Shape = { holders: { since: true, until: true }, waiters: { since: true } };

/**
 * @param value What came.
 * @param shape Where dates are; a list has the shape of its items.
 * @returns The same with dates.
 */
export function revive<Value>(value: unknown, shape: true | Shape): Value {
  if (Array.isArray(value)) return value.map((item) => revive(item, shape)) as Value;
  if (shape === true) return (typeof value === "string" ? new Date(value) : value) as Value;
  if (typeof value !== "object" || value === null) return value as Value;
  const found = Object.entries(shape).filter(([name]) => name in value)
    .map(([name, inner]) => [name, revive((value as Record<string, unknown>)[name], inner)]);
  return { ...value, ...Object.fromEntries(found) } as Value;
}
