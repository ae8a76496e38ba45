import type { Behaviour } from "../../engine/behaviour.ts";
import { defaultLimits } from "../../limits.ts";
import type { Around, UserCode } from "../around.ts";
import type { HookCall } from "./hook_laws.ts";
import type { Host } from "./host.ts";
import type { Laws } from "./laws.ts";
import type { World } from "./world.ts";

/** How long slow code takes, in virtual ms. */
const slowMs = { low: 100, high: 3_000 };

/** Longest timeout of code that is left hanging. */
const hangingMsMax = 10_000;

/** What befalls user code, and what the laws see of it. */
export interface UserCodeOptions {
  readonly world: World;
  readonly laws: Laws;
  readonly behaviours: ReadonlyMap<string, Behaviour>;
  /** What a run may carry on the engines of this world. */
  readonly payloadBytesMax?: number;
}

/** What is around the user code of one host: it is cut when the host dies, and now and then throws, hangs, or takes long. */
export function aroundCode(options: UserCodeOptions, host: Host): Around {
  const { world, laws } = options;
  return (code, run) => {
    if (code.what === "due") {
      if (world.strikes("code throws")) throw new Error("the code cannot say when");
      return run();
    }
    if (code.what === "step") laws.started(host, code.call);
    if (code.what === "timer") laws.started(host, code.call, code.timer);
    if (code.what === "connector") laws.connectors.started(host, code);
    const hook = code.what === "hook"
      ? laws.hooks.started(host, code.kind, code.index, code.view)
      : undefined;
    type Result = ReturnType<typeof run>;
    if (canHang(options, code) && world.strikes("hanging code")) return new Promise(() => {}) as Result;
    if (!world.strikes("slow code")) return attempt(options, host, code, run, hook);
    const waits = new Promise<void>((resolve) => host.later(world.between(slowMs.low, slowMs.high), resolve));
    return host.cut(waits.then(() => attempt(options, host, code, run, hook))) as Result;
  };
}

function attempt<Result>(
  options: UserCodeOptions,
  host: Host,
  code: UserCode,
  run: () => Result,
  hook: HookCall | undefined,
): Result {
  if (options.world.strikes("code throws")) throw new Error("the code throws before it does anything");
  const result = run();
  if (!isThenable(result)) return ended(options, code, result, hook);
  const after = result.then((answer) => ended(options, code, answer, hook));
  return host.cut(after) as Result;
}

/** User code has done its work. */
function ended<Answer>(
  { world, laws, payloadBytesMax = defaultLimits.payloadBytesMax }: UserCodeOptions,
  code: UserCode,
  answer: Answer,
  hook: HookCall | undefined,
): Answer {
  if (world.strikes("code throws late")) throw new Error("the code throws after its work");
  if ("call" in code && code.what !== "due" && world.strikes("oversized data")) {
    code.call.writeData("x".repeat(payloadBytesMax + 1));
  }
  if (hook) hook.done = true;
  if (code.what === "connector") laws.connectors.ended(code);
  return answer;
}

/** Without a timeout within patience, code that never ends is nobody's fault but its own. */
function canHang({ behaviours }: UserCodeOptions, code: UserCode): boolean {
  if (code.what === "hook") {
    const hooks = behaviours.get(code.view.definition)?.hooks?.(code.kind);
    return isShort(hooks?.[code.index]?.policy.timeoutMs);
  }
  if (code.what === "connector") {
    const { connectors = [] } = behaviours.get(code.definition)!;
    return isShort(connectors.find(({ name }) => name === code.name)?.policy.timeoutMs);
  }
  if (code.what !== "step" && code.what !== "timer") return false;
  const { definition, status } = code.call;
  const behaviour = behaviours.get(definition)!;
  const policy = code.what === "timer"
    ? behaviour.timerPolicy?.(status, code.timer)
    : behaviour.policy(status);
  return isShort(policy?.timeoutMs);
}

function isShort(timeoutMs = 0): boolean {
  return timeoutMs > 0 && timeoutMs <= hangingMsMax;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}
