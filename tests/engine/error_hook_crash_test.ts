import assert from "node:assert/strict";
import { machine } from "../../mod.ts";
import { type Hooks, jobsOf, listener, startedWith, watched } from "./error_hook_stage.ts";
import { testInMemory, testOnStores } from "./stores.ts";

testOnStores(
  "a hook that its engine died under is told again by the next, and starts its work once",
  async (world) => {
    const notices = machine<{ text: string }>("notices").step("new", ["sent"], () => "sent").build();
    const ids: string[] = [];
    const hooksOf = (after: () => Promise<void>): Hooks => ({
      async onActivityError({ id, error }, { engine }) {
        ids.push(id);
        await engine.trigger(notices, id, { data: { text: error.message }, idempotencyKey: id });
        await after();
      },
    });
    const jobs = jobsOf();
    const dead = world.mortal({ definitions: [notices] });
    dead.engine.use(watched(jobs, hooksOf(() => new Promise(() => {}))));
    await world.during(dead.engine.start());
    const { runId } = await world.during(dead.engine.trigger(jobs, "k", { data: { fails: 1 } }));
    await world.settle();
    assert.deepEqual(ids, [`${runId}:2:step`]);
    dead.kill();
    const heir = world.engine({ definitions: [notices] });
    heir.use(watched(jobs, hooksOf(() => Promise.resolve())));
    await world.during(heir.start());
    await world.advance(20_000);
    assert.deepEqual(ids, [`${runId}:2:step`, `${runId}:2:step`]);
    const { items } = await heir.list({ definition: "notices" });
    assert.deepEqual(items.map(({ key }) => key), [`${runId}:2:step`]);
    assert.equal((await heir.get(jobs, "k"))!.status, "b");
    assert.deepEqual((await heir.admin.verify()).findings, []);
  },
);

testOnStores("a hook is told after a crash that came before it began", async (world) => {
  const { told, hooks } = listener();
  const jobs = jobsOf();
  // The hooks of this one wait behind one that hangs.
  const dead = world.mortal({ definitions: [] });
  dead.engine.use(
    watched(jobs, { onActivityError: () => new Promise(() => {}), errorHooks: { concurrency: 1 } }),
  );
  await world.during(dead.engine.start());
  await world.during(dead.engine.trigger(jobs, "k", { data: { fails: 3 } }));
  await world.advance(3_000);
  assert.equal((await dead.engine.get(jobs, "k"))!.status, "b");
  dead.kill();
  const heir = world.engine({ definitions: [] });
  heir.use(watched(jobs, hooks));
  await world.during(heir.start());
  await world.advance(20_000);
  assert.deepEqual(told.sort().map((each) => each.slice(0, 11)), [
    "step: no. 1",
    "step: no. 2",
    "step: no. 3",
  ]);
});

testOnStores(
  "hooks that hang or throw delay no run; they are parked, listed, and tried again when asked",
  async (world) => {
    let isDown = true;
    const told: string[] = [];
    const jobs = jobsOf();
    const engine = await startedWith(world, jobs, {
      onActivityError({ id }) {
        if (isDown) throw new Error("no pager");
        told.push(id);
      },
      onWorkflowError: () => new Promise(() => {}),
      errorHooks: { parkAfterErrors: 2, timeout: "10s", retry: { initial: "1s", jitter: false } },
    });
    const { runId } = await world.during(engine.trigger(jobs, "k", { data: { fails: 5 } }));
    await world.advance(5_000);
    assert.equal((await engine.get(jobs, "k"))!.runState, "paused");
    await world.advance(60_000);
    const { items } = await engine.admin.parked({ definition: "jobs" });
    const kinds = items.map(({ kind, hook, attempts, lastError }) =>
      `${kind} ${hook} ${attempts} ${lastError?.code}`
    );
    assert.deepEqual(kinds.sort(), [
      "run-error w 2 STEP_TIMEOUT",
      ...Array.from({ length: 5 }, () => "step-error w 2 undefined"),
    ]);
    isDown = false;
    for (const { id, kind } of items) if (kind === "step-error") await world.during(engine.admin.retry(id));
    await world.advance(1_000);
    assert.deepEqual(told.sort(), [2, 3, 4, 5, 6].map((version) => `${runId}:${version}:step`));
  },
);

testInMemory(
  "a run that took its process down too often is told without an error of an attempt",
  async (world) => {
    const { told, workflows, hooks } = listener();
    const jobs = jobsOf(() => new Promise(() => {}));
    const limits = { crashesMax: 1 };
    for (let life = 0; life < 2; life++) {
      const dead = world.mortal({ definitions: [], limits });
      dead.engine.use(watched(jobs, hooks));
      await world.during(dead.engine.start());
      if (life === 0) await world.during(dead.engine.trigger(jobs, "k", { data: { fails: 0 } }));
      await world.advance(20_000);
      dead.kill();
    }
    const heir = world.engine({ definitions: [], limits });
    heir.use(watched(jobs, hooks));
    await world.during(heir.start());
    await world.advance(20_000);
    assert.deepEqual(told, [`paused: the step of "a" took its process down 1 times`]);
    assert.equal(workflows[0]!.error, undefined);
  },
);

testOnStores("what a hook is told of a run whose data was deleted has nothing of it", async (world) => {
  const seen: [string, unknown, unknown][] = [];
  let isDown = true;
  const jobs = jobsOf(() => {
    throw new Error("card 4111");
  });
  const engine = await startedWith(world, jobs, {
    onActivityError({ error, run }) {
      if (isDown) throw new Error("not now");
      seen.push([error.message, run.data, run.lastError]);
    },
    errorHooks: { retry: { initial: "1h", max: "1h", jitter: false } },
  });
  await world.during(engine.trigger(jobs, "k", { data: { fails: 1 } }));
  await world.settle();
  await world.during(engine.cancel(jobs, "k"));
  await world.during(engine.deleteData(jobs, "k"));
  await world.advance(1_000);
  isDown = false;
  await world.advance(3_600_000);
  assert.deepEqual(seen, [["", null, undefined]]);
});

testInMemory(
  "a storm of errors whose hooks hang takes only so many places, and steps go on",
  async (world) => {
    let running = 0;
    const jobs = jobsOf();
    const engine = world.engine({ definitions: [], limits: { runsInFlightMax: 30 } });
    engine.use(watched(jobs, {
      async onActivityError() {
        running++;
        await new Promise(() => {});
      },
    }));
    await world.during(engine.start());
    for (let n = 0; n < 50; n++) await world.during(engine.trigger(jobs, `${n}`, { data: { fails: 1 } }));
    await world.advance(5_000);
    assert.equal(running, 15);
    const { items } = await engine.list({ definition: "jobs" });
    assert.ok(items.every((run) => run.status === "b"), "a run has waited for the hooks");
  },
);
