/**
 * The turn of one run: its step's code, a timer's, or its disposal when it has finished.
 *
 * @module
 */
import { type Attempt, land, type Landing } from "../parts/landing.ts";
import type { ChangeOf } from "../parts/run_change.ts";
import type { Check } from "../store/store.ts";
import { AttemptSignal, stepCode, timerCode } from "./attempt_call.ts";
import type { EngineContext } from "./context.ts";
import { dispose, type Disposed } from "./dispose.ts";
import type { HotRun, HowToChange } from "./hot_runs.ts";
import { type Lander, landSurely } from "./land_surely.ts";
import { attemptCode } from "./step_runner.ts";

/** For whom a run has its turn: the owner of its shard. */
export interface TurnHost extends Lander {
  /** Its fence. */
  readonly guard: Check;
  /** Resolves when no write of this fence is on its way any more. */
  seal(): Promise<void>;
  /** Applies a change to a run and files what follows from it. */
  apply(run: HotRun, changeOf: ChangeOf, how?: HowToChange): Promise<void>;
}

/**
 * Runs a run's turn to its landing.
 *
 * @param run The run; what it is due for is decided.
 * @returns What its disposal came to; of a step or timer always `done`.
 * @throws What keeps a disposal from going on; user code never throws here.
 */
export async function runTurn(context: EngineContext, host: TurnHost, run: HotRun): Promise<Disposed> {
  const { turn } = run;
  const end = run.attempt = new AttemptSignal();
  if (turn.kind === "erase" || turn.kind === "remove") {
    const { definition, guard } = host;
    return await dispose(context, definition, run, guard, turn.kind, (changeOf) => host.apply(run, changeOf));
  }
  const { clock, random } = context;
  const { record } = run;
  const timer = turn.kind === "timer" ? turn.timer : undefined;
  const code = timer ? timerCode(host.definition, record, timer) : stepCode(host.definition, record);
  const startedAt = clock.monotonic();
  const result = attemptCode(context, host.definition, record, end, code);
  const landing = result instanceof Promise ? await result : result;
  const durationMs = Math.round(clock.monotonic() - startedAt);
  const by = timer ? "timer" as const : "step" as const;
  const { visit, payload } = record;
  await store(context, host, run, { visit, payload, durationMs, chance: random.float(), by, timer }, landing);
  return "done";
}

async function store(
  context: EngineContext,
  host: TurnHost,
  run: HotRun,
  attempt: Attempt,
  landing: Landing,
): Promise<void> {
  const { record } = run;
  const changeOf = land(host.definition.behaviour, attempt, landing);
  const seal = () => host.seal();
  try {
    await host.apply(run, changeOf, { seal });
  } catch (error) {
    await landSurely(
      context,
      host,
      record,
      { changeOf, attempt, error },
      (again) => host.apply(run, again, { seal }),
    );
  }
}
