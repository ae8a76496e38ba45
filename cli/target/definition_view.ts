import type { Definition } from "pawl";
import type { DefinitionView } from "pawl/plugins/hono/client";

/** A definition as the API tells of it. */
export function viewOfDefinition({ name, behaviour }: Definition): DefinitionView {
  const statuses = [...behaviour.statuses];
  const terminals = statuses.filter((each) => behaviour.isTerminal(each));
  const others = statuses.filter((each) => !terminals.includes(each) && each !== behaviour.start);
  return {
    name,
    kind: behaviour.kind ?? "definition",
    statuses,
    starts: [behaviour.start, ...others],
    terminals,
    callbacks: statuses.filter((each) => behaviour.accepts?.(each) ?? false),
  };
}
