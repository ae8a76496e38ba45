/**
 * What a run's caller has asked for its steps in place of what its definition says. It is kept in the run's record, so
 * whoever works on the run goes by it, after any crash and on any engine.
 *
 * @module
 */
import type { Rules, StepPolicy } from "./run_change.ts";

/** Fields of a policy that a run may have of its own; those that are absent stay the definition's. */
export interface RunPolicy {
  /** For this status's step; absent: for every step. No object by status: one may be called `data`. */
  readonly at?: string;
  /** Longest run of one attempt; 0: no limit. */
  readonly timeoutMs?: number;
  /** Failed attempts after which the run is paused; 0: never. */
  readonly pauseAfterErrors?: number;
  /** Wait before the second attempt. */
  readonly retryInitialMs?: number;
  /** Longest wait. */
  readonly retryMaxMs?: number;
  /** Growth per attempt. */
  readonly retryFactor?: number;
  /** Waits are spread over their upper half. */
  readonly retryJitter?: boolean;
}

/** Of whom a policy is asked. */
interface PolicyHolder {
  readonly status: string;
  readonly policies?: readonly RunPolicy[] | undefined;
}

/**
 * The policy of the step that a run is at. What the definition says bends to what the run has of its own, so a redeploy
 * cannot make the two contradict each other.
 *
 * @param rules The definition's rules.
 * @param run The run.
 * @returns The policy; `undefined`: its status has no step.
 */
export function policyOf(rules: Pick<Rules, "policy">, run: PolicyHolder): StepPolicy | undefined {
  const policy = rules.policy(run.status);
  return policy && run.policies ? withOwn(policy, run.status, run.policies) : policy;
}

/**
 * The fields that count for a status: of the policy for every step, and over it of the one for this status.
 *
 * @param status The status.
 * @param policies Those of a run.
 * @returns One policy.
 */
export function mergedFor(status: string, policies: readonly RunPolicy[]): RunPolicy {
  const every = policies.find(({ at }) => at === undefined);
  return { ...every, ...policies.find(({ at }) => at === status) };
}

function withOwn(policy: StepPolicy, status: string, policies: readonly RunPolicy[]): StepPolicy {
  const { at: _, ...own } = mergedFor(status, policies);
  const { retryInitialMs, retryMaxMs } = own;
  return {
    ...policy,
    ...own,
    retryInitialMs: retryInitialMs ?? Math.min(policy.retryInitialMs, retryMaxMs ?? Infinity),
    retryMaxMs: retryMaxMs ?? Math.max(policy.retryMaxMs, retryInitialMs ?? 0),
  };
}

const numbers: readonly (keyof RunPolicy)[] = [
  "timeoutMs",
  "pauseAfterErrors",
  "retryInitialMs",
  "retryMaxMs",
  "retryFactor",
];

/** Whether a value that was stored elsewhere is a list of policies. */
export function arePolicies(value: unknown): value is readonly RunPolicy[] {
  return Array.isArray(value) && value.length > 0 && value.every((each) => {
    const { at, retryJitter, ...rest } = Object(each) as RunPolicy;
    const areKnown = Object.entries(rest).every(([name, field]) =>
      numbers.includes(name as keyof typeof rest) && typeof field === "number" && field >= 0
    );
    return areKnown && ["string", "undefined"].includes(typeof at) &&
      ["boolean", "undefined"].includes(typeof retryJitter);
  });
}
