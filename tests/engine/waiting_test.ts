import assert from "node:assert/strict";
import { machine } from "../../mod.ts";
import { gate, patient, testInMemory, testOnStores, type World } from "./stores.ts";

/** A status whose step runs once at a time, and is held; runs that wait for it may expire, or are reminded. */
function narrow() {
  const held = gate();
  const order: string[] = [];
  const flow = machine<{ reminded: number }>("flow", { keepFinished: "1h" })
    .step("queued", ["done"], async (run) => {
      order.push(run.key);
      await held.promise;
      return "done";
    }, { concurrency: 1, pauseAfterErrors: 1 })
    .callback("queued", ["taken"], (run, take: boolean) => {
      if (take) return "taken";
      run.data.reminded += 100;
      return run.skip();
    })
    .timeout("queued", [], ({ key }, now) => key.startsWith("r") ? now : undefined, (run) => {
      return ++run.data.reminded % 100 < 3 ? { rearm: "10m" } : run.skip();
    }, { name: "remind" })
    .timeout(
      "queued",
      ["expired"],
      ({ key }, now) => {
        return key.startsWith("e") ? new Date(now.getTime() + 20 * 60_000) : undefined;
      },
      () => "expired",
      { name: "expire" },
    )
    .step("taken", ["done"], (run) => (order.push(`${run.key} taken`), "done"))
    .build();
  return { flow, held, order };
}

const minutes = (count: number) => count * 60_000;

async function triggerAll(world: World, flow: ReturnType<typeof narrow>["flow"], keys: readonly string[]) {
  const engine = await world.started({ definitions: [flow], ...patient, poll: "1m" });
  for (const key of keys) await world.during(engine.trigger(flow, key, { data: { reminded: 0 } }));
  await world.settle();
  return engine;
}

testOnStores("a timer fires in time though its run waits for a slot of its step", async (world) => {
  const { flow, held, order } = narrow();
  const engine = await triggerAll(world, flow, ["first", "expires", "last"]);
  await world.advance(minutes(20) - 1);
  assert.equal((await engine.get(flow, "expires"))!.status, "queued");
  await world.advance(1);
  const run = await world.during(engine.get(flow, "expires").then((each) => each!));
  assert.deepEqual([run.status, run.runState], ["expired", "completed"]);
  held.resolve();
  await world.settle();
  assert.deepEqual(order, ["first", "last"]);
  assert.deepEqual((await world.during(engine.admin.verify())).findings, []);
});

testInMemory("a timer that fires costs its run no place in the line for its step", async (world) => {
  const { flow, held, order } = narrow();
  const engine = await triggerAll(world, flow, ["first", "reminded", "a", "b"]);
  await world.advance(minutes(25));
  assert.equal((await engine.get(flow, "reminded"))!.data.reminded, 3);
  held.resolve();
  await world.settle();
  assert.deepEqual(order, ["first", "reminded", "a", "b"]);
});

for (const by of ["owner", "guest"] as const) {
  testOnStores(
    `what the ${by} does with a run that waits for a slot holds it up no longer`,
    async (world) => {
      const { flow, held, order } = narrow();
      const owner = await triggerAll(world, flow, ["first", "taken", "told", "deleted", "paused", "last"]);
      const engine = by === "owner" ? owner : world.engine({ definitions: [flow], work: false });
      await world.advance(10);
      await world.during(engine.callback(flow, "taken", "queued", true));
      await world.during(engine.callback(flow, "told", "queued", false));
      await world.during(engine.cancel(flow, "deleted"));
      await world.during(engine.deleteData(flow, "deleted"));
      await world.during(engine.pause(flow, "paused"));
      await world.settle();
      assert.deepEqual(order, ["first", "taken taken"]);
      assert.equal((await world.during(engine.get(flow, "deleted")))!.runState, "deleted");
      await world.during(engine.resume(flow, "paused"));
      await world.advance(minutes(60));
      assert.equal(await world.during(engine.get(flow, "deleted")), undefined);
      held.resolve();
      await world.settle();
      // Who was paused has left the line, and comes back at its end.
      assert.deepEqual(order, ["first", "taken taken", "told", "last", "paused"]);
      assert.equal((await world.during(engine.get(flow, "told")))!.data.reminded, 100);
      assert.deepEqual((await world.during(engine.admin.verify())).findings, []);
    },
  );
}

testInMemory("a failed attempt comes to the end of the line", async (world) => {
  const order: string[] = [];
  const { promise, resolve } = gate();
  const flow = machine("flow")
    .step("a", ["b"], async (run) => {
      order.push(`${run.key} ${run.attempt}`);
      await promise;
      if (run.key === "x" && run.attempt === 1) throw new Error("once");
      return "b" as const;
    }, { concurrency: 1, retry: { initial: 0 } })
    .timeout("a", [], { after: "10m" }, (run) => run.skip())
    .build();
  const engine = await world.started({ definitions: [flow], ...patient });
  for (const key of ["w", "x", "y", "z"]) await world.during(engine.trigger(flow, key));
  await world.advance(minutes(11));
  resolve();
  await world.settle();
  assert.deepEqual(order, ["w 1", "x 1", "y 1", "z 1", "x 2"]);
});

testInMemory("a timer's answer lands though its run was paused and resumed meanwhile", async (world) => {
  const held = gate();
  let calls = 0;
  const flow = machine("flow")
    .timeout("a", ["b"], { after: "1m" }, async (run) => {
      calls++;
      if (run.attempt === 1) throw new Error("once");
      await held.promise;
      return "b" as const;
    }, { retry: { initial: "1m", jitter: false } })
    .build();
  const engine = await world.started({ definitions: [flow] });
  const { runId } = await world.during(engine.trigger(flow, "k"));
  await world.advance(minutes(2));
  await world.during(engine.pause(flow, "k"));
  await world.during(engine.resume(flow, "k"));
  held.resolve();
  await world.settle();
  assert.equal((await engine.get(flow, "k"))!.status, "b");
  const rows = await engine.history({ runId });
  assert.deepEqual(rows.map(({ kind }) => kind), ["trigger", "error", "pause", "resume", "move"]);
  assert.equal(calls, 2);
});
