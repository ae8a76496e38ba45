/**
 * The turn of one run: its step's code, a timer's, or its disposal when it has finished.
 *
 * @module
 */
import { type Attempt, land, type Landing } from "../parts/landing.ts";
import type { Change, ChangeOf, StepPolicy } from "../parts/run_change.ts";
import { policyOf } from "../parts/run_policy.ts";
import { dueSince } from "../parts/run_record.ts";
import type { Check } from "../store/store.ts";
import { AttemptSignal, stepCode, timerCode } from "./attempt_call.ts";
import type { EngineContext } from "./context.ts";
import type { Disposed } from "./dispose.ts";
import { featureOf } from "./feature.ts";
import type { HotRun, HowToChange } from "./hot_runs.ts";
import { type Lander, landSurely } from "./land_surely.ts";
import { noticeCut } from "./notice.ts";
import { attemptCode } from "./step_runner.ts";

/** For whom a run has its turn: the owner of its shard. */
export interface TurnHost extends Lander {
  /** Its fence. */
  readonly guard: Check;
  /** Resolves when no write of this fence is on its way any more. */
  seal(): Promise<void>;
  /** Applies a change to a run and files what follows from it. */
  apply(run: HotRun, changeOf: ChangeOf, how?: HowToChange): Promise<Change>;
}

/**
 * Runs a run's turn to its landing.
 *
 * @param run The run; what it is due for is decided.
 * @returns What its disposal came to; of a step or timer `done`, `gone` when the run was removed meanwhile, or `again` when
 * it failed for want of the network.
 * @throws What keeps a disposal from going on; user code never throws here.
 */
export async function runTurn(context: EngineContext, host: TurnHost, run: HotRun): Promise<Disposed> {
  const { turn } = run;
  const end = run.attempt = new AttemptSignal();
  if (turn.kind === "erase" || turn.kind === "remove") {
    return await disposal(context, host, run, turn.kind);
  }
  if (turn.kind === "lock") return await context.locks!.turn(host, run);
  const { clock, random, metrics } = context;
  const { record } = run;
  const timer = turn.kind === "timer" ? turn.timer : undefined;
  const { behaviour } = host.definition;
  const dueAt = timer?.at ?? run.dueSince ?? dueSince(record);
  const policy = timer ? behaviour.timerPolicy?.(record.status, timer.name) : policyOf(behaviour, record);
  const code = timer ? timerCode(policy, timer) : stepCode(policy, record.attempt, dueAt);
  const meter = timer
    ? metrics?.timeouts(host.definition, record.status)
    : metrics?.step(host.definition, record.status);
  meter?.started(clock.now() - dueAt, timer && policy?.lagAlertMs);
  const startedAt = clock.monotonic();
  const result = attemptCode(context, host.definition, record, end, code);
  const landing = result instanceof Promise ? await result : result;
  if (landing.kind === "error" && isCut(context, policy)) {
    noticeCut(context, record, timer?.name);
    meter?.landed(clock.monotonic() - startedAt, undefined);
    return "again";
  }
  const durationMs = Math.round(clock.monotonic() - startedAt);
  const by = timer ? "timer" as const : "step" as const;
  const { visit, payload } = record;
  const lock = timer ? undefined : record.lock?.request;
  const attempt = { visit, payload, durationMs, chance: random.float(), by, timer, lock };
  const change = await store(context, host, run, attempt, landing);
  run.dueSince = undefined;
  const isGone = change === "gone";
  meter?.landed(clock.monotonic() - startedAt, isGone ? undefined : change);
  return isGone ? "gone" : "done";
}

/** Without the network an attempt that needs it proves nothing: it is not counted, and waits until the network is back. */
export function isCut(context: EngineContext, policy: StepPolicy | undefined): boolean {
  return policy?.needsNetwork === true && !context.platform.isOnline();
}

async function disposal(
  context: EngineContext,
  host: TurnHost,
  run: HotRun,
  kind: "erase" | "remove",
): Promise<Disposed> {
  const { clock, metrics } = context;
  const { definition, guard } = host;
  const meter = metrics?.deletion(definition);
  meter?.started(clock.now() - (run.record.due ?? clock.now()));
  const startedAt = clock.monotonic();
  let change: Change | undefined;
  const dispose = featureOf(context.features, "deletion", `${kind} run ${run.record.id}`);
  const disposed = await dispose(context, definition, run, guard, kind, async (changeOf) => {
    change = await host.apply(run, changeOf);
  }).catch((error) => {
    meter?.failed();
    throw error;
  });
  if (disposed === "gone") meter?.done(clock.monotonic() - startedAt);
  else meter?.landed(clock.monotonic() - startedAt, change);
  return disposed;
}

async function store(
  context: EngineContext,
  host: TurnHost,
  run: HotRun,
  attempt: Attempt,
  landing: Landing,
): Promise<Change | "gone" | undefined> {
  const { record } = run;
  const changeOf = land(host.definition.behaviour, attempt, landing);
  const seal = () => host.seal();
  try {
    return await host.apply(run, changeOf, { seal });
  } catch (error) {
    let change: Change | undefined;
    const end = await landSurely(
      context,
      host,
      record,
      { changeOf, attempt, error },
      async (again) => {
        change = await host.apply(run, again, { seal });
      },
    );
    return end ?? change;
  }
}
