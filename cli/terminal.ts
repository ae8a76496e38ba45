/**
 * The process that the tool runs in, as a {@linkcode Terminal}. Node, Deno and Bun all have `node:process`.
 *
 * @module
 */
import process from "node:process";
import { createInterface } from "node:readline/promises";
import type { Terminal } from "./command.ts";

/** A width for what is no screen: a line is cut nowhere. */
const noColumns = Infinity;

/**
 * Listens for interruption: the first asks the command to end, the second ends the process.
 *
 * @returns The terminal of this process.
 */
export function processTerminal(): Terminal {
  const { stdin, stdout, stderr } = process;
  const interruption = new AbortController();
  const interrupt = () => {
    if (interruption.signal.aborted) process.exit(130);
    interruption.abort(new DOMException("The command was interrupted", "AbortError"));
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  // Whoever reads has seen enough, as in `pawl list | head`.
  stdout.on("error", (error: { readonly code?: string }) => process.exit(error.code === "EPIPE" ? 0 : 1));
  return {
    out: (text) => {
      if (stdout.write(text)) return;
      return new Promise((resolve) => stdout.once("drain", resolve));
    },
    error: (text) => void stderr.write(text),
    isTerminal: stdout.isTTY === true,
    isErrorTerminal: stderr.isTTY === true,
    isInteractive: stdin.isTTY === true && stderr.isTTY === true,
    columns: stdout.isTTY === true ? stdout.columns ?? 80 : noColumns,
    signal: interruption.signal,
    env: (name) => process.env[name],
    cwd: process.cwd(),
    input: () => {
      stdin.setEncoding("utf8");
      return stdin as AsyncIterable<string>;
    },
    ask: async (question) => {
      // As no terminal, so that an interruption comes as a signal.
      const lines = createInterface({ input: stdin, output: stderr, terminal: false });
      try {
        // Whoever ends the input has not said yes.
        const ended = new Promise<string>((resolve) => lines.once("close", () => resolve("")));
        return await Promise.race([lines.question(question, { signal: interruption.signal }), ended]);
      } finally {
        lines.close();
      }
    },
    now: () => new Date(),
  };
}
