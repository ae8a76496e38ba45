import assert from "node:assert/strict";
import { type HistoryRow, machine } from "../../mod.ts";
import { gate, patient, testInMemory, testOnStores } from "./stores.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

const told = (rows: readonly HistoryRow[]) =>
  rows.map(({ kind, by, name }) => `${kind} by ${by}${name === undefined ? "" : ` ${name}`}`);

testOnStores("timeout() moves a run that has been at its status for too long, not before", async (world) => {
  const orders = machine<{ reminded: number }>("orders")
    .callback("placed", ["paid"], () => "paid")
    .timeout("placed", ["expired"], { after: "1h" }, (run) => {
      run.data.reminded++;
      return "expired";
    })
    .build();
  const engine = await world.started({ definitions: [orders] });
  const { runId } = await engine.trigger(orders, "late", { data: { reminded: 0 } });
  await engine.trigger(orders, "quick", { data: { reminded: 0 } });
  const run = await engine.get(orders, "late");
  assert.deepEqual(run!.timers, [{ name: "expired", at: new Date(run!.createdAt.getTime() + hour) }]);
  await world.advance(hour - 1);
  assert.equal((await engine.get(orders, "late"))!.status, "placed");
  await world.during(engine.callback(orders, "quick", "placed", undefined));
  await world.advance(1);
  const late = await engine.get(orders, "late");
  assert.deepEqual([late!.status, late!.runState, late!.data.reminded], ["expired", "completed", 1]);
  assert.deepEqual(told(await engine.history({ runId })), ["trigger by client", "move by timer expired"]);
  await world.advance(hour);
  assert.equal((await engine.get(orders, "quick"))!.status, "paid");
  assert.deepEqual((await engine.admin.verify()).findings, []);
});

testInMemory("timers of 40 days fire on the day, also after the engine has been away", async (world) => {
  const flow = machine("flow").timeout("a", ["b"], { after: "40d" }, () => "b").build();
  const engine = await world.started({ definitions: [flow], ...patient });
  await engine.trigger(flow, "k");
  await world.advance(20 * day);
  await world.during(engine.stop(), 5_000);
  const other = await world.started({ definitions: [flow], ...patient });
  await world.advance(20 * day - 1_000);
  assert.equal((await other.get(flow, "k"))!.status, "a");
  await world.advance(1_000);
  assert.equal((await other.get(flow, "k"))!.status, "b");
});

testInMemory("timers are due by the wall clock, however it jumps", async (world) => {
  const flow = machine("flow").timeout("a", ["b"], { after: "1h" }, () => "b").build();
  const engine = await world.started({ definitions: [flow] });
  await engine.trigger(flow, "forth");
  world.clock.jump(hour);
  await world.advance(500);
  assert.equal((await engine.get(flow, "forth"))!.status, "b");
  await engine.trigger(flow, "back");
  // Less than clocks differ by: the time that it was set to comes later.
  world.clock.jump(-50_000);
  await world.advance(hour + 49_999);
  assert.equal((await engine.get(flow, "back"))!.status, "a");
  await world.advance(501);
  assert.equal((await engine.get(flow, "back"))!.status, "b");
  // A clock that was that far ahead was wrong: it waits an hour, as it was to.
  await engine.trigger(flow, "far back");
  world.clock.jump(-2 * hour);
  await world.advance(hour - 1);
  assert.equal((await engine.get(flow, "far back"))!.status, "a");
  await world.advance(1_001);
  assert.equal((await engine.get(flow, "far back"))!.status, "b");
});

testOnStores("several timers of one status are each due alone, with a function of its own", async (world) => {
  const seen: string[] = [];
  const flow = machine<{ at: string }>("flow")
    .timeout("a", ["end"], { after: "10m" }, (run) => (seen.push("first"), run.skip()))
    .timeout(
      "a",
      ["end"],
      { at: new Date(Date.UTC(2030, 0, 1, 0, 20)) },
      (run) => (seen.push("second"), run.skip()),
    )
    .timeout("a", ["end"], (run, now) => new Date(now.getTime() + Number(run.data.at)), () => {
      seen.push("third");
      return "end";
    })
    .timeout("a", ["end"], () => undefined, () => (seen.push("never"), "end"))
    .build();
  const engine = await world.started({ definitions: [flow] });
  const { runId } = await engine.trigger(flow, "k", { data: { at: String(30 * minute) } });
  assert.deepEqual((await engine.get(flow, "k"))!.timers!.map((each) => each.name), [
    "end",
    "end 2",
    "end 3",
  ]);
  await world.advance(10 * minute);
  assert.deepEqual(seen, ["first"]);
  await world.advance(10 * minute);
  assert.deepEqual(seen, ["first", "second"]);
  await world.advance(hour);
  assert.deepEqual(seen, ["first", "second", "third"]);
  assert.deepEqual(told(await engine.history({ runId })), [
    "trigger by client",
    "skip by timer end",
    "skip by timer end 2",
    "move by timer end 3",
  ]);
  assert.deepEqual((await engine.admin.verify()).findings, []);
});

testInMemory("a timer that answers { rearm } is set again, with its data changes saved", async (world) => {
  const ids = new Set<string>();
  const flow = machine<{ reminders: number }>("flow")
    .timeout("a", ["b"], { after: "1h" }, (run) => {
      ids.add(run.stepId);
      run.data.reminders++;
      return run.data.reminders < 3 ? { rearm: "30m" } : "b";
    }, { name: "remind" })
    .build();
  const engine = await world.started({ definitions: [flow] });
  const { runId } = await engine.trigger(flow, "k", { data: { reminders: 0 } });
  await world.advance(hour);
  await world.advance(30 * minute);
  assert.equal((await engine.get(flow, "k"))!.data.reminders, 2);
  await world.advance(30 * minute);
  const run = await engine.get(flow, "k");
  assert.deepEqual([run!.status, run!.data.reminders, ids.size], ["b", 3, 3]);
  assert.deepEqual(told(await engine.history({ runId })).slice(1), [
    "rearm by timer remind",
    "rearm by timer remind",
    "move by timer remind",
  ]);
});

testOnStores("a paused run's timers wait, and fire after its resume", async (world) => {
  const flow = machine("flow", { pauseRetry: false }).timeout("a", ["b"], { after: "1h" }, () => "b").build();
  const engine = await world.started({ definitions: [flow] });
  await engine.trigger(flow, "k");
  await world.during(engine.pause(flow, "k"));
  await world.advance(3 * hour);
  assert.equal((await engine.get(flow, "k"))!.status, "a");
  const page = await engine.timers({ definition: "flow" });
  assert.deepEqual(page.items.map(({ name, waits }) => ({ name, waits })), [{ name: "b", waits: true }]);
  await world.during(engine.resume(flow, "k"));
  await world.advance(0);
  assert.equal((await engine.get(flow, "k"))!.status, "b");
});

testOnStores(
  "a failing timer is tried again with backoff, counted, and pauses its run after N errors",
  async (world) => {
    let calls = 0;
    const options = { pauseAfterErrors: 3, retry: { initial: "1m", factor: 2, jitter: false } } as const;
    const flow = machine("flow", { pauseRetry: false })
      .timeout("a", ["b"], { after: "1h" }, () => {
        if (++calls <= 3) throw new Error("boom");
        return "b";
      }, options)
      .build();
    const engine = await world.started({ definitions: [flow] });
    const { runId } = await engine.trigger(flow, "k");
    await world.advance(hour);
    assert.equal(calls, 1);
    await world.advance(minute - 1);
    assert.equal(calls, 1);
    await world.advance(1);
    assert.equal(calls, 2);
    await world.advance(2 * minute);
    const run = await engine.get(flow, "k");
    assert.deepEqual([calls, run!.runState, run!.lastError?.message], [3, "paused", "boom"]);
    assert.match(run!.reason!, /timer "b" of "a" failed 3 times/);
    await world.during(engine.resume(flow, "k"));
    await world.settle();
    assert.equal((await engine.get(flow, "k"))!.status, "b");
    assert.equal((await engine.history({ runId })).filter(({ kind }) => kind === "error").length, 3);
    assert.deepEqual((await engine.admin.verify()).findings, []);
  },
);

testInMemory(
  "timers survive a step's repeat, die with a move, and begin anew when the status is entered again",
  async (world) => {
    let polls = 0;
    const flow = machine<{ back: number }>("flow")
      .step("a", ["b"], (run) => ++polls % 100 === 0 ? "b" : run.repeat(), { lag: "1m" })
      .timeout("a", ["late"], { after: "50m" }, () => "late")
      .step("b", ["a"], (run) => (run.data.back++, "a"))
      .build();
    const engine = await world.started({ definitions: [flow] });
    await engine.trigger(flow, "k", { data: { back: 0 } });
    await world.advance(49 * minute + 59_000);
    assert.equal((await engine.get(flow, "k"))!.status, "a");
    await world.advance(1_000);
    assert.equal((await engine.get(flow, "k"))!.status, "late");
    polls = 80;
    await engine.trigger(flow, "again", { data: { back: 0 } });
    await world.advance(60 * minute);
    const run = await engine.get(flow, "again");
    assert.deepEqual([run!.status, run!.data.back], ["a", 1]);
    await world.advance(11 * minute);
    assert.equal((await engine.get(flow, "again"))!.status, "late");
  },
);

testInMemory("a timer fires between the attempts of a step that fails for ever", async (world) => {
  const flow = machine("flow")
    .step("a", ["b"], () => {
      throw new Error("down");
    }, { retry: { initial: "10s", max: "10s" } })
    .timeout("a", ["gaveUp"], { after: "5m" }, () => "gaveUp")
    .build();
  const engine = await world.started({ definitions: [flow] });
  await engine.trigger(flow, "k");
  await world.advance(5 * minute);
  assert.equal((await engine.get(flow, "k"))!.status, "gaveUp");
});

testInMemory(
  "a run has one turn at a time: a timer waits for the step that runs, and its end is not lost",
  async (world) => {
    const held = gate();
    const seen: string[] = [];
    const flow = machine("flow")
      .step("a", ["b"], async (run) => {
        await held.promise;
        seen.push("step");
        return run.skip();
      })
      .timeout("a", ["b"], { after: "1m" }, () => (seen.push("timer"), "b"))
      .build();
    const engine = await world.started({ definitions: [flow] });
    await engine.trigger(flow, "k");
    await world.advance(5 * minute);
    assert.deepEqual(seen, []);
    held.resolve();
    await world.settle();
    await world.advance(0);
    assert.deepEqual(seen, ["step", "timer"]);
    assert.equal((await engine.get(flow, "k"))!.status, "b");
  },
);

testOnStores(
  "a timer fires once, whoever owns the shard: its engine is killed and another takes over",
  async (world) => {
    let fired = 0;
    const flow = machine("flow").timeout("a", ["b"], { after: "1m" }, () => (fired++, "b")).build();
    const first = world.mortal({ definitions: [flow] });
    await world.during(first.engine.start());
    await Promise.all(Array.from({ length: 20 }, (_, index) => first.engine.trigger(flow, `k${index}`)));
    await world.settle();
    first.kill();
    const second = await world.started({ definitions: [flow] });
    await world.advance(2 * minute);
    assert.equal(fired, 20);
    const { items } = await second.list({ definition: "flow", runState: "completed" });
    assert.equal(items.length, 20);
    assert.deepEqual((await second.admin.verify()).findings, []);
  },
);

testInMemory(
  "a function that sets a timer and throws, or answers no time, fails the step that led there",
  async (world) => {
    let answers: (Date | undefined)[] = [];
    const flow = machine("flow")
      .step("a", ["b"], () => "b", { retry: { initial: "1m", jitter: false } })
      .timeout("b", ["c"], () => {
        if (answers.length === 0) throw new Error("no calendar");
        return answers.shift();
      }, () => "c")
      .build();
    const engine = await world.started({ definitions: [flow] });
    await engine.trigger(flow, "k");
    await world.settle();
    assert.equal((await engine.get(flow, "k"))!.lastError?.message, "no calendar");
    answers = [new Date(NaN)];
    await world.advance(minute);
    assert.equal((await engine.get(flow, "k"))!.lastError?.code, "INVALID_ARGUMENT");
    answers = [undefined];
    await world.advance(2 * minute);
    const run = await engine.get(flow, "k");
    assert.deepEqual([run!.status, run!.timers, run!.lastError], ["b", undefined, undefined]);
    await assert.rejects(engine.trigger(flow, "direct", { startAt: "b" }), /no calendar/);
    assert.equal(await engine.get(flow, "direct"), undefined);
  },
);

testInMemory("a timer that the deployed code has lost is let go, with a row in history", async (world) => {
  const options = { name: "nudge" };
  const older = machine("flow").timeout("a", ["b"], { after: "1h" }, () => "b", options)
    .callback("a", ["b"], () => "b").build();
  const newer = machine("flow").callback("a", ["b"], () => "b").build();
  const first = await world.started({ definitions: [older] });
  const { runId } = await first.trigger(older, "k");
  await world.during(first.stop(), 5_000);
  const second = await world.started({ definitions: [newer] });
  await world.advance(hour);
  const run = await second.get(newer, "k");
  assert.deepEqual([run!.status, run!.runState, run!.timers], ["a", "initiated", undefined]);
  const last = (await second.history({ runId })).at(-1)!;
  assert.deepEqual([last.kind, last.by, last.name], ["skip", "engine", "nudge"]);
  await world.during(second.callback(newer, "k", "a", undefined));
  assert.equal((await second.get(newer, "k"))!.runState, "completed");
});

testOnStores("timers() lists the timers of unfinished runs a page at a time", async (world) => {
  const flow = machine<{ hours: number }>("flow")
    .timeout("a", ["b"], (run, now) => new Date(now.getTime() + run.data.hours * hour), () => "b", {
      name: "x",
    })
    .timeout("a", ["b"], { after: "30m" }, (run) => run.skip(), { name: "y" })
    .build();
  const plain = machine("plain").step("a", ["b"], (run) => run.skip()).build();
  const engine = await world.started({ definitions: [flow, plain] });
  for (let hours = 1; hours <= 5; hours++) await engine.trigger(flow, `k${hours}`, { data: { hours } });
  await engine.trigger(plain, "k");
  const all: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await engine.timers({ limit: 2, ...(cursor !== undefined && { cursor }) });
    all.push(...page.items.map(({ key, name }) => `${key} ${name}`));
    cursor = page.cursor;
  } while (cursor !== undefined);
  assert.deepEqual(all, [1, 2, 3, 4, 5].flatMap((each) => [`k${each} y`, `k${each} x`]));
  const one = await engine.timers({ definition: "flow", key: "k3" });
  assert.deepEqual(one.items.map((each) => each.name), ["y", "x"]);
});

testInMemory(
  "a step that kills its engine again and again is paused, though a timer of its status lands each time",
  async (world) => {
    let current: { kill(): void } | undefined;
    const flow = machine("flow", { pauseRetry: false })
      .step("a", ["b"], () => {
        current!.kill();
        return new Promise<"b">(() => {});
      })
      .timeout("a", [], { after: "5s" }, () => ({ rearm: "5s" }))
      .build();
    for (let round = 0; round < 8; round++) {
      const next = world.mortal({ definitions: [flow] });
      current = next;
      await world.during(next.engine.start());
      if (round === 0) await next.engine.trigger(flow, "k");
      await world.advance(17_000);
      next.kill();
    }
    const auditor = world.engine({ definitions: [flow], work: false });
    const run = await auditor.get(flow, "k");
    assert.deepEqual([run!.runState, run!.reason], [
      "paused",
      'the step of "a" took its process down 5 times',
    ]);
  },
);

testInMemory("a timer and a step do not share a bound because their names run together", async (world) => {
  let most = 0;
  let atOnce = 0;
  const flow = machine("flow")
    .step("w x", ["end"], async () => {
      most = Math.max(most, ++atOnce);
      await new Promise<void>((resolve) => world.clock.after(100, resolve));
      atOnce--;
      return "end";
    }, { concurrency: 4 })
    .timeout("w", ["end"], { after: "1ms" }, () => "end", { name: "x", concurrency: 1 })
    .build();
  const engine = await world.started({ definitions: [flow] });
  await engine.trigger(flow, "timer", { startAt: "w" });
  await world.advance(10);
  await Promise.all(["1", "2", "3", "4"].map((key) => engine.trigger(flow, key, { startAt: "w x" })));
  await world.advance(1_000);
  assert.equal(most, 4);
});
