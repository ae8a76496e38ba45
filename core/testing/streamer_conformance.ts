/**
 * What every event streamer must do, as a list of cases for any test runner.
 *
 * @module
 */
import type { EventStreamer } from "../ports/event_streamer.ts";
import type { ConformanceCase } from "./store_conformance.ts";
import { streamerCases } from "./streamer_cases.ts";
import { cursorCases } from "./streamer_cursor_cases.ts";

/** What the streamer can do, and how it is opened and closed. */
export interface StreamerConformanceOptions {
  /**
   * Whether events are kept for receivers that come later, with a cursor for each name. Default true. `false` leaves out
   * every case about places and acks: say so where the streamer is described.
   */
  readonly keepsEvents?: boolean;
  /** Ends a streamer and opens another on the same events; leave it out where they end with the streamer. */
  readonly reopen?: (ended: EventStreamer) => EventStreamer | Promise<EventStreamer>;
  /** Called after each case with the streamer it began with. */
  readonly dispose?: (streamer: EventStreamer) => void | Promise<void>;
}

/**
 * The rules of `EventStreamer` as tests. No case needs time to go by: where nothing is to come, a last event shows it.
 *
 * @param open Opens a streamer without events.
 * @param options What it can do.
 * @returns One case per rule; each opens its own streamer, and they may run in any order.
 *
 * @example
 * ```ts
 * import { memoryStreamer } from "pawl/adapters/streams/memory";
 * import { streamerConformance } from "pawl/testing";
 * for (const { run } of streamerConformance(() => memoryStreamer())) await run();
 * ```
 */
export function streamerConformance(
  open: () => EventStreamer | Promise<EventStreamer>,
  options: StreamerConformanceOptions = {},
): ConformanceCase[] {
  const { keepsEvents = true, reopen, dispose } = options;
  return [...streamerCases, ...cursorCases]
    .filter(({ needs }) => needs === undefined || (keepsEvents && (needs !== "reopen" || reopen)))
    .map(({ name, run }) => ({
      name,
      async run() {
        const streamer = await open();
        try {
          await run({ streamer, ...(reopen && { reopen: async () => await reopen(streamer) }) });
        } finally {
          await dispose?.(streamer);
        }
      },
    }));
}
