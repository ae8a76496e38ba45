import { memoryStore } from "../../adapters/memory/mod.ts";
import type { Duration } from "../duration.ts";
import { createEngine } from "../engine/engine.ts";
import type { Engine } from "../engine/verbs.ts";
import type { EngineOptions } from "../engine/options.ts";
import type { Store } from "../store/store.ts";
import { type VirtualClock, virtualClock } from "./virtual_clock.ts";

/** Options of {@linkcode testEngine}: those of an engine, all but the definitions with a default for tests. */
export interface TestEngineOptions extends Omit<EngineOptions, "store" | "clock"> {
  /** Default: a new memory store, closed by `stop()`. */
  readonly store?: Store;
  /** Default: a new clock. */
  readonly clock?: VirtualClock;
  /** The wall clock at the start. */
  readonly now?: Date | number;
}

/** A started engine whose time is the test's. */
export interface TestEngine {
  /** The engine. */
  readonly engine: Engine;
  /** Its store. */
  readonly store: Store;
  /** Its clock. */
  readonly clock: VirtualClock;
  /**
   * Moves time on.
   *
   * @returns Resolves when all that became due has run.
   */
  advance(duration: Duration): Promise<void>;
  /** Stops the engine, and closes the store unless it was given. */
  stop(): Promise<void>;
}

/**
 * Starts an engine on a memory store and a clock that stands still.
 *
 * @param options What it carries.
 * @returns The engine, its store and its clock.
 *
 * @example
 * ```ts
 * import { machine } from "pawl";
 * import { testEngine } from "pawl/testing";
 * const tea = machine("tea").step("brewing", ["ready"], () => "ready", { lag: "4m" }).build();
 * const { engine, advance, stop } = await testEngine({ definitions: [tea] });
 * await engine.trigger(tea, "cup");
 * await advance("4m");
 * console.assert((await engine.get(tea, "cup"))?.status === "ready");
 * await stop();
 * ```
 */
export async function testEngine(options: TestEngineOptions): Promise<TestEngine> {
  const { now, store = memoryStore(), ...rest } = options;
  const clock = options.clock ?? virtualClock(now === undefined ? {} : { now });
  const engine = createEngine({ ...rest, store, clock });
  await engine.start();
  return {
    engine,
    store,
    clock,
    advance: (duration) => clock.advance(duration),
    async stop() {
      // Nobody moves the clock while we wait, so there is no grace to wait for.
      await clock.settle();
      await engine.stop({ grace: 0 });
      if (!options.store) await store.close();
    },
  };
}
