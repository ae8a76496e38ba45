/**
 * The turn of one run: its step's code, a timer's, or its disposal when it has finished.
 *
 * @module
 */
import { type Attempt, land, type Landing } from "../parts/landing.ts";
import type { Change, ChangeOf, StepPolicy } from "../parts/run_change.ts";
import { policyOf } from "../parts/run_policy.ts";
import { dueSince, type RunRecord, type RunTimer } from "../parts/run_record.ts";
import type { Check } from "../store/store.ts";
import { AttemptSignal, stepCode, timerCode } from "./attempt_call.ts";
import type { EngineContext } from "./context.ts";
import type { Disposed } from "./dispose.ts";
import { featureOf } from "./feature.ts";
import type { HotRun, HowToChange } from "./hot_runs.ts";
import { type Lander, landSurely, type Unlanded } from "./land_surely.ts";
import type { ProcessMeter } from "./metrics.ts";
import { noticeCut } from "./notice.ts";
import { attemptCode } from "./step_runner.ts";

/** For whom a run has its turn: the owner of its shard. */
export interface TurnHost extends Lander {
  /** Its fence. */
  readonly guard: Check;
  /** How what must not be applied twice is applied. */
  readonly surely: HowToChange;
  /**
   * The turn is over.
   *
   * @param end What its disposal came to; of a step or timer `done`, `gone` when the run was removed meanwhile, or `again`
   * when it failed for want of the network.
   */
  hadTurn(run: HotRun, end: Disposed): void;
  /** The turn is over, as something has kept its disposal or lock from going on. */
  brokeOff(run: HotRun, error: unknown): void;
  /** Told when the result of a turn is about to be stored, and when it is. */
  landing(count: 1 | -1): void;
  /** Applies a change to a run and files what follows from it. */
  apply(run: HotRun, changeOf: ChangeOf, how?: HowToChange): Promise<Change>;
}

/**
 * Runs a run's turn to its landing, in one function: what waits in it stays in memory, once for every run in flight. Never
 * rejects; user code never throws here.
 *
 * @param run The run; what it is due for is decided.
 */
export async function runTurn(context: EngineContext, host: TurnHost, run: HotRun): Promise<void> {
  const { turn } = run;
  const signal = run.attempt = new AttemptSignal();
  try {
    if (turn.kind !== "step" && turn.kind !== "timer") {
      const end = turn.kind === "lock"
        ? context.locks!.turn(host, run)
        : disposal(context, host, run, turn.kind);
      return host.hadTurn(run, await end);
    }
    const code = new CodeTurn(context, host, run, turn.kind === "timer" ? turn.timer : undefined);
    const begun = code.begin(signal);
    const landing = begun instanceof Promise ? await begun : begun;
    if (code.isCut(landing)) return host.hadTurn(run, "again");
    const result = code.resultOf(landing);
    let end: Disposed;
    host.landing(1);
    try {
      end = code.landed(await host.apply(run, result.changeOf, host.surely));
    } catch (error) {
      end = await code.landSurely({ ...result, error });
    } finally {
      host.landing(-1);
    }
    host.hadTurn(run, end);
  } catch (error) {
    host.brokeOff(run, error);
  }
}

/** User code that has its turn: all but the waiting, which is kept apart as what waits stays in memory. */
class CodeTurn {
  readonly #context: EngineContext;
  readonly #host: TurnHost;
  readonly #run: HotRun;
  /** The record that it begins with. */
  readonly #record: RunRecord;
  readonly #timer: RunTimer | undefined;
  readonly #policy: StepPolicy | undefined;
  readonly #meter: ProcessMeter | undefined;
  readonly #startedAt: number;

  constructor(context: EngineContext, host: TurnHost, run: HotRun, timer: RunTimer | undefined) {
    const { definition: { behaviour } } = host;
    const { record } = run;
    this.#context = context;
    this.#host = host;
    this.#run = run;
    this.#record = record;
    this.#timer = timer;
    this.#policy = timer ? behaviour.timerPolicy?.(record.status, timer.name) : policyOf(behaviour, record);
    this.#meter = timer
      ? context.metrics?.timeouts(host.definition, record.status)
      : context.metrics?.step(host.definition, record.status);
    this.#startedAt = context.clock.monotonic();
  }

  begin(end: AttemptSignal): Landing | Promise<Landing> {
    const record = this.#record;
    const timer = this.#timer;
    const policy = this.#policy;
    const dueAt = timer?.at ?? this.#run.dueSince ?? dueSince(record);
    const code = timer ? timerCode(policy, timer) : stepCode(policy, record.attempt, dueAt);
    this.#meter?.started(this.#context.clock.now() - dueAt, timer && policy?.lagAlertMs);
    return attemptCode(this.#context, this.#host.definition, record, end, code);
  }

  /** Whether it came to nothing for want of the network. */
  isCut(landing: Landing): boolean {
    if (landing.kind !== "error" || !isCut(this.#context, this.#policy)) return false;
    noticeCut(this.#context, this.#record, this.#timer?.name);
    this.#meter?.landed(this.#tookMs, undefined);
    return true;
  }

  resultOf(landing: Landing): Omit<Unlanded, "error"> {
    const timer = this.#timer;
    const { visit, payload, lock } = this.#record;
    const attempt: Attempt = {
      visit,
      payload,
      durationMs: Math.round(this.#tookMs),
      chance: this.#context.random.float(),
      by: timer ? "timer" : "step",
      timer,
      lock: timer ? undefined : lock?.request,
    };
    return { attempt, changeOf: land(this.#host.definition.behaviour, attempt, landing) };
  }

  /** The store failed: its landing is made sure of. */
  async landSurely(unlanded: Unlanded): Promise<Disposed> {
    const host = this.#host;
    let change: Change | undefined;
    const end = await landSurely(this.#context, host, this.#record, unlanded, async (again) => {
      change = await host.apply(this.#run, again, host.surely);
    });
    return this.landed(end ?? change);
  }

  landed(change: Change | "gone" | undefined): Disposed {
    this.#run.dueSince = undefined;
    const isGone = change === "gone";
    this.#meter?.landed(this.#tookMs, isGone ? undefined : change);
    return isGone ? "gone" : "done";
  }

  get #tookMs(): number {
    return this.#context.clock.monotonic() - this.#startedAt;
  }
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
