import type { Terminal } from "../command.ts";
import { cutTo } from "./width.ts";

/** A line on the screen that tells how far long work is; nothing where there is no screen. */
export interface Progress {
  /** Says something else in its place. */
  say(text: string): void;
  /** Takes it away. */
  end(): void;
}

/** Milliseconds between two texts: more nobody can read. */
const pauseMs = 100;

/**
 * @param terminal Where it is shown.
 * @returns The line.
 */
export function progressOn(terminal: Terminal): Progress {
  if (!terminal.isErrorTerminal) return { say: () => {}, end: () => {} };
  let saidAt = -Infinity;
  return {
    say(text) {
      const now = terminal.now().getTime();
      if (now - saidAt < pauseMs) return;
      saidAt = now;
      terminal.error(`\r\x1b[2K${cutTo(text, Math.min(terminal.columns, 80) - 1)}`);
    },
    end() {
      if (saidAt > -Infinity) terminal.error("\r\x1b[2K");
    },
  };
}
