import assert from "node:assert/strict";
import { virtualClock } from "../../core/testing/virtual_clock.ts";
import { Dispatcher, type Ready, type RunSource } from "../../core/engine/dispatcher.ts";
import { defaultLimits } from "../../core/limits.ts";
import { server } from "../../core/ports/platform.ts";

Deno.test("a run that was given its turn and waits for a slot does not start when the network has gone meanwhile", async () => {
  let isOnline = true;
  const platform = { ...server, isOnline: () => isOnline };
  const dispatcher = new Dispatcher({ ...defaultLimits, runsInFlightMax: 2 }, {
    clock: virtualClock(),
    platform,
  });
  const started: string[] = [];
  const ends = new Map<string, () => void>();
  const lane: Ready = { status: "send", concurrency: 1, needsNetwork: true };
  const free: Ready = { status: "count", concurrency: 0 };
  const source: RunSource = {
    name: "flow",
    prepare: (runId) => runId.startsWith("send") ? lane : free,
    run(runId) {
      started.push(runId);
      return new Promise((resolve) => ends.set(runId, resolve));
    },
  };
  const end = async (runId: string) => {
    ends.get(runId)!();
    for (let hop = 0; hop < 5; hop++) await Promise.resolve();
  };

  for (const runId of ["send 1", "send 2", "count 1", "count 2"]) dispatcher.ready(source, runId);
  assert.deepEqual(started, ["send 1", "count 1"]);
  await end("send 1");
  assert.deepEqual(started, ["send 1", "count 1", "count 2"], "send 2 has its turn, and no slot");
  isOnline = false;
  await end("count 1");
  assert.deepEqual(started, ["send 1", "count 1", "count 2"]);
  isOnline = true;
  dispatcher.lookAgain();
  assert.deepEqual(started, ["send 1", "count 1", "count 2", "send 2"]);
  await end("send 2");
  await end("count 2");
  assert.equal(dispatcher.inFlight, 0);
});
