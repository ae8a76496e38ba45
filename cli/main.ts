/**
 * The tool as a program: `deno run -A cli/main.ts`, or `npx pawl`.
 *
 * @module
 */
import process from "node:process";
import { pawl } from "./pawl.ts";
import { processTerminal } from "./terminal.ts";

// The code is set and not exited with, as what was written may still be on its way.
process.exitCode = await pawl(process.argv.slice(2), processTerminal());
