import type { EngineContext } from "./context.ts";
import type { ProcessState } from "./metrics.ts";
import { processesOf } from "./process_names.ts";

/** Where an engine is in its life, as far as its processes are concerned. */
export type EnginePhase = "new" | "at work" | "stopped";

/**
 * What each process of an engine is doing.
 *
 * @param context The engine.
 * @param phase Where the engine is in its life.
 * @param owned Names of the definitions that it owns a shard of.
 * @returns By process name.
 */
export function processStates(
  context: EngineContext,
  phase: EnginePhase,
  owned: ReadonlySet<string>,
): Readonly<Record<string, ProcessState>> {
  const states: [string, ProcessState][] = [];
  for (const definition of context.definitions.values()) {
    const state = stateOf(context, phase, owned.has(definition.name));
    for (const process of processesOf(definition, context.relay !== undefined)) states.push([process, state]);
  }
  return Object.fromEntries(states);
}

/**
 * Tells the metrics what each process of an engine is doing; takes what {@linkcode processStates} takes.
 *
 * @param context The engine.
 * @param phase Where the engine is in its life.
 * @param owned Names of the definitions that it owns a shard of.
 */
export function reportStates(context: EngineContext, phase: EnginePhase, owned: ReadonlySet<string>): void {
  const { metrics } = context;
  if (!metrics) return;
  for (const definition of context.definitions.values()) {
    const state = stateOf(context, phase, owned.has(definition.name));
    for (const process of processesOf(definition, context.relay !== undefined)) {
      metrics.process(definition.name, process).state(state);
    }
  }
}

/** An engine that only ticks is running while it owns, and else as if it had never been started. */
function stateOf({ works }: EngineContext, phase: EnginePhase, isOwner: boolean): ProcessState {
  if (!works) return "unknown";
  if (phase === "stopped") return "shutdown";
  if (isOwner) return "running";
  return phase === "at work" ? "idle" : "unknown";
}
