/**
 * Run in a user's runtime with a path: starts runs, writes down which it was told of, and works until all have ended. It
 * may be killed at any time and run again.
 *
 * @module
 */
import { appendFileSync } from "node:fs";
import process from "node:process";
import { openTrails, runsWanted } from "./kill_machine.ts";

const path = process.argv[2]!;
const { store, engine, definition } = openTrails(path);
await engine.start();
for (let number = 0; number < runsWanted; number++) {
  const key = `run-${number}`;
  const { runId } = await engine.trigger(definition, key, { data: { landed: [] }, idempotencyKey: key });
  appendFileSync(`${path}.told`, `${runId}\n`);
}
for (let number = 0; number < runsWanted; number++) await engine.await(definition, `run-${number}`);
await engine.stop();
await store.close();
