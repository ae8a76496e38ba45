import type { Definition } from "../engine/behaviour.ts";
import { withAround } from "./around.ts";
import type { VirtualClock } from "./virtual_clock.ts";

/**
 * A definition whose user code the clock waits for: a step that reads a file takes no virtual time.
 *
 * @param definition What an engine carries.
 * @param clock The clock that stands still while its code runs.
 * @returns The same definition for the engine.
 */
export function attended(definition: Definition, clock: VirtualClock): Definition {
  return withAround(definition, (_, run) => {
    const result = run();
    if (result instanceof Promise) clock.attend(result);
    return result;
  });
}
