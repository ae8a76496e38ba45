import assert from "node:assert/strict";
import fc from "fast-check";
import { RelayRound } from "../../core/engine/relay_round.ts";
import { wavesOf } from "../../core/parts/relay_plan.ts";
import type { LoggedChange } from "../../core/parts/run_log.ts";
import { readHeld, readRelay } from "../../core/parts/relay_rows.ts";
import { systemClock } from "../../core/ports/clock.ts";
import type { NewEvent } from "../../mod.ts";

const row = (version: number, runId: string, topic: string): LoggedChange => ({
  ...{ version, runId, topic, definition: "d", key: runId, status: "s", runState: "running", kind: "move" },
  ...{ recordVersion: version, at: 0 },
});

const rows = fc.array(fc.tuple(fc.constantFrom("r1", "r2", "r3"), fc.constantFrom("a", "b", "c")), {
  maxLength: 30,
})
  .map((list) => list.map(([runId, topic], index) => row(index + 1, runId, topic)));

Deno.test("wavesOf() has each row once, and each run's rows in order, whatever the order of sends in a wave", () => {
  fc.assert(fc.property(rows, fc.boolean(), (log, isReversed) => {
    const sent = wavesOf(log).flatMap((wave) => isReversed ? [...wave].reverse() : wave);
    for (const { topic, rows: group } of sent) assert.ok(group.every((each) => each.topic === topic));
    const flat = sent.flatMap((group) => group.rows);
    assert.equal(flat.length, log.length);
    for (const runId of ["r1", "r2", "r3"]) {
      const of = (list: readonly LoggedChange[]) => list.filter((each) => each.runId === runId);
      assert.deepEqual(of(flat), of(log));
    }
  }));
});

async function roundOf(log: readonly LoggedChange[], refuses: (topic: string, event: NewEvent) => boolean) {
  const taken: NewEvent[] = [];
  const policy = {
    streamer: {
      send: (topic: string, events: readonly NewEvent[]) => {
        if (events.some((event) => refuses(topic, event))) return Promise.reject(new Error("refused"));
        taken.push(...events);
        return Promise.resolve();
      },
      receive: () => Promise.reject(new Error("nobody receives here")),
    },
    ...{ batchMax: 100, lagAlertMs: 1, retryInitialMs: 1, retryMaxMs: 1, timeoutMs: 60_000 },
  };
  const { signal } = new AbortController();
  const round = new RelayRound({ policy, clock: systemClock(), ended: signal, isWary: false });
  await round.send(log);
  return { round, taken };
}

Deno.test("a round sends nothing of a run after an event of it that was not sent, tried or not", async () => {
  const runs = Array.from({ length: 40 }, (_, n) => `r${n}`);
  // More runs at the refused topic than are tried one by one; another topic lets the round go on.
  const log = [
    ...runs.map((runId, index) => row(index + 1, runId, "refused")),
    row(50, "other", "open"),
    ...runs.map((runId, index) => row(index + 60, runId, "open")),
  ];
  const { round, taken } = await roundOf(log, (topic) => topic === "refused");
  assert.deepEqual(taken.map(({ key }) => key), ["other"]);
  assert.ok(round.failed.size > 0 && round.failed.size < runs.length);
});

Deno.test("a round finds the bad events among good ones, and sends all of the others", () => {
  const bad = fc.uniqueArray(fc.nat(59), { maxLength: 4 });
  return fc.assert(fc.asyncProperty(bad, async (positions) => {
    const log = Array.from({ length: 60 }, (_, n) => row(n + 1, `r${n}`, "t"));
    const { round, taken } = await roundOf(log, (_, { key }) => positions.includes(Number(key.slice(1))));
    assert.deepEqual([...round.failed.keys()].sort(), positions.map((n) => `r${n}`).sort());
    assert.equal(taken.length, 60 - positions.length);
  }));
});

Deno.test("damaged rows of the relay are named, never misread", () => {
  for (const value of ["", "7", "{}", `{"version":"1","at":1}`, `{"version":1}`]) {
    const entry = { key: "held d r", value, version: 1 };
    for (const read of [readRelay, readHeld]) {
      assert.throws(() => read(entry), { code: "STORE_CORRUPT" }, value);
    }
  }
});
