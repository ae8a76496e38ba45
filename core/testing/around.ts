import type { Behaviour, Definition, EnteringCall, StepCall, StepResult } from "../engine/behaviour.ts";
import type { Connector, ConnectorCall, ConnectorEvent } from "../engine/connector.ts";
import type { RunView } from "../engine/run_view.ts";
import type { HookKind } from "../parts/chore.ts";

/** A piece of user code that is about to run. */
export type UserCode =
  | { readonly what: "step" | "callback"; readonly call: StepCall }
  | { readonly what: "timer"; readonly call: StepCall; readonly timer: string }
  | { readonly what: "due"; readonly status: string; readonly call: EnteringCall }
  | { readonly what: "hook"; readonly kind: HookKind; readonly index: number; readonly view: RunView }
  | {
    readonly what: "connector";
    readonly definition: string;
    readonly name: string;
    readonly event: ConnectorEvent;
  }
  | { readonly what: "scrub" };

/** Runs a piece of user code, or does something else in its place. What it answers, the engine takes for the code's own. */
export type Around = <Result>(code: UserCode, run: () => Result) => Result;

/**
 * A definition with something around all of its user code.
 *
 * @param definition What an engine carries.
 * @param around Runs its code. For `due`, whose answer is never a promise, it must not make one.
 * @returns The same definition for the engine.
 */
export function withAround(definition: Definition, around: Around): Definition {
  // What is no definition is refused by the engine, which says why.
  if (!definition?.behaviour) return definition;
  return { ...definition, behaviour: behaviourAround(definition.behaviour, around) };
}

type Answer = StepResult | Promise<StepResult>;

function behaviourAround(behaviour: Behaviour, around: Around): Behaviour {
  const { fire, receive, timers, hooks, connectors, scrub } = behaviour;
  return Object.assign(
    Object.create(behaviour) as Behaviour,
    {
      withDefaults: (...given: Parameters<Behaviour["withDefaults"]>) =>
        behaviourAround(behaviour.withDefaults(...given), around),
      run: (call) => around<Answer>({ what: "step", call }, () => behaviour.run(call)),
      ...(fire && {
        fire: (call, timer) =>
          around<Answer>({ what: "timer", call, timer }, () => fire.call(behaviour, call, timer)),
      }),
      ...(receive && {
        receive: (call, payload) =>
          around<Answer>({ what: "callback", call }, () => receive.call(behaviour, call, payload)),
      }),
      ...(timers && {
        timers: (status, call, now) =>
          around({ what: "due", status, call }, () => timers.call(behaviour, status, call, now)),
      }),
      ...(hooks && {
        hooks: (kind) =>
          hooks.call(behaviour, kind).map((hook, index) => ({
            ...hook,
            run: (view, signal, chore) =>
              around({ what: "hook", kind, index, view }, () => hook.run(view, signal, chore)),
          })),
      }),
      ...(connectors && { connectors: connectors.map((connector) => connectorAround(connector, around)) }),
      ...(scrub && { scrub: (data) => around({ what: "scrub" }, () => scrub.call(behaviour, data)) }),
    } satisfies Partial<Behaviour>,
  );
}

function connectorAround(connector: Connector, around: Around): Connector {
  return Object.assign(Object.create(connector) as Connector, {
    handle: (call: ConnectorCall, event: ConnectorEvent) => {
      const definition = call.definition.name;
      const code = { what: "connector", definition, name: connector.name, event } as const;
      return around(code, () => connector.handle(call, event));
    },
  });
}
