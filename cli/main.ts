/**
 * The tool as a program: `deno run -A cli/main.ts`, or `npx pawl`.
 *
 * @module
 */
import process from "node:process";
import { pawl } from "./pawl.ts";
import { processTerminal } from "./terminal.ts";

const code = await pawl(process.argv.slice(2), processTerminal());
// What was written may be on its way. Then it is over at once: the user's modules may hold timers, and a keyboard a process.
const written = (stream: Pick<typeof process.stdout, "write">) =>
  new Promise((resolve) => stream.write("", resolve));
await Promise.all([process.stdout, process.stderr].map(written));
process.exit(code);
