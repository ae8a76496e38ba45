/**
 * Shows on stderr that something moves: one line that is written over on a terminal, else a line a second.
 *
 * @module
 */
import type { Logger } from "../../mod.ts";

/** What is being shown. */
export interface Progress {
  /** Writes what the engine has to say between two states of the line. */
  readonly logger: Logger;
  /** Ends the show and leaves a clean line. */
  end(): void;
}

/**
 * Begins to show progress.
 *
 * @param text What to show now.
 * @returns The show.
 */
export function showProgress(text: () => string): Progress {
  const isTerminal = Deno.stderr.isTerminal();
  const clear = isTerminal ? "\r\x1b[K" : "";
  let shown = "";
  const show = () => {
    const now = text();
    if (now === shown) return;
    shown = now;
    write(isTerminal ? clear + now : `${now}\n`);
  };
  const timer = setInterval(show, isTerminal ? 100 : 1_000);
  const log: Logger["log"] = (level, message, fields) => {
    // What ails a single order is in the report.
    if ((level !== "warn" && level !== "error") || fields?.["runId"] !== undefined) return;
    write(`${clear}${message}\n`);
    shown = "";
  };
  const end = () => {
    clearInterval(timer);
    if (shown !== "") write(clear);
    shown = "";
  };
  return { logger: { log }, end };
}

function write(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(text));
}
