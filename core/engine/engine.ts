import { allFeatures } from "./features.ts";
import { contextOf, type EngineOptions } from "./options.ts";
import { PawlEngine } from "./pawl_engine.ts";
import type { Engine } from "./verbs.ts";

/**
 * Creates an engine. Nothing happens until a verb is called.
 *
 * @param options The store, what the engine carries, and ports.
 * @returns The engine.
 * @throws {PawlError} `INVALID_ARGUMENT` naming the option that is wrong.
 *
 * @example
 * ```ts
 * import { createEngine, machine } from "pawl";
 * import { memoryStore } from "pawl/adapters/memory";
 * const greet = machine<{ name: string; text?: string }>("greet")
 *   .step("asked", ["greeted"], (run) => {
 *     run.data.text = `Hello ${run.data.name}`;
 *     return "greeted";
 *   })
 *   .build();
 * const engine = createEngine({ store: memoryStore(), definitions: [greet] });
 * await engine.start();
 * await engine.trigger(greet, "ann", { data: { name: "Ann" } });
 * const run = await engine.await(greet, "ann");
 * console.assert(run.data.text === "Hello Ann");
 * await engine.stop();
 * ```
 */
export function createEngine(options: EngineOptions): Engine {
  return new PawlEngine(contextOf(options, allFeatures));
}
