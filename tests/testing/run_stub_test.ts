import assert from "node:assert/strict";
import { machine, type StepHandler, type StepRun, type TimeoutHandler } from "../../mod.ts";
import { readAnswer, runStub } from "../../core/testing/mod.ts";

interface Order {
  cents: number;
  receipt?: string;
}

const pay: StepHandler<Order, "paid" | "declined"> = (run) => {
  if (run.data.cents < 0) return run.pause("who owes whom?");
  run.data.receipt = `receipt for ${run.stepId}`;
  return run.data.cents > 100_000 ? "declined" : run.to("paid");
};

Deno.test("runStub() gives a handler its data, and holds what it has made of it", async () => {
  const data: Order = { cents: 4_200 };
  const run = runStub<Order, "paid" | "declined">({ data });
  const answer = await pay(run);
  assert.equal(answer, "paid");
  assert.deepEqual(readAnswer(answer), { kind: "move", to: "paid" });
  assert.deepEqual(run.data, { cents: 4_200, receipt: `receipt for ${run.runId}:1` });
  assert.deepEqual(data, { cents: 4_200 });
});

Deno.test("runStub() takes its types from a machine or a handler, and its values from the options", () => {
  const orders = machine<Order>("orders").step("placed", ["paid", "declined"], pay).build();
  const run: StepRun<Order, "placed" | "paid" | "declined"> = runStub(orders, { data: { cents: 1 } });
  assert.deepEqual([run.status, run.key, run.attempt], ["placed", "key", 1]);
  const signal = AbortSignal.abort("stop");
  const given = { key: "k", status: "paid", attempt: 3, stepId: "s", createdAt: new Date(5), signal };
  const typed: StepRun<Order, "paid" | "declined"> = runStub(pay, { data: { cents: 1 }, ...given });
  const { key, status, attempt, stepId, createdAt } = typed;
  assert.deepEqual({ key, status, attempt, stepId, createdAt, signal: typed.signal }, given);
  // @ts-expect-error: data is wanted where it is not undefined
  assert.equal(runStub<Order>({}).data, null);
  assert.equal(runStub<undefined>({}).data, null);
  // @ts-expect-error: no handler of these orders answers so
  runStub(pay, { data: { cents: 1 } }).to("lost");
});

Deno.test("runStub() refuses data that no run can have", () => {
  assert.throws(() => runStub<{ at: Date }>({ data: { at: new Date() } }), { code: "NOT_JSON" });
});

Deno.test("readAnswer() tells what each control asks for", () => {
  const run = runStub<Order>({ data: { cents: -1 } });
  assert.deepEqual(readAnswer(pay(runStub(pay, { data: { cents: -1 } }))), {
    kind: "pause",
    reason: "who owes whom?",
  });
  assert.deepEqual(readAnswer(run.skip()), { kind: "skip" });
  assert.deepEqual(readAnswer(run.repeat()), { kind: "repeat" });
  assert.deepEqual(readAnswer(run.cancel("no")), { kind: "cancel", reason: "no" });
  assert.deepEqual(readAnswer(run.fail("no")), { kind: "fail", reason: "no" });
  const remind: TimeoutHandler<Order, "expired"> = () => ({ rearm: "1h" });
  assert.deepEqual(readAnswer(remind(run)), { kind: "rearm", afterMs: 3_600_000 });
});

Deno.test("readAnswer() refuses what is no answer", () => {
  assert.throws(() => readAnswer(undefined), /got undefined; want a status/);
  assert.throws(() => readAnswer({ kind: "pause" }), { code: "INVALID_ARGUMENT" });
  assert.throws(() => readAnswer(Promise.resolve("paid")), /await it first/);
});
