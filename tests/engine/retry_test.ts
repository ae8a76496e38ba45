import assert from "node:assert/strict";
import { machine, type RetryOptions, type StepOptions } from "../../mod.ts";
import { patient, testOnStores } from "./stores.ts";

/** A machine whose step fails until told otherwise, and notes when it was tried. */
function failing(options: StepOptions & { pauseRetry?: string | false; message?: () => string } = {}) {
  const { pauseRetry, message = () => "boom", ...step } = options;
  const state = { tries: [] as number[], works: false, now: () => 0 };
  const flow = machine<undefined>("flow", pauseRetry === undefined ? {} : { pauseRetry })
    .step("a", ["b"], () => {
      state.tries.push(state.now());
      if (!state.works) throw new Error(message());
      return "b";
    }, step)
    .build();
  return { flow, state };
}

const steady: RetryOptions = { initial: "1s", max: "1m", factor: 2, jitter: false };

testOnStores(
  "a failing step is retried after exponentially growing waits, up to the maximum",
  async (world) => {
    const { flow, state } = failing({ retry: steady });
    const engine = await world.started({ definitions: [flow] });
    state.now = () => world.clock.now();
    const began = world.clock.now();
    await engine.trigger(flow, "k");
    await world.advance(300_000);
    const waits = state.tries.map((at, index) => at - (index === 0 ? began : state.tries[index - 1]!));
    assert.deepEqual(waits, [0, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  },
);

testOnStores("a failing step's waits are spread over their upper half by jitter", async (world) => {
  const { flow, state } = failing({ retry: { ...steady, factor: 1, initial: "10s", jitter: true } });
  const engine = await world.started({ definitions: [flow] });
  state.now = () => world.clock.now();
  await engine.trigger(flow, "k");
  await world.advance(400_000);
  const waits = state.tries.slice(1).map((at, index) => at - state.tries[index]!);
  assert.ok(waits.every((wait) => wait >= 5_000 && wait <= 10_000), waits.join());
  assert.ok(new Set(waits).size > waits.length / 2, waits.join());
});

testOnStores(
  "a failing step's attempts are on the record, with the last error, and gone once it lands",
  async (world) => {
    const { flow, state } = failing({ retry: steady });
    const engine = await world.started({ definitions: [flow] });
    const { runId } = await engine.trigger(flow, "k");
    await world.advance(3_500);
    const run = (await engine.get(flow, "k"))!;
    assert.deepEqual([run.attempt, run.lastError, run.runState], [
      3,
      { name: "Error", message: "boom" },
      "initiated",
    ]);
    state.works = true;
    await world.advance(60_000);
    const done = (await engine.get(flow, "k"))!;
    assert.deepEqual([done.runState, done.attempt, done.lastError], ["completed", 0, undefined]);
    const rows = await engine.history({ runId });
    assert.deepEqual(rows.map((row) => [row.kind, row.attempt]), [
      ["trigger", 0],
      ["error", 1],
      ["error", 2],
      ["error", 3],
      ["move", 0],
    ]);
  },
);

testOnStores(
  "a failing step goes on counting attempts and waiting out its backoff on the next engine",
  async (world) => {
    const { flow, state } = failing({ retry: steady, pauseAfterErrors: 5, pauseRetry: false });
    state.now = () => world.clock.now();
    const began = world.clock.now();
    for (let life = 0; life < 8; life++) {
      const engine = await world.started({ definitions: [flow] });
      if (life === 0) await engine.trigger(flow, "k");
      await world.advance(2_500);
      await engine.stop();
    }
    assert.deepEqual(state.tries.map((at) => at - began), [0, 1_000, 3_000, 7_000, 15_000]);
    const run = (await world.engine({ definitions: [flow] }).get(flow, "k"))!;
    assert.deepEqual([run.runState, run.attempt], ["paused", 5]);
  },
);

testOnStores("pauseAfterErrors counts errors of every text together", async (world) => {
  let count = 0;
  const { flow } = failing({
    retry: steady,
    pauseAfterErrors: 4,
    pauseRetry: false,
    message: () => `request ${++count} failed`,
  });
  const engine = await world.started({ definitions: [flow] });
  const { runId } = await engine.trigger(flow, "k");
  await world.advance(60_000);
  const run = (await engine.get(flow, "k"))!;
  assert.deepEqual([run.runState, run.attempt, count], ["paused", 4, 4]);
  assert.match(run.reason!, /"a" failed 4 times.*request 4 failed/);
  const last = (await engine.history({ runId })).at(-1)!;
  assert.deepEqual([last.kind, last.runState, last.reason], ["error", "paused", run.reason]);
});

testOnStores("pauseAfterErrors counts errors in a row: a landing in between starts anew", async (world) => {
  let tries = 0;
  const flow = machine<undefined>("flow", { pauseRetry: false })
    .step("a", ["b"], (run) => {
      if (++tries % 3 !== 0) throw new Error("boom");
      return tries < 12 ? run.repeat() : "b";
    }, { pauseAfterErrors: 3, retry: steady })
    .build();
  const engine = await world.started({ definitions: [flow] });
  await engine.trigger(flow, "k");
  await world.advance(60_000);
  assert.equal((await engine.get(flow, "k"))!.runState, "completed");
});

testOnStores("pauseAfterErrors of zero retries for ever", async (world) => {
  const { flow, state } = failing({ retry: { initial: "1s", max: "1s", jitter: false } });
  const engine = await world.started({ definitions: [flow] });
  await engine.trigger(flow, "k");
  await world.advance(100_000);
  assert.equal(state.tries.length, 101);
  assert.equal((await engine.get(flow, "k"))!.attempt, 101);
});

testOnStores(
  "pauseRetry resumes a paused run by itself after 1 h, with a fresh count of attempts",
  async (world) => {
    const { flow, state } = failing({ retry: steady, pauseAfterErrors: 2 });
    const engine = await world.started({ definitions: [flow], ...patient });
    const { runId } = await engine.trigger(flow, "k");
    await world.advance(3_600_999);
    assert.equal((await engine.get(flow, "k"))!.runState, "paused");
    assert.equal(state.tries.length, 2);
    await world.advance(1);
    assert.equal(state.tries.length, 3);
    assert.equal((await engine.get(flow, "k"))!.attempt, 1);
    state.works = true;
    await world.advance(10_000);
    assert.equal((await engine.get(flow, "k"))!.runState, "completed");
    const rows = await engine.history({ runId });
    assert.deepEqual(rows.map((row) => `${row.kind} ${row.by}`), [
      "trigger client",
      "error step",
      "error step",
      "resume engine",
      "error step",
      "move step",
    ]);
  },
);

testOnStores("pauseRetry resumes a run that an operator or its step paused, too", async (world) => {
  let pauses = 0;
  const flow = machine<undefined>("flow", { pauseRetry: "10m" })
    .step("a", ["b"], (run) => pauses++ === 0 ? run.pause("by itself") : "b", { lag: "1s" })
    .build();
  const engine = await world.started({ definitions: [flow], ...patient });
  await engine.trigger(flow, "k");
  await engine.pause(flow, "k");
  await world.advance(600_000 - 1);
  assert.equal(pauses, 0);
  await world.advance(1);
  assert.deepEqual([pauses, (await engine.get(flow, "k"))!.reason], [1, "by itself"]);
  await world.advance(600_000);
  assert.equal((await engine.get(flow, "k"))!.runState, "completed");
});

testOnStores("pauseRetry false leaves a paused run alone, without work in the index", async (world) => {
  const { flow, state } = failing({ pauseAfterErrors: 1, pauseRetry: false });
  const engine = await world.started({ definitions: [flow], ...patient });
  await engine.trigger(flow, "k");
  await world.advance(400 * 86_400_000);
  assert.equal((await engine.get(flow, "k"))!.runState, "paused");
  assert.equal(state.tries.length, 1);
  await engine.stop();
  assert.equal((await world.engine({ definitions: [flow] }).tick()).nextDueAt, undefined);
});

testOnStores(
  "resume() by an operator before pauseRetry starts the run once, with a fresh count",
  async (world) => {
    const { flow, state } = failing({ retry: steady, pauseAfterErrors: 2 });
    const engine = await world.started({ definitions: [flow], ...patient });
    await engine.trigger(flow, "k");
    await world.advance(60_000);
    state.works = true;
    const view = await engine.resume(flow, "k");
    assert.deepEqual([view.runState, view.attempt, view.reason], ["running", 0, undefined]);
    await world.advance(2 * 3_600_000);
    assert.equal(state.tries.length, 3);
  },
);

testOnStores("a step that is retried at once fails thousands of times without harm", async (world) => {
  let tries = 0;
  const flow = machine<undefined>("flow")
    .step("a", ["b"], () => {
      if (++tries < 1_200) throw new Error("boom");
      return "b";
    }, { retry: { initial: 0, jitter: true } })
    .build();
  const engine = await world.started({ definitions: [flow] });
  await engine.trigger(flow, "k");
  await world.during(engine.await(flow, "k"), 1_000);
  assert.equal(tries, 1_200);
});

testOnStores(
  "a retry is due when the wall clock jumped forward, and waits when it jumped back",
  async (world) => {
    const { flow, state } = failing({ retry: { initial: "1m", max: "1m", jitter: false } });
    const engine = await world.started({ definitions: [flow] });
    await engine.trigger(flow, "k");
    await world.settle();
    assert.equal(state.tries.length, 1);
    world.clock.jump(60_000);
    await world.advance(1_000);
    assert.equal(state.tries.length, 2);
    world.clock.jump(-30_000);
    await world.advance(70_000);
    assert.equal(state.tries.length, 2);
    await world.advance(30_000);
    assert.equal(state.tries.length, 3);
  },
);
