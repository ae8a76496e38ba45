/**
 * Colours, where somebody looks.
 *
 * @module
 */
import type { Terminal } from "../command.ts";

/** Colours that are used. */
export type Colour = "red" | "green" | "yellow" | "blue" | "dim" | "bold";

const codes: Readonly<Record<Colour, number>> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34 };

/** Whether there are to be colours: see no-color.org. */
export function hasColours(terminal: Terminal): boolean {
  return terminal.isTerminal && !terminal.env("NO_COLOR") && terminal.env("TERM") !== "dumb";
}

/** @returns What paints a text, or leaves it as it is. */
export function painter(terminal: Terminal): (text: string, colour: Colour | undefined) => string {
  if (!hasColours(terminal)) return (text) => text;
  return (text, colour) =>
    colour === undefined || text === "" ? text : `\x1b[${codes[colour]}m${text}\x1b[0m`;
}

const stateColours: Readonly<Record<string, Colour>> = {
  running: "blue",
  paused: "yellow",
  "deletion-requested": "yellow",
  stalled: "red",
  failed: "red",
  completed: "green",
  cancelled: "dim",
  terminated: "dim",
  deleted: "dim",
};

/** The colour of a run state. */
export function stateColour(state: string): Colour | undefined {
  return stateColours[state];
}
