import { memoryStore } from "../../adapters/memory/mod.ts";
import type { Duration } from "../duration.ts";
import type { Definition } from "../engine/behaviour.ts";
import type { CallbackResult } from "../engine/callback.ts";
import { createEngine } from "../engine/engine.ts";
import type { Integration } from "../engine/integration.ts";
import type { CallbackOptions, Engine } from "../engine/verbs.ts";
import type { EngineOptions } from "../engine/options.ts";
import type { RunTimerView, RunView } from "../engine/run_view.ts";
import type { Store } from "../store/store.ts";
import { attended } from "./attended.ts";
import { driven } from "./driven.ts";
import { recordedStore } from "./recorded_store.ts";
import { RunWaits, type TestWaitOptions } from "./run_waits.ts";
import { type VirtualClock, virtualClock } from "./virtual_clock.ts";

/** Options of {@linkcode testEngine}: those of an engine, all but the definitions with a default for tests. */
export interface TestEngineOptions extends Omit<EngineOptions, "store" | "clock"> {
  /** What it uses beside its definitions; what their `init` does is waited for. */
  readonly integrations?: readonly Integration[];
  /** Default: a new memory store, closed by `stop()`. */
  readonly store?: Store;
  /** Default: a new clock. */
  readonly clock?: VirtualClock;
  /** The wall clock at the start, of a new clock. */
  readonly now?: Date | number;
}

/** Options of {@linkcode TestEngine.awaitTimer}. */
export interface AwaitTimerOptions extends TestWaitOptions {
  /** Which of the status's timeouts; default: the one that is due first. */
  readonly name?: string;
  /** Move time on to it, and let it fire. */
  readonly fire?: boolean;
}

/** Options of {@linkcode TestEngine.requireData}. */
export interface RequireDataOptions<Status extends string> extends TestWaitOptions {
  /** Only as it was at this status. */
  readonly status?: Status;
}

/** A started engine whose time is the test's. */
export interface TestEngine extends AsyncDisposable {
  /** The engine. */
  readonly engine: Engine;
  /** Its store, which also takes the snapshots: give it to other engines of the test. */
  readonly store: Store;
  /** Its clock. */
  readonly clock: VirtualClock;
  /**
   * Moves time on.
   *
   * @returns Resolves when all that became due has run.
   */
  advance(duration: Duration): Promise<void>;
  /**
   * Waits until a run is, or has been, at a status; moves time on while it is not.
   *
   * @returns The run; if it is elsewhere by now, as it last was there.
   * @throws {PawlError} `NOT_REACHED`, telling where the run is, its last error and its history.
   */
  awaitStatus<Data, Status extends string, Start extends string>(
    definition: Definition<Data, Status, Start>,
    key: string,
    status: NoInfer<Status>,
    options?: TestWaitOptions,
  ): Promise<RunView<Data>>;
  /**
   * Waits until a run is at a status, moving time on while it is not, and calls it back there.
   *
   * @returns What the callback came to; it was applied.
   * @throws {PawlError} `NOT_REACHED` when the run does not come there or does not take it; or what the callback throws.
   */
  triggerCallbackOn<
    Data,
    Status extends string,
    Start extends string,
    Payloads,
    const At extends keyof Payloads & string,
  >(
    definition: Definition<Data, Status, Start, Payloads>,
    key: string,
    status: At,
    ...payload: undefined extends Payloads[At]
      ? [payload?: Payloads[At], options?: CallbackOptions & TestWaitOptions]
      : [payload: Payloads[At], options?: CallbackOptions & TestWaitOptions]
  ): Promise<CallbackResult>;
  /**
   * Waits until a run has a timer, moving time on while it has none.
   *
   * @returns The timer, which with `fire` has had its turn, unless the run is paused.
   * @throws {PawlError} `NOT_REACHED`.
   */
  awaitTimer(definition: Definition, key: string, options?: AwaitTimerOptions): Promise<RunTimerView>;
  /**
   * Waits until a run has, or has had, this data; moves time on while it has not. Compared as JSON.
   *
   * @returns The run as it last was with that data.
   * @throws {PawlError} `NOT_REACHED`.
   */
  requireData<Data, Status extends string, Start extends string>(
    definition: Definition<Data, Status, Start>,
    key: string,
    expected: NoInfer<Data>,
    options?: RequireDataOptions<NoInfer<Status>>,
  ): Promise<RunView<Data>>;
  /**
   * Every version of a run as it was committed through `store`, oldest first, also of a run that was removed. Data is of
   * the version it was written with.
   */
  snapshots<Data = unknown>(runId: string): Promise<readonly RunView<Data>[]>;
  /** Stops the engine, and closes the store unless it was given. `await using` does it too. */
  stop(): Promise<void>;
}

/**
 * Starts an engine on a memory store and a clock that stands still. It polls once an hour and its lease is a day, unless
 * told otherwise, so that `advance("40d")` takes a moment; all that it is told of it hears at once.
 *
 * @param options What it carries.
 * @returns The engine, its store and its clock, and what tests ask of runs.
 *
 * @example
 * ```ts
 * import { machine } from "pawl";
 * import { testEngine } from "pawl/testing";
 * const tea = machine<{ cups: number }>("tea")
 *   .step("brewing", ["ready"], (run) => (run.data.cups++, "ready"), { lag: "4m" })
 *   .callback("ready", ["drunk"], () => "drunk")
 *   .timeout("ready", ["cold"], { after: "30m" }, () => "cold")
 *   .build();
 * await using t = await testEngine({ definitions: [tea] });
 * const { runId } = await t.engine.trigger(tea, "mine", { data: { cups: 0 } });
 * await t.requireData(tea, "mine", { cups: 1 }); // four minutes later
 * await t.triggerCallbackOn(tea, "mine", "ready", undefined);
 * const statuses = (await t.snapshots(runId)).map((run) => run.status);
 * console.assert(statuses.join() === "brewing,ready,drunk");
 *
 * await t.engine.trigger(tea, "yours", { data: { cups: 0 } });
 * await t.awaitTimer(tea, "yours", { fire: true });
 * await t.awaitStatus(tea, "yours", "cold");
 * ```
 */
export async function testEngine(options: TestEngineOptions): Promise<TestEngine> {
  const { now, integrations = [], ...rest } = options;
  const clock = options.clock ?? virtualClock(now === undefined ? {} : { now });
  const inner = options.store ?? memoryStore();
  const recorded = recordedStore(inner);
  const { store } = recorded;
  const definitions = Array.isArray(options.definitions)
    ? options.definitions.map((each: Definition) => attended(each, clock))
    : options.definitions;
  const engine = createEngine({ poll: "1h", lease: { term: "1d" }, ...rest, definitions, store, clock });
  for (const each of integrations) {
    engine.use({ ...each, definitions: each.definitions.map((brought) => attended(brought, clock)) });
  }
  const unheard = clock.onJump(() => recorded.hint());
  await driven(clock, engine.start());
  let stopped: Promise<void> | undefined;
  const end = async () => {
    unheard();
    await clock.settle();
    // What runs has had its time: to move the clock for it would be another test.
    await driven(clock, engine.stop({ grace: 0 }));
    if (!options.store) await inner.close();
  };
  const stop = () => stopped ??= end();
  const waits = new RunWaits({ engine, clock, recorded, codec: options.codec });
  return {
    engine,
    store,
    clock,
    stop,
    [Symbol.asyncDispose]: stop,
    advance: (duration) => clock.advance(duration),
    ...questions(engine, clock, waits),
  };
}

/** A definition whose payloads the compiler has checked already. */
type CalledBack = Definition<unknown, string, string, Readonly<Record<string, unknown>>>;

type Questions = Pick<
  TestEngine,
  "awaitStatus" | "triggerCallbackOn" | "awaitTimer" | "requireData" | "snapshots"
>;

function questions(engine: Engine, clock: VirtualClock, waits: RunWaits): Questions {
  return {
    awaitStatus: <Data>(definition: Definition<Data>, key: string, status: string, how?: TestWaitOptions) =>
      waits.status({ ...how, definition, key }, status) as Promise<RunView<Data>>,
    async triggerCallbackOn(
      definition: Definition,
      key: string,
      status: string,
      ...[payload, options = {}]: readonly [payload?: unknown, options?: CallbackOptions & TestWaitOptions]
    ) {
      const wish = { ...options, definition, key };
      const { runId } = await waits.open(wish, status);
      const called = engine.callback(definition as CalledBack, key, status, payload, { ...options, runId });
      const result = await driven(clock, called);
      if (!result.applied) {
        throw await waits.missed({ ...wish, runId }, `take the callback: ${result.reason}`);
      }
      return result;
    },
    async awaitTimer(definition, key, { name, fire, ...how } = {}) {
      const timer = await waits.timer({ ...how, definition, key }, name);
      if (fire) await clock.advance(Math.max(0, Number(timer.at) - clock.now()));
      return timer;
    },
    requireData: <Data>(
      definition: Definition<Data>,
      key: string,
      expected: Data,
      { status, ...how }: RequireDataOptions<string> = {},
    ) => waits.data({ ...how, definition, key }, expected, status) as Promise<RunView<Data>>,
    snapshots: <Data>(runId: string) => waits.snapshots(runId) as Promise<readonly RunView<Data>[]>,
  };
}
