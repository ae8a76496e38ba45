/**
 * What the processes that are killed work on.
 *
 * @module
 */
import { appendFileSync } from "node:fs";
import { createEngine, machine } from "pawl";
import { libsqlStore } from "pawl/adapters/libsql";

/** How many runs there are. */
export const runsWanted = 60;

/** An engine on a file, with steps that tell a ledger outside of the store; others take over from it soon. */
export function openTrails(path: string) {
  // It takes a moment, so that processes die within it.
  const go = async <Next>(
    name: string,
    next: Next,
    run: { readonly stepId: string; readonly data: { landed: string[] } },
  ): Promise<Next> => {
    appendFileSync(`${path}.ledger`, `${name} ${run.stepId}\n`);
    await new Promise((resolve) => setTimeout(resolve, 5));
    run.data.landed.push(name);
    return next;
  };
  const definition = machine<{ landed: string[] }>("trails", { steps: { concurrency: 4 } })
    .step("one", ["two"], (run) => go("one", "two" as const, run))
    .step("two", ["three"], (run) => go("two", "three" as const, run))
    .step("three", ["end"], (run) => go("three", "end" as const, run))
    .build();
  const store = libsqlStore({ url: `file:${path}` });
  const engine = createEngine({ store, definitions: [definition], lease: { term: "1s" }, poll: "50ms" });
  return { store, engine, definition };
}
