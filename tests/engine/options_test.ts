import assert from "node:assert/strict";
import fc from "fast-check";
import { stepPolicy } from "../../core/engine/step_options.ts";
import { memoryStore } from "../../adapters/memory/mod.ts";
import { createEngine, machine, type PawlError, type RetryOptions, type StepOptions } from "../../mod.ts";
import { testInMemory } from "./stores.ts";

/** A machine with one step that always fails, and its policy as an engine with these defaults has it. */
function failing(step: StepOptions, layers: { machine?: StepOptions; engine?: StepOptions } = {}) {
  const flow = machine<{ n: number }>("flow", {
    pauseRetry: false,
    ...layers.machine && { steps: layers.machine },
  })
    .step("a", ["b"], () => {
      throw new Error("no");
    }, step)
    .build();
  return { flow, ...layers.engine && { steps: layers.engine } };
}

function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    assert.match((error as PawlError).code, /^INVALID_(ARGUMENT|DURATION)$/);
    return (error as PawlError).message;
  }
  assert.fail("it was not refused");
}

const policyOf = (step: StepOptions, own?: StepOptions, engine?: StepOptions) =>
  stepPolicy("s", [{ from: "e", options: engine }, { from: "m", options: own }, {
    from: "s",
    options: step,
  }]);

Deno.test("a default given at one layer leaves the other options as they are", () => {
  const plain = policyOf({});
  assert.deepEqual(policyOf({}, {}, { pauseAfterErrors: 3 }), { ...plain, pauseAfterErrors: 3 });
  assert.deepEqual(policyOf({}, { retry: { factor: 3 } }, { retry: { initial: "2s" }, concurrency: 4 }), {
    ...plain,
    retryFactor: 3,
    retryInitialMs: 2_000,
    concurrency: 4,
  });
  assert.deepEqual(
    policyOf({ retry: { max: "1m" } }, { retry: { factor: 3 } }, { retry: { initial: "2s" } }),
    {
      ...plain,
      retryFactor: 3,
      retryInitialMs: 2_000,
      retryMaxMs: 60_000,
    },
  );
});

Deno.test("an option of a step can be set back to 0 or false, and undefined gives nothing", () => {
  const lower: StepOptions = {
    concurrency: 4,
    pauseAfterErrors: 3,
    lag: "1s",
    timeout: "1m",
    retry: { jitter: true },
    rateLimit: { limit: 1, per: "1s" },
  };
  const reset = { concurrency: 0, pauseAfterErrors: 0, lag: 0, timeout: 0, rateLimit: false as const };
  const policy = policyOf({ ...reset, retry: { jitter: false } }, {}, lower);
  assert.deepEqual(policy, { ...policyOf({}), retryJitter: false });
  const nothing = Object.fromEntries(Object.keys(lower).map((name) => [name, undefined])) as StepOptions;
  assert.deepEqual(policyOf(nothing, { retry: undefined } as unknown as StepOptions, lower), policyOf(lower));
});

const duration = fc.nat(1_000_000);
const retry = fc.record({
  factor: fc.integer({ min: 1, max: 100 }),
  jitter: fc.boolean(),
  initial: fc.integer({ min: 0, max: 1_000 }),
  max: fc.integer({ min: 1_000, max: 100_000 }),
}, { requiredKeys: [] });
const options = fc.record({
  concurrency: fc.nat(100),
  pauseAfterErrors: fc.nat(10),
  lag: duration,
  timeout: duration,
  retry,
  rateLimit: fc.oneof(
    fc.constant(false as const),
    fc.record({ limit: fc.integer({ min: 1, max: 9 }), per: fc.constant(5) }),
  ),
}, { requiredKeys: [] });

Deno.test("every option comes from the highest layer that gives it", () => {
  fc.assert(fc.property(options, options, options, (engine, own, step) => {
    const policy = policyOf(step, own, engine);
    const layers = [step, own, engine] as readonly StepOptions[];
    const top = (name: keyof StepOptions) =>
      layers.map((each) => each[name]).find((value) => value !== undefined);
    const topRetry = (name: keyof RetryOptions) =>
      layers.map((each) => each.retry?.[name]).find((value) => value !== undefined);
    assert.equal(policy.concurrency, top("concurrency") ?? 0);
    assert.equal(policy.pauseAfterErrors, top("pauseAfterErrors") ?? 0);
    assert.equal(policy.lagMs, top("lag") ?? 0);
    assert.equal(policy.timeoutMs, top("timeout") ?? 0);
    assert.equal(policy.retryFactor, topRetry("factor") ?? 2);
    assert.equal(policy.retryJitter, topRetry("jitter") ?? true);
    assert.equal(policy.retryInitialMs, topRetry("initial") ?? 1_000);
    assert.equal(policy.retryMaxMs, topRetry("max") ?? 300_000);
    const rate = (top("rateLimit") ?? false) as false | { limit: number; per: number };
    assert.deepEqual(policy.rateLimit, rate ? { limit: rate.limit, perMs: rate.per } : undefined);
  }));
});

Deno.test("defaults bend to what is given: a long first wait or a short longest one is no contradiction", () => {
  assert.deepEqual(policyOf({ retry: { initial: "1h" } }).retryMaxMs, 3_600_000);
  assert.deepEqual(policyOf({ retry: { max: "500ms" } }).retryInitialMs, 500);
});

Deno.test("options that contradict each other are refused, with the layer that each came from", () => {
  const step = machine("flow").step("a", ["b"], () => "b", { retry: { max: "5s" } }).build();
  const make = (steps: StepOptions, limits = {}) =>
    createEngine({ store: memoryStore(), definitions: [step], steps, limits });
  make({ retry: { initial: "5s" } });
  assert.equal(
    refusal(() => make({ retry: { initial: "10s" } })),
    'Cannot use retry of step "a" of "flow": max is "5s" (step "a" of "flow"), below initial, which is "10s" ' +
      "(createEngine({ steps })); want initial up to max",
  );
  assert.match(
    refusal(() =>
      machine("m", { steps: { retry: { initial: 9 } } }).step("a", ["b"], () => "b", { retry: { max: 8 } })
        .build()
    ),
    /max is 8 \(step "a" of "m"\), below initial, which is 9 \(machine\("m", \{ steps \}\)\)/,
  );
  make({ concurrency: 4 }, { runsInFlightMax: 4 });
  assert.match(
    refusal(() => make({ concurrency: 5 }, { runsInFlightMax: 4 })),
    /concurrency of step "a" of "flow": got 5 \(createEngine\(\{ steps \}\)\), want at most .*runsInFlightMax, 4/,
  );
});

Deno.test("values that no step can use are refused at the layer that gives them", () => {
  const own = (options: unknown) =>
    refusal(() => machine("m").step("a", ["b"], () => "b", options as StepOptions));
  assert.equal(
    own({ pauseAfterError: 3 }),
    'Cannot use pauseAfterError of step "a" of "m": got 3, want one of the options concurrency, rateLimit, ' +
      "pauseAfterErrors, retry, lag, timeout, needs, lock, lagAlert",
  );
  assert.match(
    own({ needs: "wifi" }),
    /needs of step "a" of "m": got "wifi", want "network" or "nothing"/,
  );
  assert.match(
    own({ retry: { factr: 3 } }),
    /retry\.factr of step "a" of "m": got 3, want one of .* initial, max, factor/,
  );
  assert.match(
    own({ retry: { factor: 0.5 } }),
    /retry\.factor of step "a" of "m": got 0.5, want a number from 1 to 100/,
  );
  assert.match(own({ retry: { factor: 101 } }), /got 101/);
  assert.match(own({ retry: { jitter: 1 } }), /retry\.jitter .* got 1, want true or false/);
  assert.match(own({ retry: 5 }), /retry of step "a" of "m": got 5, want an object/);
  assert.match(own({ concurrency: -1 }), /concurrency of step "a" of "m": got -1, want a whole number/);
  assert.match(own({ concurrency: NaN }), /got NaN/);
  assert.match(own({ pauseAfterErrors: 1.5 }), /pauseAfterErrors .* got 1.5/);
  assert.match(own({ lag: "soon" }), /lag of step "a" of "m": got "soon"/);
  assert.match(own({ timeout: -1 }), /timeout of step "a" of "m": got -1/);
  assert.match(own({ lag: null }), /lag .* got null/);
  assert.match(
    own({ rateLimit: { limit: 0, per: "1s" } }),
    /rateLimit\.limit .* got 0, want a whole number from 1/,
  );
  assert.match(own({ rateLimit: { limit: 1, per: 0.2 } }), /rateLimit\.per .* got 0.2, want 1 ms or more/);
  assert.match(own({ rateLimit: { limit: 1 } }), /rateLimit .* want \{ limit, per \}/);
  assert.match(own({ rateLimit: true }), /rateLimit .* got true/);
  assert.match(own([]), /options of step "a" of "m": got \[\], want an object/);
  const bad = { lagg: 1 } as StepOptions;
  assert.match(refusal(() => machine("m", { steps: bad })), /lagg of machine\("m", \{ steps \}\): got 1/);
  assert.match(
    refusal(() => createEngine({ store: memoryStore(), definitions: [], steps: bad })),
    /lagg of createEngine\(\{ steps \}\): got 1/,
  );
});

testInMemory(
  "an engine's defaults hold for all that its machines leave open, and for this engine only",
  async (world) => {
    const { flow, steps } = failing({ retry: { factor: 1 } }, {
      machine: { retry: { jitter: false } },
      engine: { retry: { initial: "10s" }, pauseAfterErrors: 3 },
    });
    const engine = await world.started({ definitions: [flow], ...steps && { steps } });
    await world.during(engine.trigger(flow, "k", { data: { n: 1 } }));
    const attempts = async () => (await world.during(engine.get(flow, "k")))!.attempt;
    await world.settle();
    assert.equal(await attempts(), 1);
    await world.advance(9_999);
    assert.equal(await attempts(), 1);
    await world.advance(1);
    assert.equal(await attempts(), 2);
    await world.advance(10_000);
    const run = (await world.during(engine.get(flow, "k")))!;
    assert.deepEqual([run.runState, run.attempt], ["paused", 3]);
    const alone = flow.behaviour.policy("a")!;
    assert.deepEqual([alone.retryInitialMs, alone.pauseAfterErrors, alone.retryFactor], [1_000, 0, 1]);
  },
);

testInMemory("a step set back to 0 is retried for ever under an engine that pauses", async (world) => {
  const { flow } = failing({ pauseAfterErrors: 0, retry: { initial: 1, max: 1 } });
  const engine = await world.started({ definitions: [flow], steps: { pauseAfterErrors: 2 } });
  await world.during(engine.trigger(flow, "k", { data: { n: 1 } }));
  await world.advance(5);
  const run = (await world.during(engine.get(flow, "k")))!;
  assert.deepEqual([run.runState, run.attempt], ["initiated", 6]);
});

testInMemory(
  "createEngine() and machine() refuse an option that there is not, naming those there are",
  (world) => {
    const flow = machine("flow").step("a", ["b"], () => "b").build();
    const engine = { definitions: [flow], polling: "5s" } as Parameters<typeof world.engine>[0];
    assert.throws(() => world.engine(engine), {
      code: "INVALID_ARGUMENT",
      message: /"polling" of createEngine.*poll/,
    });
    const options = { keepFor: "30d" } as Parameters<typeof machine>[1];
    assert.throws(() => machine("m", options), {
      code: "INVALID_ARGUMENT",
      message: /"keepFor" of machine "m".*keepFinished/,
    });
    return Promise.resolve();
  },
);
