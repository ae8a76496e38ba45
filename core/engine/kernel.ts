import type { Feature } from "./feature.ts";
import { contextOf, type EngineOptions } from "./options.ts";
import { PawlEngine } from "./pawl_engine.ts";
import type { Engine } from "./verbs.ts";

/** Options of the kernel's `createEngine`. */
export interface KernelOptions extends EngineOptions {
  /** What the engine can do beside running its definitions; default: nothing. */
  readonly features?: readonly Feature[];
}

/**
 * Creates an engine that runs machines, triggers, awaits, pauses, resumes and cancels runs, reads them and their
 * histories, and has of everything else what `features` gives it. Nothing happens until a verb is called.
 *
 * @param options Those of `createEngine` of `pawl`, and `features`.
 * @returns The engine. A verb without its feature throws `UNSUPPORTED`, naming the feature.
 * @throws {PawlError} `INVALID_ARGUMENT` naming the option that is wrong; `UNSUPPORTED` when a definition or an option
 * needs a feature that is not given.
 *
 * @example
 * ```ts
 * import { machine } from "pawl";
 * import { memoryStore } from "pawl/adapters/memory";
 * import { callbacks, createEngine } from "pawl/kernel";
 * const visit = machine<{ visitor?: string }>("visit")
 *   .callback("open", ["done"], (run, visitor: string) => {
 *     run.data.visitor = visitor;
 *     return "done";
 *   })
 *   .build();
 * const engine = createEngine({ store: memoryStore(), definitions: [visit], features: [callbacks] });
 * await engine.start();
 * await engine.trigger(visit, "door 1", { data: {} });
 * await engine.callback(visit, "door 1", "open", "Ann");
 * console.assert((await engine.await(visit, "door 1")).data.visitor === "Ann");
 * await engine.stop();
 * ```
 */
export function createEngine({ features = [], ...options }: KernelOptions): Engine {
  return new PawlEngine(contextOf(options, features));
}
