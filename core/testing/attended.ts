import type { Behaviour, Definition, StepResult } from "../engine/behaviour.ts";
import type { Connector, ConnectorCall, ConnectorEvent } from "../engine/connector.ts";
import type { VirtualClock } from "./virtual_clock.ts";

/**
 * A definition whose user code the clock waits for: a step that reads a file takes no virtual time.
 *
 * @param definition What an engine carries.
 * @param clock The clock that stands still while its code runs.
 * @returns The same definition for the engine.
 */
export function attended(definition: Definition, clock: VirtualClock): Definition {
  // What is no definition is refused by the engine, which says why.
  if (!definition?.behaviour) return definition;
  return { ...definition, behaviour: attendedBehaviour(definition.behaviour, clock) };
}

function attendedBehaviour(behaviour: Behaviour, clock: VirtualClock): Behaviour {
  const attend = <Result>(result: Result): Result => {
    if (result instanceof Promise) clock.attend(result);
    return result;
  };
  const { fire, receive, hooks, connectors, scrub } = behaviour;
  const answer = (result: StepResult | Promise<StepResult>) => attend(result);
  return Object.assign(
    Object.create(behaviour) as Behaviour,
    {
      withDefaults: (...given: Parameters<Behaviour["withDefaults"]>) =>
        attendedBehaviour(behaviour.withDefaults(...given), clock),
      run: (call) => answer(behaviour.run(call)),
      ...(fire && { fire: (call, timer) => answer(fire.call(behaviour, call, timer)) }),
      ...(receive && { receive: (call, payload) => answer(receive.call(behaviour, call, payload)) }),
      ...(hooks && {
        hooks: (kind) =>
          hooks.call(behaviour, kind).map((hook) => ({
            ...hook,
            run: (view, signal) => attend(hook.run(view, signal)),
          })),
      }),
      ...(connectors && {
        connectors: connectors.map((connector) =>
          Object.assign(Object.create(connector) as Connector, {
            handle: (call: ConnectorCall, event: ConnectorEvent) => attend(connector.handle(call, event)),
          })
        ),
      }),
      ...(scrub && { scrub: (data) => attend(scrub.call(behaviour, data)) }),
    } satisfies Partial<Behaviour>,
  );
}
