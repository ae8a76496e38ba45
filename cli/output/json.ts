import type { Terminal } from "../command.ts";

/** Writes one JSON document, for people and programs. */
export async function writeJson(terminal: Terminal, value: unknown): Promise<void> {
  await terminal.out(`${JSON.stringify(value, undefined, 2)}\n`);
}

/** Writes one line of JSON. */
export async function writeJsonLine(terminal: Terminal, value: unknown): Promise<void> {
  await terminal.out(`${JSON.stringify(value)}\n`);
}
