import assert from "node:assert/strict";
import { createClient } from "@libsql/client";
import { memoryStore } from "../../adapters/memory/mod.ts";
import {
  type CommitCall,
  createEngine,
  machine,
  OutcomeUnknownError,
  type RunView,
  silentLogger,
  type Store,
  StoreBusyError,
} from "../../mod.ts";
import { testEngine, virtualClock } from "../../core/testing/mod.ts";
import { testOnFile } from "../sql/sql_store.ts";

interface Order {
  cents: number;
  reminders: number;
  paidBy?: string;
}

function orderMachine(hooked: string[] = []) {
  return machine<Order>("orders")
    .step("placed", ["waiting"], (run) => {
      run.data.cents += 100;
      return "waiting";
    }, { lag: "10m" })
    .callback("waiting", ["paid"], (run, by: string) => {
      run.data.paidBy = by;
      return "paid";
    })
    .timeout("waiting", [], { after: "2d" }, (run) => {
      run.data.reminders++;
      return { rearm: "2d" };
    }, { name: "remind" })
    .timeout("waiting", ["expired"], { after: "7d" }, () => "expired", { name: "expire" })
    .onComplete((run) => void hooked.push(`${run.key} ${run.status}`))
    .build();
}

const order: Order = { cents: 1, reminders: 0 };

Deno.test("awaitStatus() moves time on no further than it must, and gives the run as it is there", async () => {
  const orders = orderMachine();
  await using t = await testEngine({ definitions: [orders] });
  const from = t.clock.now();
  await t.engine.trigger(orders, "k", { data: order });
  const waiting = await t.awaitStatus(orders, "k", "waiting");
  assert.deepEqual([waiting.status, waiting.data.cents, t.clock.now() - from], ["waiting", 101, 600_000]);
  const expired = await t.awaitStatus(orders, "k", "expired");
  assert.deepEqual([expired.runState, expired.data.reminders], ["completed", 3]);
  assert.equal(t.clock.now() - from, 600_000 + 7 * 86_400_000);
  const before = await t.awaitStatus(orders, "k", "waiting");
  assert.deepEqual([before.status, before.runState, before.data.reminders], ["waiting", "running", 3]);
});

Deno.test("awaitStatus() waits for a run that is yet to be triggered", async () => {
  const flow = machine("flow").step("a", ["b"], () => "b").build();
  await using t = await testEngine({ definitions: [flow] });
  t.clock.after(3_600_000, () => void t.engine.trigger(flow, "later"));
  assert.equal((await t.awaitStatus(flow, "later", "b")).runState, "completed");
  await assert.rejects(t.awaitStatus(flow, "never", "b", { within: "1d" }), {
    code: "NOT_REACHED",
    message:
      'No run of "flow" for key "never" is there to come to status "b" within 1d of virtual time; was it triggered?',
  });
});

Deno.test("awaitStatus() tells where a run is instead, with its last error and its history", async () => {
  let isBroken = true;
  const flow = machine("flow", { pauseRetry: false })
    .step("a", ["b"], () => {
      if (isBroken) throw Object.assign(new Error("no stock"), { code: "STOCK" });
      return "b";
    }, { pauseAfterErrors: 2, retry: { initial: "1m", jitter: false } })
    .callback("b", ["c", "d"], (_, to: "c" | "d") => to)
    .build();
  await using t = await testEngine({ definitions: [flow], logger: silentLogger });
  await t.engine.trigger(flow, "k");
  const error = await t.awaitStatus(flow, "k", "b").then(() => assert.fail(), (error) => error);
  assert.equal(error.code, "NOT_REACHED");
  for (
    const part of [
      'did not come to status "b" within 40d of virtual time. It is paused at "a" since 2026-01-01T00:01:00.000Z',
      'because: the step of "a" failed 2 times, the last with: no stock',
      "its step has failed 2 times in a row; last error: Error: no stock (STOCK)",
      "2026-01-01T00:00:00.000Z trigger by client a",
      "2026-01-01T00:01:00.000Z error by step a: Error: no stock (STOCK)",
    ]
  ) assert.ok(error.message.includes(part), `${part} in ${error.message}`);
  isBroken = false;
  await t.engine.resume(flow, "k");
  await t.triggerCallbackOn(flow, "k", "b", "c");
  const before = t.clock.now();
  await assert.rejects(t.awaitStatus(flow, "k", "d"), /It is completed at "c"/);
  assert.equal(t.clock.now(), before);
  // @ts-expect-error: there is no such status
  await assert.rejects(t.awaitStatus(flow, "k", "e"), { code: "UNKNOWN_STATUS" });
});

Deno.test("awaitStatus() shows the last rows of a long history", async () => {
  const flow = machine("flow").step("a", ["b"], (run) => run.repeat(), { lag: "1m" }).build();
  await using t = await testEngine({ definitions: [flow] });
  await t.engine.trigger(flow, "k");
  const error = await t.awaitStatus(flow, "k", "b", { within: "1200m" }).then(() => assert.fail(), (e) => e);
  assert.match(error.message, /History, without its first 1181 rows:/);
  assert.match(error.message, /2026-01-01T20:00:00.000Z repeat by step a -> a$/);
});

Deno.test("awaitStatus() lets no time go by while a step does real work", async () => {
  const flow = machine<{ digest?: number }>("flow")
    .step("a", ["b"], async (run) => {
      for (let round = 0; round < 20; round++) {
        run.data.digest = (await crypto.subtle.digest("SHA-512", new Uint8Array(100_000))).byteLength;
      }
      return "b";
    })
    .timeout("a", ["late"], { after: "1s" }, () => "late")
    .build();
  await using t = await testEngine({ definitions: [flow] });
  const from = t.clock.now();
  await t.engine.trigger(flow, "k", { data: {} });
  assert.equal((await t.awaitStatus(flow, "k", "b")).data.digest, 64);
  assert.equal(t.clock.now(), from);
});

Deno.test("a step that hangs is timed out, and holds up the clock for a moment only", async () => {
  const flow = machine("flow", { pauseRetry: false })
    .step("a", ["b"], () => new Promise<"b">(() => {}), { timeout: "30s", pauseAfterErrors: 1 })
    .build();
  const clock = virtualClock({ patience: "10ms" });
  await using t = await testEngine({ definitions: [flow], clock, logger: silentLogger });
  await t.engine.trigger(flow, "k");
  await t.advance("30s");
  const run = await t.engine.get(flow, "k");
  assert.deepEqual([run!.runState, run!.lastError!.code], ["paused", "STEP_TIMEOUT"]);
});

Deno.test("advance() waits for callbacks, timers, hooks and connectors that do real work", async () => {
  const work = async (name: string) => {
    for (let round = 0; round < 10; round++) {
      await crypto.subtle.digest("SHA-512", new Uint8Array(100_000));
    }
    done.push(name);
  };
  const done: string[] = [];
  const flow = machine("flow")
    .timeout("a", ["b"], { after: "1h" }, async () => {
      await work("timer");
      return "b";
    })
    .callback("b", ["c"], async () => {
      await work("callback");
      return "c";
    })
    .onComplete(async () => await work("hook"))
    .connector("c", { stream: "told" }, async () => await work("connector"))
    .build();
  await using t = await testEngine({ definitions: [flow] });
  await t.engine.trigger(flow, "k");
  await t.advance("1h");
  assert.deepEqual(done, ["timer"]);
  void t.engine.callback(flow, "k", "b", undefined);
  await t.advance(0);
  assert.deepEqual(done, ["timer", "callback", "hook"]);
  await t.engine.streams.send("told", [{ id: "1", key: "k", type: "x", data: null }]);
  await t.advance(0);
  assert.deepEqual(done, ["timer", "callback", "hook", "connector"]);
});

Deno.test("advance() plays forty days in some hundred polls and renewals, and hears of jumps at once", async () => {
  const hooked: string[] = [];
  const orders = orderMachine(hooked);
  const clock = virtualClock();
  let timers = 0;
  const counting = {
    ...clock,
    after: (...given: Parameters<typeof clock.after>) => (timers++, clock.after(...given)),
  };
  await using t = await testEngine({ definitions: [orders], clock: counting });
  await t.engine.trigger(orders, "k", { data: order });
  await t.advance("40d");
  assert.deepEqual(hooked, ["k expired"]);
  assert.ok(timers < 2_000, `${timers} timers`);
  await t.engine.trigger(orders, "again", { data: order });
  await t.awaitStatus(orders, "again", "waiting");
  t.clock.jump(7 * 86_400_000);
  await t.clock.settle();
  assert.equal((await t.engine.get(orders, "again"))!.status, "expired");
});

Deno.test("awaitTimer() gives the timer once it is set, and fires it when asked to", async () => {
  const orders = orderMachine();
  await using t = await testEngine({ definitions: [orders] });
  const { runId } = await t.engine.trigger(orders, "k", { data: order });
  const first = await t.awaitTimer(orders, "k", { fire: true });
  assert.deepEqual(first, { name: "remind", at: new Date("2026-01-03T00:10:00Z") });
  assert.equal((await t.engine.get(orders, "k"))!.data.reminders, 1);
  const expire = await t.awaitTimer(orders, "k", { name: "expire" });
  assert.equal(t.clock.now(), first.at.getTime());
  assert.equal(expire.at.toISOString(), "2026-01-08T00:10:00.000Z");
  await t.awaitTimer(orders, "k", { runId, name: "expire", fire: true });
  assert.equal((await t.engine.get(orders, "k"))!.status, "expired");
  await assert.rejects(t.awaitTimer(orders, "k"), {
    code: "NOT_REACHED",
    message: /did not have a timer\. It is completed at "expired"/,
  });
});

Deno.test("triggerCallbackOn() waits until the run is there, and calls it back", async () => {
  const hooked: string[] = [];
  const orders = orderMachine(hooked);
  await using t = await testEngine({ definitions: [orders] });
  const { runId } = await t.engine.trigger(orders, "k", { data: order });
  const result = await t.triggerCallbackOn(orders, "k", "waiting", "card");
  assert.deepEqual(result, { applied: true, runId, status: "paid", runState: "completed" });
  await t.advance(0);
  assert.deepEqual(hooked, ["k paid"]);
  await t.engine.trigger(orders, "paused", { data: order });
  await t.awaitStatus(orders, "paused", "waiting");
  await t.engine.pause(orders, "paused");
  const before = t.clock.now();
  assert.equal((await t.triggerCallbackOn(orders, "paused", "waiting", "cash")).status, "paid");
  assert.equal(t.clock.now() - before, 3_600_000);
  await assert.rejects(t.triggerCallbackOn(orders, "k", "waiting", "card"), /It is completed at "paid"/);
  // @ts-expect-error: the payload is a text
  await assert.rejects(t.triggerCallbackOn(orders, "k", "waiting", 5));
  // @ts-expect-error: no callback at that status
  await assert.rejects(t.triggerCallbackOn(orders, "k", "placed", "card", { within: 0 }));
});

Deno.test("triggerCallbackOn() rejects with what the callback throws, or when the run is paused for good", async () => {
  const flow = machine("flow", { pauseRetry: false })
    .callback("a", ["b"], (_run, payload: { ok: boolean }) => {
      if (!payload.ok) throw new RangeError("not ok");
      return "b";
    })
    .build();
  await using t = await testEngine({ definitions: [flow] });
  await t.engine.trigger(flow, "k");
  await assert.rejects(t.triggerCallbackOn(flow, "k", "a", { ok: false }), RangeError);
  await t.engine.pause(flow, "k", { reason: "audit" });
  await assert.rejects(t.triggerCallbackOn(flow, "k", "a", { ok: true }, { within: "1d" }), {
    code: "NOT_REACHED",
    message: /It is paused at "a" since .*, because: audit/,
  });
});

Deno.test("requireData() compares as JSON, at any status or at one, and waits for what is yet to come", async () => {
  const orders = orderMachine();
  await using t = await testEngine({ definitions: [orders] });
  await t.engine.trigger(orders, "k", { data: order });
  const twice = await t.requireData(orders, "k", { reminders: 2, cents: 101, paidBy: undefined } as never);
  assert.deepEqual([twice.status, twice.data.reminders], ["waiting", 2]);
  await t.awaitStatus(orders, "k", "expired");
  const once = await t.requireData(orders, "k", { cents: 101, reminders: 1 }, { status: "waiting" });
  assert.deepEqual(once.data, { cents: 101, reminders: 1 });
  await assert.rejects(t.requireData(orders, "k", { cents: 101, reminders: 1 }, { status: "expired" }), {
    code: "NOT_REACHED",
    message:
      /did not have the data \{"cents":101,"reminders":1\} at status "expired"\..*data: \{"cents":101,"reminders":3\}/,
  });
});

Deno.test("snapshots() gives every version of a run as it was committed, by whichever engine", async () => {
  const flow = machine<{ n: number }>("flow", { keepFinished: "1d" })
    .step("a", ["b"], (run) => {
      if (++run.data.n < 3) return run.repeat();
      return "b";
    })
    .build();
  const codec = {
    encode: (text: string) => text.split("").reverse().join(""),
    decode: (text: string) => Promise.resolve(text.split("").reverse().join("")),
  };
  await using t = await testEngine({ definitions: [flow], codec });
  const other = createEngine({ store: t.store, clock: t.clock, definitions: [flow], codec, work: false });
  const { runId } = await other.trigger(flow, "k", { data: { n: 0 }, startAt: "a" });
  await t.awaitStatus(flow, "k", "b");
  const seen = (runs: readonly RunView<{ n: number }>[]) =>
    runs.map(({ version, status, runState, data }) => `${version} ${status} ${runState} ${data.n}`);
  const all = ["1 a initiated 0", "2 a running 1", "3 a running 2", "4 b completed 3"];
  assert.deepEqual(seen(await t.snapshots(runId)), all);
  await t.advance("1d");
  assert.equal(await t.engine.get(flow, "k"), undefined);
  assert.deepEqual(seen(await t.snapshots(runId)), all);
  assert.deepEqual(await t.snapshots("0".repeat(30)), []);
  await other.stop();
});

testOnFile(
  "snapshots() begins with a run that was triggered in a transaction of the user's own",
  async (file) => {
    const flow = machine<{ n: number }>("flow").step("a", ["b"], (run) => (run.data.n++, "b")).build();
    const store = await file.open();
    await using t = await testEngine({ definitions: [flow], store });
    const prepared = await t.engine.prepareTrigger(flow, "k", { data: { n: 0 } });
    const db = createClient({ url: file.url });
    await db.batch([...prepared.statements], "write");
    db.close();
    prepared.landed();
    await t.awaitStatus(flow, "k", "b");
    const seen = await t.snapshots<{ n: number }>(prepared.runId);
    assert.deepEqual(seen.map(({ version, data }) => [version, data.n]), [[1, 0], [2, 1]]);
  },
);

Deno.test("snapshots() learns what became of a commit whose reply was lost", async () => {
  const flow = machine<{ n: number }>("flow").step("a", ["b"], (run) => (run.data.n++, "b"), { lag: "1m" })
    .build();
  const inner = memoryStore({ keepOutcomes: true });
  let loses = false;
  const lossy: Store = {
    ...{ limits: inner.limits, shards: inner.shards, close: () => inner.close() },
    read: (requests) => inner.read(requests),
    async commit(calls: readonly CommitCall[]) {
      const results = await inner.commit(calls);
      if (!loses) return results;
      loses = false;
      throw new OutcomeUnknownError("the reply was lost");
    },
  };
  await using t = await testEngine({ definitions: [flow], store: lossy, logger: silentLogger });
  const { runId } = await t.engine.trigger(flow, "k", { data: { n: 0 } });
  await t.clock.settle();
  loses = true;
  await t.advance("2m");
  assert.equal(loses, false);
  assert.deepEqual((await t.snapshots(runId)).map(({ status }) => status), ["a", "b"]);
});

Deno.test("stop() moves the clock where its store makes it wait", async () => {
  const flow = machine("flow").step("a", ["b"], () => "b").build();
  const inner = memoryStore();
  let busy = 0;
  const store: Store = {
    ...{ limits: inner.limits, shards: inner.shards, close: () => inner.close() },
    read: (requests) => inner.read(requests),
    commit: (calls) => busy-- > 0 ? Promise.reject(new StoreBusyError("it is locked")) : inner.commit(calls),
  };
  const { stop } = await testEngine({ definitions: [flow], store });
  busy = 3;
  await stop();
  assert.ok(busy < 0);
});

Deno.test("stop() may be called twice, and leaves a store open that was given", async () => {
  const flow = machine("flow").step("a", ["b"], () => "b").build();
  const store = memoryStore();
  const { stop, engine } = await testEngine({ definitions: [flow], store });
  await engine.trigger(flow, "k");
  await Promise.all([stop(), stop()]);
  await stop();
  assert.equal((await store.read([{ shard: 0, ops: [] }])).length, 1);
  await using next = await testEngine({ definitions: [flow], store });
  assert.equal((await next.awaitStatus(flow, "k", "b")).status, "b");
});
