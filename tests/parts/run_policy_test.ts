import assert from "node:assert/strict";
import type { StepPolicy } from "../../core/parts/run_change.ts";
import { arePolicies, policyOf, type RunPolicy } from "../../core/parts/run_policy.ts";

const policy: StepPolicy = {
  retryInitialMs: 1_000,
  retryMaxMs: 60_000,
  retryFactor: 2,
  retryJitter: true,
  pauseAfterErrors: 0,
  lagMs: 7,
  concurrency: 3,
  timeoutMs: 0,
  lagAlertMs: 9,
  needsNetwork: false,
};
const rules = { policy: (status: string) => status === "end" ? undefined : policy };
const under = (status: string, ...policies: RunPolicy[]) => policyOf(rules, { status, policies });

Deno.test("a run without policies has its definition's, the very same object", () => {
  assert.equal(policyOf(rules, { status: "a" }), policy);
  assert.equal(under("end", { timeoutMs: 1 }), undefined);
});

Deno.test("a run's policies go over the definition's by field, those of a status over those of all", () => {
  const own = [{ timeoutMs: 5, pauseAfterErrors: 2 }, { at: "b", timeoutMs: 6 }];
  assert.deepEqual(under("a", ...own), { ...policy, timeoutMs: 5, pauseAfterErrors: 2 });
  assert.deepEqual(under("b", ...own), { ...policy, timeoutMs: 6, pauseAfterErrors: 2 });
  assert.deepEqual(under("a", { at: "b", timeoutMs: 6 }), policy);
});

Deno.test("a definition's waits bend to a run's, so that none is longer than the longest", () => {
  const waits = (own: RunPolicy) => {
    const { retryInitialMs, retryMaxMs } = under("a", own)!;
    return [retryInitialMs, retryMaxMs];
  };
  assert.deepEqual(waits({ retryInitialMs: 90_000 }), [90_000, 90_000]);
  assert.deepEqual(waits({ retryMaxMs: 500 }), [500, 500]);
  assert.deepEqual(waits({ retryInitialMs: 2_000 }), [2_000, 60_000]);
  assert.deepEqual(waits({ retryMaxMs: 2_000 }), [1_000, 2_000]);
  assert.deepEqual(waits({ retryInitialMs: 3_000, retryMaxMs: 4_000 }), [3_000, 4_000]);
});

Deno.test("what is no list of policies is told from one", () => {
  assert.ok(arePolicies([{ timeoutMs: 1 }, { at: "a", retryJitter: false }]));
  for (const wrong of [[], {}, "x", [{ at: 1 }], [{ lag: 1 }], [{ timeoutMs: "1" }], [{ retryJitter: 1 }]]) {
    assert.ok(!arePolicies(wrong), JSON.stringify(wrong));
  }
});
