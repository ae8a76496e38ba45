/**
 * A stored recurrence in words, for the types that are known; others are shown as they are stored.
 *
 * @module
 */
import { durationText } from "./time_text.ts";

/** @returns One line. */
export function recurrenceText({ type, spec }: { readonly type: string; readonly spec: unknown }): string {
  const { everyMs, phaseMs } = Object(spec) as { everyMs?: unknown; phaseMs?: unknown };
  if (type === "every" && typeof everyMs === "number") {
    const phase = typeof phaseMs === "number" && phaseMs > 0 ? `, shifted by ${durationText(phaseMs)}` : "";
    return `every ${durationText(everyMs)}${phase}`;
  }
  return `${type} ${typeof spec === "string" ? spec : JSON.stringify(spec)}`;
}
