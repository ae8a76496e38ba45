import { readJson } from "./arguments.ts";
import type { Terminal } from "./command.ts";

/**
 * Reads JSON that was given as an option, or piped in.
 *
 * @param text Of the option; `-`: it is piped in.
 * @param option The option.
 * @param terminal Has what is piped in.
 * @returns The value; `undefined`: none was given.
 * @throws {UsageError} When it is no JSON.
 */
export async function readPayload(
  text: string | undefined,
  option: string,
  terminal: Terminal,
): Promise<unknown> {
  if (text === undefined) return undefined;
  if (text !== "-") return readJson(text, option);
  let piped = "";
  for await (const piece of terminal.input()) piped += piece;
  return readJson(piped, "What is piped in");
}
