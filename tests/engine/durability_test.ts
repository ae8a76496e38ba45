/**
 * Which changes of a run a power cut may take: those that nobody outside is told of.
 *
 * @module
 */
import assert from "node:assert/strict";
import { memoryStore } from "../../adapters/memory/mod.ts";
import { kindOfBatch } from "../../core/testing/simulation/coverage.ts";
import { type Definition, machine, type Store } from "../../mod.ts";
import { testEngine } from "../../core/testing/mod.ts";

/** What was committed of runs: each kind with whether it was relaxed. */
function watched() {
  const inner = memoryStore();
  const seen: string[] = [];
  const store: Store = {
    limits: inner.limits,
    shards: inner.shards,
    close: () => inner.close(),
    read: (requests) => inner.read(requests),
    commit(calls) {
      for (const { batches } of calls) {
        for (const batch of batches) {
          const isOfRun = batch.puts.some(({ key }) => key.startsWith("hist "));
          if (isOfRun) seen.push(`${kindOfBatch(batch)}: ${batch.relaxed ? "relaxed" : "strict"}`);
        }
      }
      return inner.commit(calls);
    },
  };
  return { store, seen };
}

async function kindsOf(definition: Definition, asks: string): Promise<string[]> {
  const { store, seen } = watched();
  const { engine, advance } = await testEngine({ store, definitions: [definition] });
  await engine.trigger(definition, "k", { data: null });
  await advance("1s");
  if (asks === "resume") await engine.resume(definition, "k");
  if (asks === "cancel") await engine.cancel(definition, "k");
  if (asks === "callback") {
    const { callback } = engine as unknown as { callback(...args: unknown[]): Promise<unknown> };
    await callback.call(engine, definition, "k", "b", null);
  }
  await advance("1s");
  await engine.stop();
  return seen;
}

const mover = (options: { stream?: true } = {}) =>
  machine("moves", options).step("a", ["b"], () => "b").step("b", ["c"], () => "c");

Deno.test("a move of a run that goes on is relaxed; its trigger and its end are strict", async () => {
  assert.deepEqual(await kindsOf(mover().build(), ""), [
    "trigger: strict",
    "step move: relaxed",
    "step move: strict",
  ]);
});

Deno.test("a move that a stream tells of is strict", async () => {
  const kinds = await kindsOf(mover({ stream: true }).build(), "");
  assert.deepEqual(kinds, ["trigger: strict", "step move: strict", "step move: strict"]);
});

Deno.test("a callback is strict, and so is what an operator does", async () => {
  const waits = machine("waits").step("a", ["b"], () => "b").callback("b", ["c"], () => "c").build();
  const before = ["trigger: strict", "step move: relaxed"];
  assert.deepEqual(await kindsOf(waits, "callback"), [...before, "callback move: strict"]);
  assert.deepEqual(await kindsOf(waits, "cancel"), [...before, "cancel: strict"]);
});

Deno.test("a pause of a step's own is relaxed, unless a hook is told of it", async () => {
  let pauses = 0;
  const pausing = () =>
    machine("pauses").step("a", ["b"], (run) => pauses++ % 2 === 0 ? run.pause("so it is") : "b");
  const rest = ["resume: strict", "step move: strict"];
  assert.deepEqual(await kindsOf(pausing().build(), "resume"), [
    "trigger: strict",
    "step pause: relaxed",
    ...rest,
  ]);
  assert.deepEqual(await kindsOf(pausing().onPause(() => {}).build(), "resume"), [
    "trigger: strict",
    "step pause: strict",
    ...rest,
  ]);
});
