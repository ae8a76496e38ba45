/**
 * Run in a user's runtime with a path, when all is over: what was acknowledged is there, every step has landed once and in
 * order, code ran at least as often as its step landed, and the store is sound.
 *
 * @module
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import process from "node:process";
import { openTrails, runsWanted } from "./kill_machine.ts";

const path = process.argv[2]!;
const { store, engine, definition } = openTrails(path);
const lines = (end: string) => readFileSync(`${path}.${end}`, "utf8").trim().split("\n");
const runs = await Promise.all(
  Array.from({ length: runsWanted }, (_, number) => engine.get(definition, `run-${number}`)),
);
const told = new Set(lines("told"));
const begun = lines("ledger");
for (const run of runs) {
  assert.ok(run);
  assert.deepEqual([run.runState, run.data.landed], ["completed", ["one", "two", "three"]], run.key);
  const moves = (await engine.history({ runId: run.runId })).filter((row) => row.kind === "move");
  assert.deepEqual(moves.map((row) => row.to), ["two", "three", "end"], run.key);
  told.delete(run.runId);
}
assert.deepEqual([...told], [], "runs that were acknowledged and are not there");
assert.ok(begun.length >= 3 * runsWanted);
assert.deepEqual((await engine.admin.verify()).findings, []);
await engine.stop();
await store.close();
process.stdout.write(`${runs.length} runs, ${begun.length - new Set(begun).size} steps begun again\n`);
