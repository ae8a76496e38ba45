/**
 * Run in a user's runtime: for each line of standard input, the path of a bundle of tests, runs them and says what came of
 * them in one line. One process for many files, as most of them take less than a process needs to start.
 *
 * @module
 */
import process from "node:process";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
// The driver is loaded before the tests, as virtual time does not wait for what a first import takes.
import "libsql";

interface Bundle {
  runTests(): Promise<unknown>;
}

for await (const file of createInterface({ input: process.stdin })) {
  const { runTests } = await import(pathToFileURL(file).href) as Bundle;
  process.stdout.write(`\n${JSON.stringify(await runTests())}\n`);
}
