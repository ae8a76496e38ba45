import assert from "node:assert/strict";
import fc from "fast-check";
import { backoffMs, land, type Landing } from "../../core/parts/landing.ts";
import {
  cancel,
  type ChangeOf,
  interrupted,
  pause,
  resume,
  type Rules,
  stall,
  type StepPolicy,
  unstall,
  withoutStep,
} from "../../core/parts/run_change.ts";
import { isFinished, type RunRecord, type RunState, runStates } from "../../core/parts/run_record.ts";
import { constantsOf } from "../../core/parts/run_row.ts";
import { machine } from "../../mod.ts";

const plain: StepPolicy = {
  retryInitialMs: 1_000,
  retryMaxMs: 60_000,
  retryFactor: 2,
  retryJitter: false,
  pauseAfterErrors: 0,
  lagMs: 0,
  concurrency: 0,
  timeoutMs: 0,
  lagAlertMs: 0,
  needsNetwork: false,
};

const rules: Rules =
  machine("m", { pauseRetry: "1h", steps: { retry: { initial: "1s", max: "60s", jitter: false } } })
    .step("a", ["b", "end"], () => "b")
    .step("b", ["a", "end"], () => "a", { lag: "5s" })
    .step("strict", ["end"], () => "end", { pauseAfterErrors: 3 })
    .build().behaviour;

function run(fields: Partial<RunRecord> = {}): RunRecord {
  const due = "due" in fields ? fields.due : 0;
  const identity = { id: "0".repeat(30), definition: "m", key: "k", createdAt: 0, previous: undefined };
  return {
    ...identity,
    ...constantsOf(identity),
    state: "running",
    status: "a",
    version: 1,
    visit: 1,
    attempt: 0,
    crashes: 0,
    updatedAt: 0,
    due,
    stepDue: fields.state === undefined || fields.state === "running" ? due : undefined,
    timers: [],
    reason: undefined,
    lastError: undefined,
    dataVersion: 1,
    sealed: false,
    payload: "{}",
    ...fields,
  };
}

const attempt = { visit: 1, payload: "{}", durationMs: 3, chance: 0.5 };
const error: Landing = { kind: "error", error: { name: "Error", message: "boom" } };
const payload = { text: '{"n":1}', sealed: false };

const policy: fc.Arbitrary<StepPolicy> = fc.record({
  retryInitialMs: fc.nat(1e12),
  retryFactor: fc.double({ min: 1, max: 100, noNaN: true }),
  extra: fc.nat(1e12),
  retryJitter: fc.boolean(),
}).map(({ extra, ...own }) => ({ ...plain, ...own, retryMaxMs: own.retryInitialMs + extra }));
const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const failures = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 100_000 }));

Deno.test("backoffMs() is whole, at most the maximum, and never below half of the full wait", () => {
  fc.assert(
    fc.property(policy, failures, chance, (each, count, luck) => {
      const ms = backoffMs(each, count, luck);
      const full = backoffMs({ ...each, retryJitter: false }, count, luck);
      assert.ok(Number.isInteger(ms) && ms >= 0 && ms <= each.retryMaxMs, `${ms}`);
      assert.ok(ms <= full && ms >= Math.floor(full / 2), `${ms} of ${full}`);
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("backoffMs() without jitter never shrinks from one failure to the next", () => {
  fc.assert(fc.property(policy, failures, (each, count) => {
    const steady = { ...each, retryJitter: false };
    assert.ok(backoffMs(steady, count + 1, 0) >= backoffMs(steady, count, 0));
  }));
});

Deno.test("backoffMs() doubles from the initial wait up to the maximum", () => {
  const waits = [1, 2, 3, 4, 5, 6, 7, 8].map((count) => backoffMs(plain, count, 0.7));
  assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
});

Deno.test("backoffMs() of an initial wait of zero stays zero after any number of failures", () => {
  for (const count of [1, 2, 1_024, 1_025, 5_000]) {
    assert.equal(backoffMs({ ...plain, retryInitialMs: 0 }, count, 0.5), 0);
  }
});

Deno.test("pause(), resume() and cancel() keep to the table of run states and change nothing otherwise", () => {
  const allowed: Record<string, readonly RunState[]> = {
    pause: ["initiated", "running"],
    resume: ["paused"],
    cancel: ["initiated", "running", "paused", "stalled"],
  };
  const verbs: Record<string, [ChangeOf, RunState]> = {
    pause: [pause(rules, "why"), "paused"],
    resume: [resume(rules, "operator"), "running"],
    cancel: [cancel(rules, "why"), "cancelled"],
  };
  for (const [verb, [changeOf, next]] of Object.entries(verbs)) {
    for (const state of runStates) {
      const before = run({ state });
      if (allowed[verb]!.includes(state)) {
        const { after } = changeOf(before, 10);
        assert.equal(after!.state, next, `${verb} ${state}`);
        assert.equal(after!.version, 2);
        assert.equal(before.state, state);
      } else {
        assert.throws(() => changeOf(before, 10), { code: "RUN_STATE", runState: state }, `${verb} ${state}`);
      }
    }
  }
});

Deno.test("pause() takes the run out of the due index but for its automatic resume", () => {
  assert.equal(pause(rules, "why")(run(), 10).after!.due, 10 + 3_600_000);
  assert.equal(pause({ ...rules, pauseRetryMs: undefined }, "why")(run(), 10).after!.due, undefined);
});

Deno.test("resume() starts a fresh count of attempts at once", () => {
  const { after } = resume(rules, "operator")(
    run({ state: "paused", attempt: 5, crashes: 2, reason: "x", due: 99 }),
    10,
  );
  assert.equal(after!.attempt, 0);
  assert.equal(after!.crashes, 0);
  assert.equal(after!.due, 10);
  assert.equal(after!.reason, undefined);
});

Deno.test("resume() of a run at a status that the code does not know leaves work that will find it", () => {
  const { after } = resume(rules, "operator")(
    run({ state: "paused", status: "gone", due: undefined as never }),
    10,
  );
  assert.ok(
    after!.due !== undefined || after!.state === "stalled",
    "nobody would ever look at this run again",
  );
});

Deno.test("land() of a move keeps the due row while the next step is due at once, and waits out a lag", () => {
  const stay = land(rules, attempt, { kind: "move", to: "a", payload })(run({ status: "b", due: 4 }), 10)
    .after!;
  assert.deepEqual([stay.due, stay.visit, stay.version, stay.payload], [4, 2, 2, payload.text]);
  assert.equal(land(rules, attempt, { kind: "move", to: "b" })(run({ due: 4 }), 10).after!.due, 5_010);
});

Deno.test("land() of a move to a terminal status completes the run, also a paused one", () => {
  for (const state of ["initiated", "running", "paused"] as const) {
    const { after } = land(rules, attempt, { kind: "move", to: "end" })(run({ state, reason: "x" }), 10);
    assert.deepEqual([after!.state, after!.due, after!.reason], ["completed", undefined, undefined]);
  }
});

Deno.test("land() on a paused run keeps it paused with its automatic resume, and keeps the result", () => {
  const before = run({ state: "paused", due: 777, reason: "operator", attempt: 2 });
  for (
    const landing of [{ kind: "move", to: "b", payload }, { kind: "repeat", payload }, {
      kind: "skip",
      payload,
    }]
  ) {
    const { after } = land(rules, attempt, landing as Landing)(before, 10);
    assert.deepEqual(
      [after!.state, after!.due, after!.payload, after!.reason, after!.attempt],
      ["paused", 777, payload.text, "operator", 0],
      landing.kind,
    );
  }
  const failed = land(rules, attempt, error)(before, 10).after!;
  assert.deepEqual([failed.state, failed.due, failed.attempt], ["paused", 777, 3]);
});

Deno.test("land() of another visit, or after the end, only leaves a late row", () => {
  const landings: Landing[] = [{ kind: "move", to: "b", payload }, { kind: "skip", payload }, error, {
    kind: "fail",
    reason: "x",
  }];
  for (const landing of landings) {
    for (const before of [run({ visit: 2 }), run({ state: "cancelled" }), run({ state: "completed" })]) {
      const { after, event } = land(rules, attempt, landing)(before, 10);
      assert.equal(after, undefined);
      assert.equal(event!.kind, "late");
    }
  }
});

Deno.test("land() of errors counts them whatever their text, and pauses at the limit", () => {
  let now = run({ status: "strict" });
  for (const message of ["one", "two"]) {
    now = land(rules, attempt, { kind: "error", error: { name: "Error", message } })(now, 10).after!;
    assert.equal(now.state, "running");
  }
  now = land(rules, attempt, { kind: "error", error: { name: "Error", message: "three" } })(now, 10).after!;
  assert.deepEqual([now.state, now.attempt, now.due], ["paused", 3, 10 + 3_600_000]);
  assert.match(now.reason!, /strict.*3 times.*three/);
});

Deno.test("interrupted() counts starts under suspicion and pauses past the limit", () => {
  const counted = interrupted(rules, 2)(run({ crashes: 1 }), 10);
  assert.deepEqual([counted.after!.crashes, counted.event!.kind], [2, "interrupted"]);
  const stopped = interrupted(rules, 2)(run({ crashes: 2 }), 10);
  assert.deepEqual([stopped.after!.state, stopped.event!.kind], ["paused", "pause"]);
});

const landing: fc.Arbitrary<Landing> = fc.oneof(
  fc.record({ kind: fc.constant("move" as const), to: fc.constantFrom("a", "b", "end", "strict") }),
  fc.record({ kind: fc.constantFrom("repeat" as const, "skip" as const), payload: fc.constant(payload) }),
  fc.record({
    kind: fc.constantFrom("pause" as const, "cancel" as const, "fail" as const),
    reason: fc.string(),
  }),
  fc.constant(error),
);
const action = fc.oneof(
  landing.map((each) => (now: RunRecord) => land(rules, { ...attempt, visit: now.visit }, each)),
  landing.map((each) => (now: RunRecord) => land(rules, { ...attempt, visit: now.visit - 1 }, each)),
  fc.constantFrom(
    () => pause(rules, "why"),
    () => resume(rules, "operator"),
    () => cancel(rules, "why"),
    () => interrupted(rules, 2),
    () => stall(),
    () => unstall(rules),
  ),
);

Deno.test("run changes in any order keep version, history, end and pause consistent", () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
      let now = run({ state: "initiated" });
      for (const [index, act] of actions.entries()) {
        // The engine offers interrupted, stall and landings only to runs that have not ended.
        const changeOf = act(now);
        let change;
        try {
          change = changeOf(now, index * 1_000);
        } catch (refused) {
          assert.equal((refused as { code: string }).code, "RUN_STATE");
          continue;
        }
        if (!change.after) continue;
        if (isFinished(now.state)) {
          const kind = change.event!.kind;
          assert.ok(["interrupted", "pause", "stall"].includes(kind), kind);
          continue;
        }
        assert.equal(change.after.version, now.version + 1);
        assert.ok(change.event, "every change has a history row");
        if (isFinished(change.after.state)) assert.equal(change.after.due, undefined);
        now = change.after;
      }
    }),
    { numRuns: 1_000 },
  );
});

Deno.test("a record that is due for nothing at a status without step is filed anew, and does not come up again", () => {
  const { behaviour } = machine("m").callback("wait", ["end"], () => "end").build();
  const later = { name: "t", at: 9_000, attempt: 0, round: 0 };
  const odd = run({ status: "wait", due: 5, stepDue: undefined });
  assert.equal(withoutStep(behaviour)(odd, 1_000).after!.due, undefined);
  assert.equal(withoutStep(behaviour)({ ...odd, timers: [later] }, 1_000).after!.due, 9_000);
});
