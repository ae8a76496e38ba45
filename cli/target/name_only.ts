import { type Definition, machine } from "pawl";

/**
 * A definition that an engine can look at runs with: nothing but its name is true of it, so nothing may be changed with it.
 *
 * @param definition Its name.
 * @param status A status that it must know, as somebody waits for it.
 * @returns The definition.
 */
export function nameOnly(definition: string, status = "-"): Definition {
  return machine(definition).step(status, [`${status}-`], () => {
    throw new Error("A definition for looking at runs was run");
  }).build();
}
