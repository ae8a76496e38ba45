import assert from "node:assert/strict";
import { machine } from "../../mod.ts";
import { answer, failing, type Job, jobsOf, listener, startedWith, watched } from "./error_hook_stage.ts";
import { gate, testInMemory, testOnStores } from "./stores.ts";

testOnStores(
  "error hooks hear of every failed attempt, with the count, and of the run that it stops",
  async (world) => {
    const { told, activities, workflows, hooks } = listener();
    const jobs = jobsOf();
    const engine = await startedWith(world, jobs, hooks);
    const { runId } = await world.during(engine.trigger(jobs, "k", { data: { fails: 9 } }));
    await world.advance(10_000);
    assert.deepEqual(told.slice(0, 4), [
      "step: no. 1 (1/5, 4 left) initiated",
      "step: no. 2 (2/5, 3 left) initiated",
      "step: no. 3 (3/5, 2 left) initiated",
      "step: no. 4 (4/5, 1 left) initiated",
    ]);
    assert.deepEqual(told.slice(4).sort(), ["paused: no. 5", "step: no. 5 (5/5, 0 left) paused"]);
    assert.deepEqual(activities.map((each) => each.isNearLimit()), [false, false, false, true, true]);
    assert.deepEqual(activities.map((each) => each.isNearLimit(0.5)), [false, false, true, true, true]);
    assert.deepEqual(
      activities.map(({ id }) => id),
      [2, 3, 4, 5, 6].map((version) => `${runId}:${version}:step`),
    );
    assert.deepEqual(activities[0]!.error, { name: "Error", message: "no. 1", code: "E_NO" });
    const { id, attempt, reason, run } = workflows[0]!;
    assert.deepEqual([id, attempt, run.data], [`${runId}:6:run`, 5, { fails: 9 }]);
    assert.match(reason, /the step of "a" failed 5 times/);
    assert.deepEqual((await engine.admin.verify()).findings, []);
  },
);

testOnStores(
  "a run that fails by its own code, or a callback's by a client, is told as a run only",
  async (world) => {
    const { told, hooks } = listener();
    const jobs = jobsOf(answer);
    const engine = await startedWith(world, jobs, hooks);
    await world.during(engine.trigger(jobs, "own", { data: { fails: 101 } }));
    await world.during(engine.trigger(jobs, "called", { data: { fails: 0 } }));
    await world.settle();
    const client = world.engine({ definitions: [], work: false });
    client.use(watched(jobs, { onWorkflowError: () => void told.push("the client's") }));
    await world.during(client.callback(jobs, "called", "b"));
    await world.advance(86_400_000);
    assert.deepEqual(told, ["failed: hopeless", "failed: called off"]);
    assert.deepEqual((await engine.admin.verify()).findings, []);
  },
);

testInMemory("what an operator or a step decides without an error is not told", async (world) => {
  const { told, hooks } = listener();
  const jobs = jobsOf((run) => run.data.fails === 1 ? run.pause("wait") as never : "b");
  const engine = await startedWith(world, jobs, hooks);
  for (const [key, fails] of [["p", 1], ["o", 0], ["c", 0]] as const) {
    await world.during(engine.trigger(jobs, key, { data: { fails } }));
  }
  await world.settle();
  await world.during(engine.pause(jobs, "o"));
  await world.during(engine.cancel(jobs, "c"));
  await world.advance(10_000);
  assert.deepEqual(told, []);
});

testInMemory(
  "an error that lands when the run is paused by hand is told as an attempt only",
  async (world) => {
    const { told, hooks } = listener();
    const running = gate();
    const jobs = jobsOf(async () => {
      await running.promise;
      throw new Error("late");
    });
    const engine = await startedWith(world, jobs, hooks);
    await world.during(engine.trigger(jobs, "k", { data: { fails: 0 } }));
    await world.settle();
    await world.during(engine.pause(jobs, "k"));
    running.resolve();
    await world.advance(1_000);
    assert.deepEqual(told, ["step: late (1/5, 4 left) paused"]);
  },
);

testOnStores("a timeout's failures have its own count and name", async (world) => {
  const { told, hooks } = listener();
  const jobs = jobsOf(answer);
  const engine = await startedWith(world, jobs, hooks);
  await world.during(engine.trigger(jobs, "k", { data: { fails: 0 } }));
  await world.advance(3_600_000 + 2_000);
  assert.equal(told[0], "timer late: no timer (1/2, 1 left) running");
  assert.deepEqual(told.slice(1).sort(), ["paused: no timer", "timer late: no timer (2/2, 0 left) paused"]);
});

testInMemory(
  "where a step is tried for ever there is no limit to be near; a run's own policy brings one",
  async (world) => {
    const { activities, hooks } = listener();
    const jobs = machine<Job>("jobs")
      .step("a", ["b"], failing, { retry: { initial: "1s", factor: 1, jitter: false } }).build();
    const engine = await startedWith(world, jobs as never, { ...hooks, allowPolicyOverride: true });
    await world.during(engine.trigger(jobs, "k", { data: { fails: 50 } }));
    await world.advance(40_000);
    assert.equal(activities.length, 41);
    const { attemptsMax, attemptsLeft } = activities.at(-1)!;
    assert.deepEqual([attemptsMax, attemptsLeft], [undefined, Infinity]);
    assert.ok(activities.every((each) => !each.isNearLimit(0)));
    activities.splice(0);
    await world.during(engine.cancel(jobs, "k"));
    await world.during(engine.trigger(jobs, "own", { data: { fails: 50 }, policy: { pauseAfterErrors: 2 } }));
    await world.advance(10_000);
    assert.deepEqual(activities.map((each) => [each.attempt, each.attemptsMax]), [[1, 2], [2, 2]]);
  },
);

testInMemory("error hooks are processes as others are", async (world) => {
  const { hooks } = listener();
  const engine = await startedWith(world, jobsOf(), hooks);
  const names = Object.keys(engine.states()).filter((name) => name.includes("error"));
  assert.deepEqual(names, [
    "jobs-step-error-run-state-change-hook-consumer",
    "jobs-run-error-run-state-change-hook-consumer",
  ]);
});

testInMemory("a run that fails as it was not granted its lock in time is told", async (world) => {
  const { told, hooks } = listener();
  const lock = { name: "scales", timeout: "10s", otherwise: "fail" } as const;
  const jobs = machine<Job>("jobs").step("a", ["b"], () => "b", { lock }).build();
  const engine = await startedWith(world, jobs as never, hooks);
  await world.during(engine.mutex("scales").acquire());
  await world.during(engine.trigger(jobs, "k", { data: { fails: 0 } }));
  await world.advance(11_000);
  assert.equal(told.length, 1);
  assert.match(told[0]!, /^failed: .*scales/);
});
