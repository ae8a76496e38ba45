import type { Line } from "./ledger.ts";

/** How long ago a process may have been harmed that does not yet know what it has lost. */
const causeMsMax = 3_000;

const causes: ReadonlySet<string> = new Set(["kill", "freeze", "thaw", "restarted", "leave", "log"]);

/**
 * What was done to whom, as the ledger is walked through. What a process has done may be forgotten when it dies, loses its
 * shard or cannot write; without any of these, it counts, and is not done again.
 */
export class Harm {
  readonly #last = new Map<string, number>();

  /** Takes note of a line. */
  see(line: Line): void {
    if (line.what === "event" && causes.has(line.name)) this.#last.set(line.to, line.at);
  }

  /** Whether what a process did at that time may be lost by now. */
  excuses({ by, at }: Pick<Line, "by" | "at">): boolean {
    const last = Math.max(this.#last.get(by) ?? -Infinity, this.#last.get("server") ?? -Infinity);
    return last >= at - causeMsMax;
  }
}
