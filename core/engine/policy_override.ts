import { PawlError } from "../errors.ts";
import { mergedFor, type RunPolicy } from "../parts/run_policy.ts";
import type { Definition } from "./behaviour.ts";
import { readOptions, type StepOptions } from "./step_options.ts";

/** What a caller may ask for a step of a run, where the integration of its definition allows it. */
export type StepOverride = Pick<StepOptions, "timeout" | "retry" | "pauseAfterErrors">;

/** What a caller may ask for the steps of a run; what is not given stays the definition's. */
export interface PolicyOverride<Status extends string = string> extends StepOverride {
  /** For the step of one status, over what is given for all. */
  readonly at?: { readonly [At in Status]?: StepOverride };
}

/** Whether callers may bring policies: all of them, or those named. */
export type AllowedOverride = boolean | readonly (keyof StepOverride)[];

/** Every option that may be overridden. */
export const overridable: readonly (keyof StepOverride)[] = ["timeout", "retry", "pauseAfterErrors"];

/** A caller must not make a step spin. */
const waitMsMin = 100;

const fields: Readonly<Record<string, keyof RunPolicy>> = {
  timeout: "timeoutMs",
  pauseAfterErrors: "pauseAfterErrors",
  "retry.initial": "retryInitialMs",
  "retry.max": "retryMaxMs",
  "retry.factor": "retryFactor",
  "retry.jitter": "retryJitter",
};

/**
 * Checks the policy of a trigger at the door, so that no run has one that cannot be followed.
 *
 * @param definition What is triggered.
 * @param allowed The options that callers may give.
 * @param given As given.
 * @returns What is kept with the run; `undefined`: nothing was asked.
 * @throws {PawlError} `POLICY_NOT_ALLOWED`, `UNKNOWN_STATUS`, `INVALID_ARGUMENT` or `INVALID_DURATION`.
 */
export function readOverride(
  definition: Definition,
  allowed: readonly (keyof StepOverride)[],
  given: PolicyOverride,
): readonly RunPolicy[] | undefined {
  const { name, behaviour } = definition;
  if (typeof given !== "object" || given === null) {
    throw refused(name, `got ${JSON.stringify(given)}, want an object such as { timeout: "10s" }`);
  }
  const { at, ...every } = given;
  const policies = [readOne(name, "policy", every, allowed)];
  for (const [status, options] of Object.entries(at ?? {})) {
    if (!behaviour.policy(status)) {
      const steps = [...behaviour.statuses].filter((each) => behaviour.policy(each));
      throw new PawlError(
        "UNKNOWN_STATUS",
        `Cannot trigger "${name}" with a policy at ${JSON.stringify(status)}: it has steps at ` +
          steps.map((each) => `"${each}"`).join(", "),
      );
    }
    if (options) policies.push({ at: status, ...readOne(name, `policy.at.${status}`, options, allowed) });
  }
  for (const { at: status } of policies) checkWaits(name, status, policies);
  const kept = policies.filter((each) => Object.keys(each).some((field) => field !== "at"));
  return kept.length > 0 ? kept : undefined;
}

function readOne(
  name: string,
  where: string,
  options: StepOverride,
  allowed: readonly (keyof StepOverride)[],
): RunPolicy {
  const from = `\`${where}\` of a trigger of "${name}"`;
  const read = readOptions({ from, options }, overridable);
  const policy: Record<string, unknown> = {};
  for (const [option, value] of read) {
    const [top] = option.split(".") as [keyof StepOverride];
    if (!allowed.includes(top)) throw notAllowed(name, top, allowed);
    const isWait = option === "retry.initial" || option === "retry.max";
    if (isWait && (value as number) < waitMsMin) {
      throw refused(name, `${option} of \`${where}\` is ${value} ms, want ${waitMsMin} ms or more`);
    }
    policy[fields[option]!] = value;
  }
  return policy;
}

function checkWaits(name: string, status: string | undefined, policies: readonly RunPolicy[]): void {
  const { retryInitialMs, retryMaxMs } = status === undefined ? policies[0]! : mergedFor(status, policies);
  if (retryInitialMs === undefined || retryMaxMs === undefined || retryInitialMs <= retryMaxMs) return;
  const where = status === undefined ? "" : ` at "${status}"`;
  throw refused(
    name,
    `retry.max is ${retryMaxMs} ms${where}, below retry.initial, which is ${retryInitialMs} ms; want initial up to max`,
  );
}

/**
 * @param name What was to be triggered.
 * @param option What was given; absent: any.
 * @param allowed What may be given.
 * @returns The error for a policy that nobody may bring.
 */
export function notAllowed(name: string, option: string | undefined, allowed: readonly string[]): PawlError {
  const what = option === undefined ? "a policy" : `the policy option "${option}"`;
  const may = allowed.length === 0 ? "none may be given" : `only ${allowed.join(" and ")} may be given`;
  return new PawlError(
    "POLICY_NOT_ALLOWED",
    `Cannot trigger "${name}" with ${what}: ${may}; leave it out, or set allowPolicyOverride of its integration`,
  );
}

function refused(name: string, why: string): PawlError {
  return new PawlError("INVALID_ARGUMENT", `Cannot trigger "${name}" with this policy: ${why}`);
}
